// Package config is the hub's configuration file, put together from what each
// stage needs.
package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"branchline/hub/access"
	"branchline/hub/alert"
	"branchline/hub/broker"
	"branchline/hub/catalogue"
	"branchline/hub/feed"
	"branchline/hub/fleet"
	"branchline/hub/ledger"
	"branchline/hub/plan"
	"branchline/hub/post"
	"branchline/hub/reconcile"
	"branchline/hub/room"
	"branchline/internal/conf"
	"branchline/internal/logging"
	"branchline/internal/movement"
	"branchline/internal/odoo"
	"branchline/internal/trust"
	"branchline/internal/webserver"
)

// Config is hub.yaml.
type Config struct {
	// DataDir is the folder that belongs to the hub alone.
	DataDir string `yaml:"data_dir"`
	// Ledger is the hub's store; a file in DataDir when left out.
	Ledger ledger.Config `yaml:"ledger"`
	Broker Broker        `yaml:"broker"`
	// Fleet says where branches enrol.
	Fleet    fleet.Config `yaml:"fleet"`
	Branches []Branch     `yaml:"branches"`
	Odoo     Odoo         `yaml:"odoo"`
	// Catalogue is the copy of Odoo's master data.
	Catalogue catalogue.Config `yaml:"catalogue"`
	// Feed says what the branches are told of Odoo.
	Feed feed.Config `yaml:"feed"`
	// Planning says when documents are cut and what is let through.
	Planning plan.Settings `yaml:"planning"`
	// Posting says how hard Odoo is worked.
	Posting post.Config `yaml:"posting"`
	// Reconciliation says when the branches are held against Odoo, and how far back.
	Reconciliation reconcile.Config `yaml:"reconciliation"`
	// Replenishment says what is told of the branches' stock.
	Replenishment room.ReplenishmentConfig `yaml:"replenishment"`
	Web           webserver.Config         `yaml:"web"`
	// Access says how long people stay signed in.
	Access access.Config `yaml:"access"`
	// Alerts say what is told to people who do not look at the control room.
	Alerts alert.Config   `yaml:"alerts"`
	Log    logging.Config `yaml:"log"`
}

// Broker is the embedded broker, or one that runs elsewhere.
type Broker struct {
	broker.EmbeddedConfig `yaml:",inline"`
	// External is used in place of the embedded broker when its server is set.
	External broker.ExternalConfig `yaml:"external"`
}

// Branch is one branch of the chain.
type Branch struct {
	// Code is the branch's own name for itself: topics, records, documents.
	Code string `yaml:"code"`
	Name string `yaml:"name"`
	// Groups are what the branch belongs to, a region or a kind of shop, by which
	// people choose in the control room.
	Groups []string `yaml:"groups"`
	// Warehouse is the code of the branch's warehouse in Odoo; Code when left
	// out.
	Warehouse string `yaml:"warehouse"`
	// Zone is the branch's time zone; documents are dated and expiry dates
	// meant in it.
	Zone string `yaml:"zone"`
	// Hours are when it is open, such as "Mo-Fr 08:00-18:30, Sa 09:00-13:00";
	// always when left out.
	Hours string `yaml:"hours"`
	// SecretSHA256 is the SHA-256 of the branch's secret, in hexadecimal; only for
	// a plain broker.
	SecretSHA256 string `yaml:"secret_sha256"`

	Sum  [sha256.Size]byte `yaml:"-"`
	Open room.Hours        `yaml:"-"`
}

// Odoo is how Odoo is reached.
type Odoo struct {
	URL  string `yaml:"url"`
	DB   string `yaml:"db"`
	User string `yaml:"user"`
	// KeyFile holds the user's API key, alone in the file.
	KeyFile conf.Secret `yaml:"key_file"`
	// Transport is auto, xmlrpc or json2.
	Transport odoo.Transport `yaml:"transport"`
	Timeout   time.Duration  `yaml:"timeout"`
}

// Default is a configuration that lacks the branches and Odoo.
func Default() Config {
	return Config{
		Broker: Broker{EmbeddedConfig: broker.DefaultEmbeddedConfig(), External: broker.DefaultExternalConfig()},
		Fleet:  fleet.DefaultConfig(), Catalogue: catalogue.DefaultConfig(), Feed: feed.DefaultConfig(), Planning: plan.DefaultSettings(), Posting: post.DefaultConfig(), Reconciliation: reconcile.DefaultConfig(), Replenishment: room.DefaultReplenishmentConfig(),
		Odoo: Odoo{Transport: odoo.Auto, Timeout: odoo.DefaultTimeout},
		Web:  webserver.Config{Listen: "127.0.0.1:8770"}, Access: access.DefaultConfig(), Alerts: alert.DefaultConfig(),
		Log: logging.Default(),
	}
}

// Read reads hub.yaml without the secrets that it names, for what needs none.
// Errors are faults of class Setup and code "bad_configuration", in one line.
func Read(path string) (Config, error) {
	c := Default()
	return c, conf.Load(path, &c)
}

// Load is [Read] with the secrets.
func Load(path string) (Config, error) {
	c, err := Read(path)
	if err != nil {
		return c, err
	}
	dir := filepath.Dir(path)
	if err := c.Odoo.KeyFile.Resolve("odoo.key_file", dir); err != nil {
		return c, conf.Wrap(path, err)
	}
	for setting, secret := range map[string]*conf.Secret{"broker.external.secret_file": &c.Broker.External.Secret,
		"access.oidc.client_secret_file": &c.Access.OIDC.Secret, "replenishment.order.key_file": &c.Replenishment.Order.KeyFile, "alerts.webhook.secret_file": &c.Alerts.Webhook.SecretFile, "alerts.mail.password_file": &c.Alerts.Mail.PasswordFile} {
		if err := secret.Resolve(setting, dir); err != nil {
			return c, conf.Wrap(path, err)
		}
	}
	return c, nil
}

// Validate fills in what follows from other settings, and checks all.
func (c *Config) Validate() error {
	if !filepath.IsAbs(c.DataDir) {
		return conf.Bad("data_dir", c.DataDir, "must be an absolute path")
	}
	if c.Ledger.Path == "" {
		c.Ledger.Path = filepath.Join(c.DataDir, "ledger.db")
	}
	if c.Catalogue.Path != "" && !filepath.IsAbs(c.Catalogue.Path) {
		c.Catalogue.Path = filepath.Join(c.DataDir, c.Catalogue.Path)
	}
	type part struct {
		at string
		v  conf.Validator
	}
	parts := []part{{"ledger", &c.Ledger}, {"fleet", &c.Fleet}, {"catalogue", &c.Catalogue}, {"feed", &c.Feed}, {"planning", &c.Planning}, {"posting", &c.Posting}, {"reconciliation", &c.Reconciliation}, {"replenishment", &c.Replenishment}, {"web", &c.Web}, {"access", &c.Access}, {"alerts", &c.Alerts}, {"log", &c.Log}}
	if c.Broker.External.Server != "" {
		parts = append(parts, part{"broker.external", &c.Broker.External})
	} else {
		parts = append(parts, part{"broker", &c.Broker.EmbeddedConfig})
	}
	for _, p := range parts {
		if err := conf.In(p.at, p.v.Validate()); err != nil {
			return err
		}
	}
	if c.Broker.External.Server == "" && !c.Broker.Plain && !c.Fleet.On() {
		return conf.Bad("fleet.names", "", "must name the hub as branches reach it; without TLS, by secrets alone, only with broker.plain: true")
	}
	if c.Broker.Plain && c.Fleet.On() {
		return conf.Bad("broker.plain", c.Broker.Plain, "cannot be together with fleet.names: take one of them out")
	}
	oc := c.Odoo.Client()
	oc.Key = "not read yet"
	if err := conf.In("odoo", oc.Validate()); err != nil {
		return err
	}
	if c.Odoo.KeyFile.IsZero() {
		return conf.Bad("odoo.key_file", "", "must name the file that holds the API key")
	}
	return c.validateBranches()
}

// Plan is the planner's configuration.
func (c *Config) Plan() plan.Config {
	p := plan.Config{Settings: c.Planning, Branches: map[string]plan.BranchConfig{}}
	for _, b := range c.Branches {
		p.Branches[b.Code] = plan.BranchConfig{Warehouse: b.Warehouse, Timezone: b.Zone}
	}
	return p
}

// Post is the poster's configuration. A hub without branches serves none, not all
// that have documents in its Odoo.
func (c *Config) Post() post.Config {
	p := c.Posting
	p.Branches = []string{}
	for _, b := range c.Branches {
		p.Branches = append(p.Branches, b.Code)
	}
	return p
}

// Secrets tells the embedded broker which branches may connect.
func (c *Config) Secrets() broker.Secrets {
	sums := map[string][sha256.Size]byte{}
	for _, b := range c.Branches {
		sums[b.Code] = b.Sum
	}
	return func(branch string) ([sha256.Size]byte, bool) {
		sum, ok := sums[branch]
		return sum, ok
	}
}

// BrokerAddress is where branches send, as they are told when they enrol.
func (c *Config) BrokerAddress() string {
	at := c.Fleet.Broker
	if at == "" && c.Fleet.On() {
		_, port, err := net.SplitHostPort(c.Broker.Listen)
		if err != nil || port == "0" || c.Broker.External.Server != "" {
			port = "8883"
		}
		at = net.JoinHostPort(c.Fleet.Names[0], port)
	}
	return "mqtts://" + at
}

// Client is the configuration of the client.
func (o *Odoo) Client() odoo.Config {
	return odoo.Config{URL: o.URL, DB: o.DB, User: o.User, Key: odoo.Key(o.KeyFile.Reveal()),
		Transport: o.Transport, Timeout: o.Timeout}
}

func (c *Config) validateBranches() error {
	codes, warehouses := map[string]bool{}, map[string]bool{}
	for i := range c.Branches {
		b, at := &c.Branches[i], fmt.Sprintf("branches[%d]", i)
		if b.Warehouse == "" {
			b.Warehouse = b.Code
		}
		var err error
		switch {
		case !movement.ValidBranch(b.Code):
			err = conf.Bad("code", b.Code, "must be 1 to 32 letters, digits, - and _")
		case b.Code == trust.HubName:
			err = conf.Bad("code", b.Code, "is the hub's own name at a broker")
		case codes[b.Code]:
			err = conf.Bad("code", b.Code, "is there twice")
		case warehouses[b.Warehouse]:
			err = conf.Bad("warehouse", b.Warehouse, "belongs to another branch already")
		case c.Broker.External.Server == "" && c.Broker.Plain && b.SecretSHA256 == "":
			err = conf.Bad("secret_sha256", "", "is missing, make one with: branchline-hub secret")
		}
		if err == nil && b.SecretSHA256 != "" {
			if sum, e := hex.DecodeString(b.SecretSHA256); e == nil && len(sum) == len(b.Sum) {
				b.Sum = [sha256.Size]byte(sum)
			} else {
				err = conf.Bad("secret_sha256", b.SecretSHA256, "is not a SHA-256 of 64 hexadecimal digits")
			}
		}
		if err == nil {
			if _, e := time.LoadLocation(b.Zone); e != nil || b.Zone == "" || b.Zone == "Local" {
				err = conf.Bad("zone", b.Zone, "must be a time zone such as Europe/Berlin")
			}
		}
		if err == nil {
			var e error
			if b.Open, e = room.ParseHours(b.Hours); e != nil {
				err = conf.Bad("hours", b.Hours, "must be written as Mo-Fr 08:00-18:30, Sa 09:00-13:00: "+e.Error())
			}
		}
		if err == nil {
			err = b.validateGroups()
		}
		if err != nil {
			return conf.In(at, err)
		}
		codes[b.Code], warehouses[b.Warehouse] = true, true
	}
	return nil
}

const (
	maxGroups    = 10
	maxGroupName = 40
)

func (b *Branch) validateGroups() error {
	if len(b.Groups) > maxGroups {
		return conf.Bad("groups", len(b.Groups), "are too many, want at most 10")
	}
	for i, g := range b.Groups {
		if g == "" || len(g) > maxGroupName || strings.TrimSpace(g) != g || strings.ContainsFunc(g, unicode.IsControl) {
			return conf.Bad("groups", g, "must be names of 1 to 40 bytes")
		}
		if slices.Contains(b.Groups[:i], g) {
			return conf.Bad("groups", g, "is there twice")
		}
	}
	return nil
}
