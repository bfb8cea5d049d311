package alert

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/room"
	"branchline/internal/conf"
)

// Config belongs to hub.yaml under alerts.
type Config struct {
	Rules Rules `yaml:"rules"`
	// Gather is how long what is new waits for more of it, so that many together
	// are one message.
	Gather time.Duration `yaml:"gather"`
	// Repeat is how often what goes on is told again.
	Repeat  time.Duration `yaml:"repeat"`
	Webhook Webhook       `yaml:"webhook"`
	Mail    Mail          `yaml:"mail"`
}

// DefaultConfig has the rules and nobody to tell: they are shown on the page.
func DefaultConfig() Config {
	return Config{Rules: DefaultRules(), Gather: time.Minute, Repeat: 4 * time.Hour, Mail: Mail{Port: 587}}
}

// Validate names the setting and its value.
func (c *Config) Validate() error {
	if err := conf.In("rules", c.Rules.Validate()); err != nil {
		return err
	}
	if c.Gather < 0 || c.Gather > time.Hour {
		return conf.Bad("gather", c.Gather, "must be 0s to 1h")
	}
	if c.Repeat < time.Minute || c.Repeat > 31*24*time.Hour {
		return conf.Bad("repeat", c.Repeat, "must be 1m to 744h")
	}
	if err := conf.In("webhook", c.Webhook.Validate()); err != nil {
		return err
	}
	return conf.In("mail", c.Mail.Validate())
}

// Sender tells people outside. It may take long; the message is for them as it
// is.
type Sender interface {
	// Name is how the log calls it.
	Name() string
	Send(ctx context.Context, m Message) error
}

// Message is what people are told at once.
type Message struct {
	// New has begun since the last message, Still goes on, Over has ended.
	New, Still, Over []ledger.Alert
}

// Subject is the message in a line.
func (m *Message) Subject() string {
	var parts []string
	for _, p := range []struct {
		n    int
		word string
	}{{len(m.New), "new"}, {len(m.Still), "going on"}, {len(m.Over), "over"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.word))
		}
	}
	subject := "Branchline: " + strings.Join(parts, ", ")
	if len(m.New) == 1 {
		subject += ": " + m.New[0].Text
	}
	return strings.Join(strings.Fields(subject), " ")
}

// Text is the whole message, for reading.
func (m *Message) Text() string {
	var b strings.Builder
	for _, p := range []struct {
		head string
		list []ledger.Alert
	}{{"New", m.New}, {"Going on", m.Still}, {"Over", m.Over}} {
		if len(p.list) == 0 {
			continue
		}
		fmt.Fprintf(&b, "%s:\n", p.head)
		for _, a := range p.list {
			fmt.Fprintf(&b, "- %s\n", strings.Join(strings.Fields(a.Text), " "))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// lookEvery is how often the rules are looked at; sending is given as long.
const (
	lookEvery = 30 * time.Second
	patience  = 30 * time.Second
	// keptFor is how long what is over is shown.
	keptFor = 24 * time.Hour
)

// Watchman looks at the rules. One for a hub.
type Watchman struct {
	cfg     Config
	ledger  *ledger.Ledger
	room    func(context.Context) (room.Watch, error)
	free    func() int64
	senders []Sender
	log     *slog.Logger
	now     func() time.Time
	// seen is since when a finding has been there that must last.
	seen map[[2]string]time.Time
}

// New makes a watchman. free tells the bytes free for the ledger, negative where
// that cannot be told; now is nil for time.Now.
func New(cfg Config, l *ledger.Ledger, watch func(context.Context) (room.Watch, error), free func() int64, log *slog.Logger, now func() time.Time) *Watchman {
	if now == nil {
		now = time.Now
	}
	w := &Watchman{cfg: cfg, ledger: l, room: watch, free: free, log: log, now: now, seen: map[[2]string]time.Time{}}
	if cfg.Webhook.URL != "" {
		w.senders = append(w.senders, newHook(cfg.Webhook))
	}
	if cfg.Mail.Server != "" {
		w.senders = append(w.senders, newMailer(cfg.Mail))
	}
	return w
}

// Run looks until ctx ends. The first look comes a while after the start, when
// the branches have had the time to connect.
func (w *Watchman) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := w.Look(ctx); err != nil && ctx.Err() == nil {
			w.log.Warn("alerts are not looked at", "err", err)
		}
	}
}

// Look goes through the rules once, keeps what it finds and tells it.
func (w *Watchman) Look(ctx context.Context) error {
	watch, err := w.room(ctx)
	if err != nil {
		return err
	}
	known, err := w.ledger.Alerts(ctx)
	if err != nil {
		return err
	}
	now := w.now()
	found := w.lasting(known, w.cfg.Rules.findings(&watch, w.free(), now), now)
	all, changed := compare(known, found, now)
	m := w.message(all, now)
	if err := w.keep(ctx, changed, now); err != nil {
		return err
	}
	if len(m.New)+len(m.Still)+len(m.Over) == 0 || len(w.senders) == 0 {
		return nil
	}
	if !w.tell(ctx, m) {
		return nil // told to nobody: the next look tries again
	}
	var told []ledger.Alert
	for _, a := range slices.Concat(m.New, m.Still, m.Over) {
		a.ToldAt = now
		told = append(told, a)
	}
	return w.keep(ctx, told, now)
}

// lasting leaves out what has not been there for long enough. What is known to be
// wrong has been.
func (w *Watchman) lasting(known []ledger.Alert, all []finding, now time.Time) []finding {
	there, wrong := map[[2]string]bool{}, map[[2]string]bool{}
	for _, a := range known {
		wrong[[2]string{a.Rule, a.Branch}] = a.EndedAt.IsZero()
	}
	all = slices.DeleteFunc(all, func(f finding) bool {
		if f.lasts == 0 {
			return false
		}
		key := [2]string{f.rule, f.branch}
		there[key] = true
		if _, ok := w.seen[key]; !ok {
			w.seen[key] = now
		}
		return !wrong[key] && now.Sub(w.seen[key]) < f.lasts
	})
	for key := range w.seen {
		if !there[key] {
			delete(w.seen, key)
		}
	}
	return all
}

// compare brings what is known up to date, and gives what of it has changed: what
// is new, said otherwise or over.
func compare(known []ledger.Alert, found []finding, now time.Time) (all, changed []ledger.Alert) {
	is := map[[2]string]finding{}
	for _, f := range found {
		is[[2]string{f.rule, f.branch}] = f
	}
	for i := range known {
		a := &known[i]
		f, wrong := is[[2]string{a.Rule, a.Branch}]
		delete(is, [2]string{a.Rule, a.Branch})
		switch {
		case wrong && !a.EndedAt.IsZero():
			*a = ledger.Alert{Rule: f.rule, Branch: f.branch, Text: f.text, Since: now}
		case wrong && a.Text != f.text:
			a.Text = f.text
		case !wrong && a.EndedAt.IsZero():
			a.EndedAt = now
		default:
			continue
		}
		changed = append(changed, *a)
	}
	for _, f := range found {
		if _, ok := is[[2]string{f.rule, f.branch}]; ok {
			a := ledger.Alert{Rule: f.rule, Branch: f.branch, Text: f.text, Since: now}
			known, changed = append(known, a), append(changed, a)
		}
	}
	return known, changed
}

// message is what people are to be told now, of what is kept.
func (w *Watchman) message(known []ledger.Alert, now time.Time) (m Message) {
	oldest := now
	for _, a := range known {
		switch {
		case a.EndedAt.IsZero() && a.ToldAt.IsZero():
			m.New = append(m.New, a)
			if a.Since.Before(oldest) {
				oldest = a.Since
			}
		case a.EndedAt.IsZero() && now.Sub(a.ToldAt) >= w.cfg.Repeat:
			m.Still = append(m.Still, a)
		case !a.EndedAt.IsZero() && !a.ToldAt.IsZero() && a.ToldAt.Before(a.EndedAt):
			m.Over = append(m.Over, a)
		}
	}
	if len(m.New) > 0 && now.Sub(oldest) < w.cfg.Gather {
		m.New = nil // more may come
	}
	return m
}

func (w *Watchman) keep(ctx context.Context, changed []ledger.Alert, now time.Time) error {
	if len(changed) == 0 {
		return nil
	}
	return w.ledger.Write(ctx, func(tx *ledger.Tx) error {
		for _, a := range changed {
			if err := tx.SetAlert(a); err != nil {
				return err
			}
		}
		return tx.ForgetAlerts(now.Add(-keptFor))
	})
}

// tell tells everybody, and whether anybody has taken it.
func (w *Watchman) tell(ctx context.Context, m Message) (told bool) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, s := range w.senders {
		if err := s.Send(ctx, m); err != nil {
			w.log.Error("an alert could not be sent", "to", s.Name(), "err", err)
			continue
		}
		told = true
	}
	return told
}
