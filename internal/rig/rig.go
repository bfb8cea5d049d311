package rig

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"branchline/internal/odoo"
)

// Rig is a hub and its agents as processes of their own.
type Rig struct {
	// Dir holds everything: configurations, stores, logs, export folders.
	Dir    string
	Bin    string
	Chain  *Chain
	Hub    *Process
	Agents []*Agent
	// HubPage is the address of the hub's page.
	HubPage string
	// Server is the broker's address, "mqtt://127.0.0.1:…"; empty where the branches
	// learn it when they enrol, at Door, "https://127.0.0.1:…".
	Server, Door string
}

// Agent is one branch's agent, its scanners and its export folder.
type Agent struct {
	*Process
	Branch *Branch
	Page   string
	// Receive is the scanner at the goods-in desk, Counter the one at the
	// dispensing counter, which sends "|" in place of the separator.
	Receive, Counter *Scanner
	// Exports is the folder that is watched for dispensing exports.
	Exports string
	// Dir is the agent's data folder.
	Dir    string
	secret string
}

// Options say what a rig is made of.
type Options struct {
	// Dir is an existing folder that belongs to the rig; Bin holds
	// branchline-hub and branchline-agent.
	Dir, Bin string
	Odoo     odoo.Config
	Chain    *Chain
	// External is the address of another broker to be used by hub and agents;
	// empty for the hub's own.
	External string
	// Enrolled has the branches enrol and prove themselves by certificates, which is
	// left to be done; otherwise they have secrets.
	Enrolled bool
	// Pages are the ports of the hub's page and of each agent's; 0 or a port
	// that is taken stands for any free one.
	Pages []int
	// DispensingEvery is how long the hub collects dispensings.
	DispensingEvery time.Duration
	// DeliveriesEvery is how often the hub reads what the branches expect; the
	// hub's own default if zero.
	DeliveriesEvery time.Duration
	// OdooTimeout bounds one call to Odoo; 20 s if zero.
	OdooTimeout time.Duration
	// Zone is the branches' time zone; UTC if empty.
	Zone string
}

// New writes all configuration and plugs the scanners in; it starts nothing.
func New(o Options) (*Rig, error) {
	if o.Zone == "" {
		o.Zone = "UTC"
	}
	if o.OdooTimeout == 0 {
		o.OdooTimeout = 20 * time.Second
	}
	r := &Rig{Dir: o.Dir, Bin: o.Bin, Chain: o.Chain, Server: o.External}
	for i, b := range o.Chain.Branches {
		a, err := newAgent(o, b, o.page(i+1))
		if err != nil {
			return nil, err
		}
		r.Agents = append(r.Agents, a)
	}
	if err := r.configureHub(o); err != nil {
		return nil, err
	}
	for _, a := range r.Agents {
		if err := r.configureAgent(o, a); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (o *Options) page(i int) int {
	if i < len(o.Pages) {
		return o.Pages[i]
	}
	return 0
}

func newAgent(o Options, b *Branch, page int) (*Agent, error) {
	a := &Agent{Branch: b, Dir: filepath.Join(o.Dir, b.Code), secret: rand.Text()}
	a.Exports = filepath.Join(a.Dir, "exports")
	if err := os.MkdirAll(a.Exports, 0o700); err != nil {
		return nil, err
	}
	var err error
	if a.Receive, err = NewScanner(); err == nil {
		a.Counter, err = NewScanner()
	}
	if err != nil {
		return nil, err
	}
	port, err := portOr(page)
	if err != nil {
		return nil, err
	}
	a.Page = fmt.Sprintf("http://127.0.0.1:%d/", port)
	a.Process = process(o, b.Code, "branchline-agent", a.Page)
	return a, nil
}

func process(o Options, name, program, page string) *Process {
	return &Process{
		Name: name, Program: filepath.Join(o.Bin, program),
		Args:   []string{"run", "--config", filepath.Join(o.Dir, name+".yaml")},
		Health: page + "healthz", LogFile: filepath.Join(o.Dir, name+".log"),
	}
}

// portOr is the wished port where it is free, otherwise another.
func portOr(wish int) (int, error) {
	if wish != 0 && portFree(wish) {
		return wish, nil
	}
	return FreePort()
}

func (r *Rig) configureHub(o Options) error {
	page, err := portOr(o.page(0))
	if err != nil {
		return err
	}
	mqtt, err := FreePort()
	if err != nil {
		return err
	}
	door := 0
	if o.Enrolled {
		if door, err = FreePort(); err != nil {
			return err
		}
		r.Door = fmt.Sprintf("https://127.0.0.1:%d", door)
	}
	r.HubPage = fmt.Sprintf("http://127.0.0.1:%d/", page)
	if r.Server == "" && !o.Enrolled {
		r.Server = fmt.Sprintf("mqtt://127.0.0.1:%d", mqtt)
	}
	r.Hub = process(o, "hub", "branchline-hub", r.HubPage)
	if err := os.WriteFile(filepath.Join(o.Dir, "odoo.key"), []byte(string(o.Odoo.Key)), 0o600); err != nil {
		return err
	}
	type branch struct{ Code, Name, Zone, Sum string }
	var branches []branch
	for _, a := range r.Agents {
		sum := sha256.Sum256([]byte(a.secret))
		branches = append(branches, branch{a.Branch.Code, a.Branch.Name, o.Zone, hex.EncodeToString(sum[:])})
	}
	return write(filepath.Join(o.Dir, "hub.yaml"), hubYAML, map[string]any{
		"Dir": filepath.Join(o.Dir, "hub"), "MQTT": mqtt, "Door": door, "External": o.External, "Branches": branches, "Odoo": o.Odoo,
		"Page": page, "Every": o.DispensingEvery, "Timeout": o.OdooTimeout, "Deliveries": o.DeliveriesEvery,
	})
}

func (r *Rig) configureAgent(o Options, a *Agent) error {
	if err := os.WriteFile(filepath.Join(o.Dir, a.Branch.Code+".secret"), []byte(a.secret), 0o600); err != nil {
		return err
	}
	return write(filepath.Join(o.Dir, a.Branch.Code+".yaml"), agentYAML, map[string]any{
		"Branch": a.Branch.Code, "Dir": a.Dir, "Server": r.Server, "Receive": a.Receive.Port, "Counter": a.Counter.Port,
		"Exports": a.Exports, "Zone": o.Zone, "Page": strings.TrimSuffix(strings.TrimPrefix(a.Page, "http://"), "/"),
	})
}

func write(path, text string, values any) error {
	t, err := template.New("").Parse(text)
	if err != nil {
		return err
	}
	var b strings.Builder
	if err := t.Execute(&b, values); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(b.String()), 0o600)
}

// Start starts the hub, then the agents.
func (r *Rig) Start(ctx context.Context) error {
	if err := r.Hub.Start(ctx); err != nil {
		return err
	}
	for _, a := range r.Agents {
		if err := a.Start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Stop stops all, agents first.
func (r *Rig) Stop() error {
	var errs []error
	for _, a := range r.Agents {
		errs = append(errs, a.Stop())
		a.Receive.Unplug()
		a.Counter.Unplug()
	}
	return errors.Join(append(errs, r.Hub.Stop())...)
}

// DropExport puts a file into the branch's export folder as careful systems
// do: written under another name, then renamed.
func (a *Agent) DropExport(name, text string) error {
	tmp := filepath.Join(a.Exports, "."+name+".tmp")
	if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(a.Exports, name))
}

const hubYAML = `# Written by the rig.
data_dir: {{.Dir}}
broker:
{{- if .External}}
  external:
    server: {{.External}}
    username: hub
{{- else}}
  listen: 127.0.0.1:{{.MQTT}}
{{- if .Door}}
fleet:
  listen: 127.0.0.1:{{.Door}}
  names: [127.0.0.1]
{{- else}}
  plain: true
{{- end}}
{{- end}}
branches:
{{- range .Branches}}
  - code: {{.Code}}
    name: {{.Name}}
    zone: {{.Zone}}
{{- if not $.Door}}
    secret_sha256: {{.Sum}}
{{- end}}
{{- end}}
odoo:
  url: {{.Odoo.URL}}
  db: {{.Odoo.DB}}
  user: {{.Odoo.User}}
  key_file: odoo.key
  timeout: {{.Timeout}}
{{- if .Deliveries}}
feed:
  deliveries_every: {{.Deliveries}}
{{- end}}
planning:
  every: {{.Every}}
  miss_interval: 1s
  recheck: 1s
posting:
  retry_first: 50ms
  retry_most: 2s
  break_for: 1s
  setup_pause: 1s
  defect_pause: 1s
web:
  listen: 127.0.0.1:{{.Page}}
log:
  level: info
`

const agentYAML = `# Written by the rig.
branch: {{.Branch}}
data_dir: {{.Dir}}
hub:
{{- if .Server}}
  server: {{.Server}}
  secret_file: {{.Branch}}.secret
{{- end}}
  ack_timeout: 3s
  min_backoff: 50ms
  max_backoff: 1s
  report_every: 1s
scanners:
  - name: goods-in
    port: {{.Receive}}
    for: receive
    repeat: allow
    by: AB
    gs1: {separators: proved}
    sounds: {ok: "+", warn: "!", refused: "-"}
  - name: counter
    port: {{.Counter}}
    for: dispense
    repeat: allow
    by: CD
    gs1: {substitute: "|", separators: proved}
    sounds: {ok: "+", warn: "!", refused: "-"}
exports:
  - name: till
    folder: {{.Exports}}
    settle: 200ms
    poll: 100ms
    finished: move
    csv:
      delimiter: ";"
    mapping:
      product: gtin
      quantity: qty
      lot: lot
      occurred_at: time
      time_formats: ["YYYY-MM-DD HH:mm:ss"]
      time_zone: {{.Zone}}
      document: receipt
      by: initials
      key: [receipt, line]
web:
  listen: {{.Page}}
`
