package plan

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// branch plans one branch and tells when to come again.
func (r *Runner) branch(ctx context.Context, branch string, work []ledger.PendingWork) (next time.Time, err error) {
	if !r.cfg.serves(branch) {
		// Its documents in Odoo are not looked for either, after a restore, so
		// what waits could have been posted.
		r.alarm(branch, []string{fmt.Sprintf("%s: movements wait and the branch is not in the hub's configuration; put it back there until they are posted", branch)})
		return time.Time{}, nil
	}
	code, loc := r.cfg.site(branch)
	warehouse, places, ok := r.master.Site(code)
	if !ok {
		_ = r.refresh(ctx) // it tells by itself
		if warehouse, places, ok = r.master.Site(code); !ok {
			r.alarm(branch, []string{fmt.Sprintf("%s: Odoo has no warehouse with the code %q; make it, or name the branch's warehouse in the hub's configuration", branch, code)})
			return r.clock().Add(r.cfg.MissInterval), nil
		}
	}
	p := r.pace(branch)
	v := visit{waiting: map[string]int{}, waits: map[movement.Kind]bool{}, passed: map[movement.Kind]bool{}}
	for idle := 0; ; {
		in := Input{Now: r.clock(), Branch: Branch{Code: branch, Zone: loc, Warehouse: warehouse, Places: places},
			Settings: r.cfg.Settings, Catalogue: r.master, Since: p.since}
		full, at, err := r.gather(ctx, &in, p, &v, work)
		next = earlier(next, at)
		if err != nil {
			return next, err
		}
		idle++
		if len(in.Pending) > 0 {
			aliases := r.master.AliasGeneration() // before they are used
			if in.Transfers, err = r.transfers(ctx, &in); err != nil {
				return next, err
			}
			out, err := r.decide(ctx, &in)
			if err != nil {
				return next, err
			}
			if len(in.Transfers) > 0 {
				out, err = r.applyBoxes(ctx, &in, out, aliases)
			} else {
				err = r.apply(ctx, &in, out, aliases)
			}
			if err != nil {
				return next, err
			}
			v.add(p, &in, out)
			if len(out.Postings)+len(out.Refused) > 0 {
				idle = 0
			}
		}
		if !full || idle >= maxIdle {
			return earlier(next, r.settle(p, branch, v)), nil
		}
		if work, err = r.again(ctx, branch); err != nil {
			return next, err
		}
	}
}

// visit is what the looks of one visit to a branch came to.
type visit struct {
	// now is when the last of them was, zero when there was nothing to look at.
	now time.Time
	// passed are the kinds whose loose movements have been looked at to the
	// end, groupsPassed that all groups have.
	passed       map[movement.Kind]bool
	groupsPassed bool
	// waiting counts what waits, by what for; waits are the kinds of it.
	waiting map[string]int
	waits   map[movement.Kind]bool
	again   time.Time
	alarms  []string
}

func (v *visit) add(p *pace, in *Input, out Output) {
	v.now = in.Now
	waits := false
	for what, n := range out.Waiting {
		v.waiting[what] += n
		waits = waits || what != WaitWindow
	}
	if waits {
		for i := range in.Pending {
			v.waits[in.Pending[i].Kind] = true
		}
	}
	for i := range out.Postings {
		p.since[out.Postings[i].Kind] = in.Now
	}
	v.again = earlier(v.again, out.Again)
	for _, a := range out.Alarms {
		if !slices.Contains(v.alarms, a) {
			v.alarms = append(v.alarms, a)
		}
	}
}

func (r *Runner) again(ctx context.Context, branch string) ([]ledger.PendingWork, error) {
	all, err := r.ledger.PendingWork(ctx)
	var own []ledger.PendingWork
	for _, w := range all {
		if w.Branch == branch {
			own = append(own, w)
		}
	}
	return own, err
}

// gather reads what is due. full says that there is more than one look takes.
func (r *Runner) gather(ctx context.Context, in *Input, p *pace, v *visit, work []ledger.PendingWork) (full bool, next time.Time, err error) {
	branch, grouped := in.Branch.Code, false
	var later []movement.Kind // not to be planned now, but may bring lots
	for _, w := range work {
		grouped = grouped || w.Grouped > 0
		if w.Loose == 0 {
			delete(p.since, w.Kind)
			continue
		}
		if v.passed[w.Kind] {
			if slices.Contains(r.cfg.NewLotsOn, w.Kind) {
				later = append(later, w.Kind)
			}
			continue
		}
		if p.since[w.Kind].IsZero() {
			p.since[w.Kind] = in.Now
		}
		if at := r.dueAt(w, p); at.After(in.Now) {
			next = earlier(next, at)
			if slices.Contains(r.cfg.NewLotsOn, w.Kind) {
				later = append(later, w.Kind)
			}
			continue
		}
		loose, err := r.ledger.PendingLoose(ctx, branch, w.Kind, p.looseAfter[w.Kind], r.maxLoose)
		if err != nil {
			return false, next, err
		}
		if len(loose) == r.maxLoose {
			full, p.looseAfter[w.Kind] = true, loose[r.maxLoose-1].ID
		} else {
			v.passed[w.Kind] = true
			delete(p.looseAfter, w.Kind)
		}
		in.Pending = append(in.Pending, loose...)
	}
	groupsDue := !p.group.After(in.Now)
	if grouped && !groupsDue {
		next = earlier(next, p.group)
	}
	again := grouped && v.groupsPassed
	if grouped && (groupsDue || len(in.Pending) > 0) && !again {
		more, at, err := r.gatherGroups(ctx, in, p)
		if err != nil {
			return false, next, err
		}
		v.groupsPassed = !more
		full, next = full || more, earlier(next, at)
	}
	if len(in.Pending) == 0 {
		return full, next, nil
	}
	if err := r.elsewhere(ctx, in, later, again, work); err != nil {
		return false, next, err
	}
	if in.Open, err = r.ledger.OpenPostings(ctx, branch, time.Time{}, maxOpen); err != nil {
		return false, next, err
	}
	if in.Released, err = r.ledger.Released(ctx, branch); err != nil {
		return false, next, err
	}
	return full, next, nil
}

// elsewhere reads what may bring lots and is not to be planned now, and tells
// whether there is more of it.
func (r *Runner) elsewhere(ctx context.Context, in *Input, later []movement.Kind, groups bool, work []ledger.PendingWork) error {
	for _, kind := range later {
		loose, err := r.ledger.PendingLoose(ctx, in.Branch.Code, kind, 0, r.maxLoose)
		if err != nil {
			return err
		}
		in.Elsewhere = append(in.Elsewhere, loose...)
	}
	if groups {
		none, ever := time.Time{}, time.UnixMilli(math.MaxInt64) // so that none has been silent for too long
		coming, err := r.ledger.ComingGroups(ctx, in.Branch.Code, none, ever, maxGroups)
		if err != nil {
			return err
		}
		due, err := r.ledger.DueGroups(ctx, in.Branch.Code, none, ever, 0, maxGroups)
		if err != nil {
			return err
		}
		if in.Elsewhere, err = r.members(ctx, append(due, coming...), in.Elsewhere); err != nil {
			return err
		}
	}
	unseen := map[movement.Kind]int64{}
	for _, w := range work {
		unseen[w.Kind] = w.Loose + w.Grouped
	}
	for _, seen := range [][]ledger.Movement{in.Pending, in.Elsewhere} {
		for i := range seen {
			unseen[seen[i].Kind]--
		}
	}
	in.MoreLots = slices.ContainsFunc(r.cfg.NewLotsOn, func(k movement.Kind) bool { return unseen[k] > 0 })
	return nil
}

// dueAt is when loose movements of a kind are worth a look.
func (r *Runner) dueAt(w ledger.PendingWork, p *pace) time.Time {
	if at := p.next[w.Kind]; at.After(r.clock()) {
		return at
	}
	if w.Kind == movement.Receipt || w.Kind == movement.Count || w.Loose >= int64(r.cfg.Movements) {
		return time.Time{}
	}
	since := p.since[w.Kind]
	if w.Oldest.Before(since) {
		since = w.Oldest
	}
	return since.Add(r.cfg.Every)
}

func (r *Runner) gatherGroups(ctx context.Context, in *Input, p *pace) (full bool, next time.Time, err error) {
	quiet := in.Now.Add(-r.cfg.GroupPatience)
	// What has come later than a clock that is right can have said is not waited
	// for; one that was set back by less than the patience is right enough.
	latest := in.Now.Add(r.cfg.GroupPatience)
	due, err := r.ledger.DueGroups(ctx, in.Branch.Code, quiet, latest, p.groupAfter, maxGroups)
	if err != nil {
		return false, next, err
	}
	p.groupAfter = 0
	if full = len(due) == maxGroups; full {
		p.groupAfter = due[maxGroups-1].ID
	}
	for _, g := range due {
		if g.Come < g.Size {
			r.log.Warn("a group stays incomplete and is planned as far as it came", "branch", g.Branch, "group", g.Name, "size", g.Size, "come", g.Come)
		}
	}
	coming, err := r.ledger.ComingGroups(ctx, in.Branch.Code, quiet, latest, maxGroups)
	if err != nil {
		return false, next, err
	}
	for _, g := range coming {
		next = earlier(next, g.LastAt.Add(r.cfg.GroupPatience))
	}
	if in.Pending, err = r.members(ctx, due, in.Pending); err != nil {
		return false, next, err
	}
	in.Elsewhere, err = r.members(ctx, coming, in.Elsewhere)
	return full, next, err
}

// members appends the groups' pending movements to all.
func (r *Runner) members(ctx context.Context, groups []ledger.Group, all []ledger.Movement) ([]ledger.Movement, error) {
	for _, g := range groups {
		members, err := r.ledger.GroupMembers(ctx, g.ID)
		if err != nil {
			return all, err
		}
		for _, m := range members {
			if m.State == ledger.Pending {
				all = append(all, m)
			}
		}
	}
	return all, nil
}

// decide plans, and once more when the catalogue had to be asked for more.
func (r *Runner) decide(ctx context.Context, in *Input) (_ Output, err error) {
	if slices.ContainsFunc(in.Pending, func(m ledger.Movement) bool { return m.Kind == movement.Receipt && m.Document.Type == docOrder }) {
		in.Receipts, in.ReceiptsKnown = r.openReceipts(ctx, in)
	}
	began := r.clock()
	defer func() { r.metrics.took.Observe(r.clock().Sub(began).Seconds()) }()
	out := Plan(*in)
	if out.Missing {
		if out, err = r.lookAgain(ctx, in, out); err != nil {
			return out, err
		}
	}
	if len(out.StockOf) > 0 {
		if stock, ok := r.stockOf(ctx, in, out.StockOf); ok {
			in.Stock = append([]odoo.OnHand{}, stock...)
			out = Plan(*in)
		}
		if out.Missing {
			return r.lookAgain(ctx, in, out)
		}
	}
	return out, ctx.Err()
}

// lookAgain plans once more with a fresher catalogue, where that is due.
func (r *Runner) lookAgain(ctx context.Context, in *Input, out Output) (_ Output, err error) {
	// A lot that the catalogue lacks may have come with goods that were posted
	// after it was read.
	in.Brought, err = r.ledger.LastBrought(ctx)
	if err != nil {
		return out, err
	}
	if in.Brought.After(in.Now) {
		// It was before, by a clock that was ahead: what is read from this look on
		// has it.
		in.Brought = in.Now.Add(-time.Millisecond)
	}
	if !r.fresh(in) {
		if err := r.refresh(ctx); err != nil {
			return out, ctx.Err()
		}
	}
	if in.MissingIsFinal = r.fresh(in); in.MissingIsFinal {
		out = Plan(*in)
	}
	return out, ctx.Err()
}

func (r *Runner) openReceipts(ctx context.Context, in *Input) (all []odoo.Receipt, ok bool) {
	ok = r.ask(ctx, in, "open receipts cannot be read from Odoo; receipts wait", func(ctx context.Context) (err error) {
		all, err = r.odoo.OpenReceipts(ctx, in.Branch.Warehouse)
		return err
	})
	return all, ok
}

func (r *Runner) stockOf(ctx context.Context, in *Input, products []int64) (all []odoo.OnHand, ok bool) {
	ok = r.ask(ctx, in, "the stock cannot be read from Odoo; what has no lot waits", func(ctx context.Context) (err error) {
		all, err = r.odoo.StockOf(ctx, in.Branch.Warehouse.StockID, products)
		return err
	})
	return all, ok
}

// ask asks Odoo itself. While it does not answer, only one branch asks in a while,
// so that the others' plans do not wait for it.
func (r *Runner) ask(ctx context.Context, in *Input, trouble string, question func(context.Context) error) bool {
	r.misses.Lock()
	away := in.Now.Before(r.awayUntil)
	r.misses.Unlock()
	if away {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	err := question(ctx)
	if err != nil {
		r.misses.Lock()
		r.awayUntil = r.clock().Add(2 * r.cfg.Recheck)
		r.misses.Unlock()
		r.log.Warn(trouble, "branch", in.Branch.Code, "err", err)
	}
	return err == nil
}

// fresh tells whether what the catalogue does not know now is unknown to Odoo:
// it was read a moment ago, and after the last goods were posted.
func (r *Runner) fresh(in *Input) bool {
	asOf := r.master.AsOf()
	return in.Now.Sub(asOf) < r.cfg.MissInterval && asOf.After(in.Brought)
}

// apply makes the postings, unless codes mean something else than by the
// generation of aliases that they were planned by, and the refusals.
func (r *Runner) apply(ctx context.Context, in *Input, out Output, aliases int64) error {
	for i := range out.Postings {
		p := &out.Postings[i]
		p.Body.Aliases = aliases
		body, err := p.Body.Encode()
		if err != nil {
			return err
		}
		name := ledger.PostingName(p.Kind, ledger.RunsOf(p.Names))
		_, err = r.ledger.CreatePosting(ctx, ledger.NewPosting{Name: name, Branch: in.Branch.Code, Kind: p.Kind,
			Document: p.Document, Body: body, Movements: p.IDs, Aliases: aliases}, in.Now)
		if errors.Is(err, ledger.ErrNotPending) {
			continue // decided otherwise meanwhile; the next plan sees it
		}
		if err != nil {
			return err
		}
		r.metrics.planned(p)
		r.log.Debug("posting planned", "branch", in.Branch.Code, "posting", name, "movements", len(p.IDs), "lines", len(p.Body.Lines))
	}
	if len(out.Refused) == 0 {
		return nil
	}
	for i := range out.Refused {
		out.Refused[i].Aliases = aliases
	}
	err := r.ledger.Refuse(ctx, out.Refused, in.Now)
	if errors.Is(err, ledger.ErrAliasesChanged) {
		return nil // as above
	}
	if errors.Is(err, ledger.ErrNotPending) {
		err = r.refuseEach(ctx, out.Refused, in.Now)
	}
	if err == nil {
		r.metrics.refused(out.Refused)
	}
	return err
}

// refuseEach passes over those that are no longer pending.
func (r *Runner) refuseEach(ctx context.Context, all []ledger.Refusal, at time.Time) error {
	for i := range all {
		err := r.ledger.Refuse(ctx, all[i:i+1], at)
		if err != nil && !errors.Is(err, ledger.ErrNotPending) {
			return err
		}
	}
	return nil
}

// settle remembers when what waits is looked at again.
func (r *Runner) settle(p *pace, branch string, v visit) (next time.Time) {
	if v.now.IsZero() {
		return time.Time{}
	}
	r.alarm(branch, v.alarms)
	r.metrics.waits(branch, v.waiting)
	p.group = time.Time{}
	clear(p.next)
	if len(v.waits) == 0 {
		return v.again
	}
	at := v.now.Add(r.cfg.Recheck)
	p.group = at
	for kind := range v.waits {
		p.next[kind] = at
	}
	return earlier(v.again, at)
}

var _ Odoo = (*odoo.Client)(nil)
