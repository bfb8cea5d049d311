// Package alert tells people who do not look at the control room that something
// is wrong: rules in the configuration, looked at every half minute, and messages
// to a web hook and by mail. Many that come together are one message; what goes
// on is told again after a while; what is over is told once.
package alert

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"branchline/hub/room"
	"branchline/internal/conf"
	"branchline/internal/ui"
)

// Rules say what is wrong; a rule of 0 is not looked at.
type Rules struct {
	// Silent is for how long a branch may be away while it is open.
	Silent time.Duration `yaml:"silent"`
	// Unsent is how old the oldest movement may be that a branch has kept.
	Unsent time.Duration `yaml:"unsent"`
	// Exceptions is for how long a movement may wait for a person.
	Exceptions time.Duration `yaml:"exceptions"`
	// Odoo is for how long it may not answer, or posting stand still.
	Odoo time.Duration `yaml:"odoo"`
	// Clock is by how much a branch's clock may be wrong.
	Clock time.Duration `yaml:"clock"`
	// Said tells what a branch itself wants looked at, when it has said so for
	// this long.
	Said time.Duration `yaml:"said"`
	// Identity is for how long something may be wrong with who proves to be a
	// branch: a copied disk, a certificate that is not renewed, many wrong codes.
	Identity time.Duration `yaml:"identity"`
	// Reconciliation is for how long a branch and Odoo may be otherwise.
	Reconciliation time.Duration `yaml:"reconciliation"`
	// Transfers is for how long goods may be on their way from branch to branch.
	Transfers time.Duration `yaml:"transfers"`
	// LowStock is for how long a branch may have too little of something, Expiring for
	// how long something may be about to expire.
	LowStock time.Duration `yaml:"low_stock"`
	Expiring time.Duration `yaml:"expiring"`
	// DiskFree is how many bytes must be free where the ledger is.
	DiskFree Size `yaml:"disk_free"`
}

// DefaultRules are for a chain whose branches are open by day.
func DefaultRules() Rules {
	return Rules{Silent: 30 * time.Minute, Unsent: 2 * time.Hour, Exceptions: 24 * time.Hour, Odoo: 15 * time.Minute,
		Clock: 5 * time.Minute, Said: 15 * time.Minute, Identity: time.Minute, Reconciliation: 24 * time.Hour, Transfers: 7 * 24 * time.Hour, LowStock: time.Hour, DiskFree: 2 << 30}
}

// Validate names the setting and its value.
func (r *Rules) Validate() error {
	for _, d := range []struct {
		name string
		v    time.Duration
	}{{"silent", r.Silent}, {"unsent", r.Unsent}, {"exceptions", r.Exceptions}, {"odoo", r.Odoo}, {"clock", r.Clock}, {"said", r.Said}, {"identity", r.Identity}, {"reconciliation", r.Reconciliation}, {"transfers", r.Transfers}, {"low_stock", r.LowStock}, {"expiring", r.Expiring}} {
		if d.v != 0 && d.v < time.Second || d.v > 366*24*time.Hour {
			return conf.Bad(d.name, d.v, "must be 1s to 8784h, or 0 for never")
		}
	}
	return nil
}

// The rules by name, as they are stored, sent and shown.
const (
	Silent     = "silent"
	Unsent     = "unsent"
	Exceptions = "exceptions"
	Odoo       = "odoo"
	Clock      = "clock"
	Said       = "said"
	Identity   = "identity"
	Disk       = "disk"

	Reconciliation = "reconciliation"
	Transfers      = "transfers"
	LowStock       = "low_stock"
	Expiring       = "expiring"
)

// finding is what a rule finds wrong at a moment. A finding that must last before
// it counts has the time in lasts.
type finding struct {
	rule, branch, text string
	lasts              time.Duration
}

// findings looks at everything once. free is what is free on the ledger's disk,
// negative where that cannot be told.
func (r *Rules) findings(w *room.Watch, free int64, now time.Time) (all []finding) {
	for i := range w.Branches {
		all = append(all, r.atBranch(&w.Branches[i], now)...)
	}
	if r.Odoo > 0 {
		switch {
		case w.Halted != "" && now.Sub(w.HaltedSince) >= r.Odoo:
			all = append(all, finding{rule: Odoo, text: "posting to Odoo stands still since " + stamp(w.HaltedSince, now, time.UTC) + ": " + w.Halted})
		case !w.OdooAway.IsZero() && now.Sub(w.OdooAway) >= r.Odoo:
			all = append(all, finding{rule: Odoo, text: "Odoo does not answer since " + stamp(w.OdooAway, now, time.UTC) + "; movements wait at the hub"})
		}
	}
	if r.Identity > 0 {
		for _, said := range w.Identity {
			all = append(all, finding{rule: Identity, text: said, lasts: r.Identity})
		}
	}
	if r.DiskFree > 0 && free >= 0 && free < int64(r.DiskFree) {
		all = append(all, finding{rule: Disk, text: fmt.Sprintf("only %s are free on the disk of the ledger; when it is full the branches keep what they record", Size(free))})
	}
	return all
}

func (r *Rules) atBranch(b *room.Watched, now time.Time) (all []finding) {
	name := b.Code
	if b.Name != "" {
		name += " " + b.Name
	}
	add := func(rule string, lasts time.Duration, format string, args ...any) {
		all = append(all, finding{rule, b.Code, name + ": " + fmt.Sprintf(format, args...), lasts})
	}
	if open, always := b.Hours.OpenFor(now.In(b.Zone)); r.Silent > 0 && !b.Connected && (always || open >= r.Silent) && now.Sub(b.Since) >= r.Silent {
		if b.Since.IsZero() {
			add(Silent, r.Silent, "was never heard of")
		} else {
			add(Silent, 0, "silent since %s, though it is open", stamp(b.Since, now, b.Zone))
		}
	}
	if r.Unsent > 0 && !b.OldestUnsent.IsZero() && now.Sub(b.OldestUnsent) >= r.Unsent {
		add(Unsent, 0, "keeps movements since %s that the hub does not have", stamp(b.OldestUnsent, now, b.Zone))
	}
	if r.Exceptions > 0 && !b.OldestException.IsZero() && now.Sub(b.OldestException) >= r.Exceptions {
		add(Exceptions, 0, "%s for a person, the oldest since %s", waits(b.Exceptions), stamp(b.OldestException, now, b.Zone))
	}
	if off := b.ClockAhead; r.Clock > 0 && (off >= r.Clock || off <= -r.Clock) {
		way := "ahead"
		if off < 0 {
			off, way = -off, "behind"
		}
		add(Clock, 0, "its clock is %s %s", ui.Ago(off), way)
	}
	if r.Said > 0 && len(b.Said) > 0 {
		said := slices.Clone(b.Said)
		slices.Sort(said)
		add(Said, r.Said, "says: %s", strings.Join(said, "; "))
	}
	if r.Identity > 0 && len(b.Identity) > 0 {
		add(Identity, r.Identity, "%s", strings.Join(b.Identity, "; "))
	}
	if r.Reconciliation > 0 && !b.OtherwiseSince.IsZero() && now.Sub(b.OtherwiseSince) >= r.Reconciliation {
		add(Reconciliation, 0, "it and Odoo are not equal since %s: %s, see the page Reconciliation", stamp(b.OtherwiseSince, now, b.Zone), differences(b.Differences))
	}
	if late := b.Late(now.Add(-r.Transfers)); r.Transfers > 0 && len(late) > 0 {
		add(Transfers, 0, "what was sent and what was taken in are not equal: %s; branchline-hub transfers tells the lines", named(late))
	}
	if r.LowStock > 0 && len(b.Low) > 0 {
		add(LowStock, r.LowStock, "runs low of %s, see the page Replenishment", named(b.Low))
	}
	if r.Expiring > 0 && len(b.Expiring) > 0 {
		add(Expiring, r.Expiring, "has stock that expires soon: %s, see the page Replenishment", named(b.Expiring))
	}
	return all
}

// maxNamed bounds how many things a message names.
const maxNamed = 3

func named(all []string) string {
	text := strings.Join(all[:min(len(all), maxNamed)], ", ")
	if n := len(all) - maxNamed; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

func differences(n int64) string {
	if n == 1 {
		return "1 difference"
	}
	return fmt.Sprintf("%d differences", n)
}

func waits(n int64) string {
	if n == 1 {
		return "1 movement waits"
	}
	return fmt.Sprintf("%d movements wait", n)
}

// stamp is a moment in the branch's time.
func stamp(t, now time.Time, zone *time.Location) string { return ui.Clock(t.In(zone), now.In(zone)) }
