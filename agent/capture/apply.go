package capture

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"branchline/agent/outbox"
	"branchline/agent/scan"
	"branchline/internal/fault"
)

// Memory keeps settings that were made at run time, beyond a restart.
type Memory interface {
	Append(ctx context.Context, w outbox.Write) ([]outbox.Place, error)
	Notes(space, prefix string) iter.Seq2[outbox.Note, error]
}

const overrides = "scanner settings"

// override is one setting made at run time. It holds as long as the
// configuration says what it said then: who changes it there is obeyed.
type override struct {
	Value string    `json:"value"`
	Was   string    `json:"was"`
	At    time.Time `json:"at"`
}

// set changes one setting, and leaves all as it was on an error. Settings are
// those that a [Suggestion] names.
func (s *Scanner) set(setting, value string) error {
	c := *s
	switch setting {
	case "gs1.substitute":
		c.GS1.Substitute = value
	case "gs1.separators":
		if err := c.GS1.Separators.UnmarshalText([]byte(value)); err != nil {
			return err
		}
	case "gs1.plain_is_gs1":
		c.GS1.PlainIsGS1 = value == "true"
	case "gs1.pzn":
		c.GS1.PZN = value == "true"
	case "keys":
		if s.keys == "" || !slices.Contains(keysForms, value) {
			return fault.New(fault.Setup, "bad_setting", "keys: %.20q is not auto, layout or places, or the scanner is no keyboard", value)
		}
		c.keys = value
	case "terminator":
		c.Terminator = Ending(value)
	case "line":
		parity, ok := map[string]string{"7e1": "even", "7o1": "odd", "8n1": "none"}[value]
		if !ok {
			return fault.New(fault.Setup, "bad_setting", "line: %.20q is not 7e1, 7o1 or 8n1", value)
		}
		c.DataBits, c.Parity, c.StopBits = int(value[0]-'0'), parity, 1
	default:
		return fault.New(fault.Setup, "bad_setting", "%.40q is no setting that can be changed here", setting)
	}
	if err := c.validate(); err != nil {
		return err
	}
	*s = c
	return nil
}

// get is what a setting says, in the form that set takes.
func (s *Scanner) get(setting string) string {
	switch setting {
	case "gs1.substitute":
		return s.GS1.Substitute
	case "gs1.separators":
		return s.GS1.Separators.String()
	case "gs1.plain_is_gs1":
		return fmt.Sprint(s.GS1.PlainIsGS1)
	case "gs1.pzn":
		return fmt.Sprint(s.GS1.PZN)
	case "keys":
		return s.keys
	case "terminator":
		return string(s.Terminator)
	case "line":
		return fmt.Sprintf("%d%.1s%d", s.DataBits, s.Parity, s.StopBits)
	}
	return ""
}

// Apply makes a setting of a scanner, from its next code on, and keeps it. It is
// kept until the configuration says something else than it said now.
func (c *Capture) Apply(ctx context.Context, scanner, setting, value string) error {
	r := c.runner(scanner)
	if r == nil {
		return noScanner(scanner)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	changed := *c.profiles[scanner]
	if err := changed.set(setting, value); err != nil {
		return err
	}
	if c.memory != nil {
		o, err := json.Marshal(override{Value: value, Was: c.configured[scanner].get(setting), At: r.Now()})
		if err != nil {
			return err
		}
		if _, err := c.memory.Append(ctx, outbox.Write{Notes: []outbox.Note{{Space: overrides, Key: scanner + "\x00" + setting, Value: o}}}); err != nil {
			return err
		}
	}
	c.profiles[scanner] = &changed
	r.pending.Store(&changed)
	r.log.Info("a setting of the scanner was changed", "setting", setting, "value", value)
	return nil
}

// recall applies what was set at run time to the configuration.
func (c *Capture) recall(ctx context.Context) error {
	if c.memory == nil {
		return nil
	}
	var stale []outbox.Note
	for n, err := range c.memory.Notes(overrides, "") {
		if err != nil {
			return err
		}
		scanner, setting, _ := strings.Cut(n.Key, "\x00")
		var o override
		s := c.profiles[scanner]
		if s == nil {
			continue // it may come back
		}
		if json.Unmarshal(n.Value, &o) != nil || c.configured[scanner].get(setting) != o.Was || s.set(setting, o.Value) != nil {
			stale = append(stale, outbox.Note{Space: overrides, Key: n.Key})
		}
	}
	if len(stale) == 0 {
		return nil
	}
	_, err := c.memory.Append(ctx, outbox.Write{Notes: stale})
	return err
}

func (c *Capture) runner(scanner string) *runner {
	for _, r := range c.runners {
		if r.name == scanner {
			return r
		}
	}
	for _, t := range c.typists {
		if t.r.name == scanner {
			return t.r
		}
	}
	return nil
}

func noScanner(name string) error {
	return fault.New(fault.Data, "no_scanner", "there is no scanner %.64q", name)
}

// testFor is how long a test lasts, when nobody ends it.
const testFor = 2 * time.Minute

// Test begins or ends a test: what the scanner sends is explained
// ([Status.Test]) and not recorded. It ends by itself after two minutes.
func (c *Capture) Test(scanner string, on bool) error {
	r := c.runner(scanner)
	if r == nil {
		return noScanner(scanner)
	}
	r.status.set(func(s *Status) {
		s.Testing = time.Time{}
		if on {
			s.Testing, s.Test = r.Now().Add(testFor), nil
		}
	})
	return nil
}

// tested answers a frame of a scanner under test.
func (r *runner) tested(f frame, at time.Time) (a scan.Answer, ok bool) {
	r.status.set(func(s *Status) {
		if s.Testing.IsZero() {
			return
		}
		if at.After(s.Testing) {
			s.Testing = time.Time{}
			return
		}
		report := explain(f.data, r.s, f.kind, at)
		s.Test, ok = &report, true
		a = scan.Answer{Sound: scan.OK, Code: "test", Unrecorded: true, Text: "test, not recorded: " + report.Words}
		if !report.Understood {
			a.Sound, a.Text = scan.Warn, "test, not recorded: "+report.Why
		}
	})
	return a, ok
}

// adopt takes over a changed profile. lineToo tells that the port must be
// opened anew for it.
func (r *runner) adopt() (changed, lineToo bool) {
	p := r.pending.Swap(nil)
	if p == nil {
		return false, false
	}
	lineToo = p.get("line") != r.s.get("line")
	r.s = p
	r.reading.profile = p.GS1
	return true, lineToo
}
