package projection_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

func projector(l *ledger.Ledger) *projection.Projector {
	return projection.New(l, slog.New(slog.DiscardHandler), nil)
}

// history plays what branches, planner, poster and people do.
type history struct {
	*rapid.T
	l       *ledger.Ledger
	p       *projection.Projector
	senders []*ledgertest.Sender
	names   int
	keyed   [][]byte // records that have a natural key
}

func draw[V any](h *history, g *rapid.Generator[V], label string) V { return g.Draw(h.T, label) }

func (h *history) must(err error) {
	if err != nil {
		h.Helper()
		h.Fatal(err)
	}
}

func (h *history) at() time.Time {
	return ledgertest.Noon.Add(time.Duration(draw(h, rapid.IntRange(-9, 9), "minutes")) * time.Minute)
}

// record makes anything that may stand in a batch. Few products, lots, keys and
// groups make them meet.
func (h *history) record() []byte {
	if draw(h, rapid.IntRange(0, 19), "garbage") == 0 {
		return []byte(draw(h, rapid.SampledFrom([]string{"{}", `{"v":9}`, "?", `{"v":1,"group":{"id":"g1","size":2}}`}), "what"))
	}
	if len(h.keyed) > 0 && draw(h, rapid.IntRange(0, 3), "again") == 0 {
		return draw(h, rapid.SampledFrom(h.keyed), "the same event")
	}
	m := ledgertest.Movement(draw(h, rapid.SampledFrom(movement.Kinds), "kind"), int64(draw(h, rapid.IntRange(1, 3), "n")))
	m.Product.Code = fmt.Sprintf("0401234567890%d", draw(h, rapid.IntRange(1, 2), "product"))
	m.Lot = draw(h, rapid.SampledFrom([]string{"", "A", "B"}), "lot")
	m.Expiry.UnmarshalText([]byte(draw(h, rapid.SampledFrom([]string{"", "2027-01-31", "2027-02-28"}), "expiry")))
	m.OccurredAt = h.at()
	if m.Kind == movement.Adjustment && draw(h, rapid.Bool(), "less") {
		m.Quantity = -m.Quantity
	}
	if k := draw(h, rapid.IntRange(0, 12), "key"); k < 6 {
		m.NaturalKey = fmt.Sprintf("key%d", k)
	}
	if g := draw(h, rapid.IntRange(0, 9), "group"); g < 3 {
		m.Group = movement.Group{ID: fmt.Sprintf("g%d", g), Size: draw(h, rapid.IntRange(1, 3), "size")}
	}
	if k := draw(h, rapid.IntRange(0, 30), "settles"); k < 6 && m.NaturalKey != fmt.Sprintf("key%d", k) {
		m.Settles, m.By = movement.Settlement{Key: fmt.Sprintf("key%d", k), Why: "seen", Dismissed: draw(h, rapid.Bool(), "dismissed")}, "AB"
		if m.Settles.Dismissed {
			m.Kind, m.Product, m.Quantity, m.Counterpart = "", movement.Product{}, 0, ""
		}
		return m.AppendJSON(nil)
	}
	switch draw(h, rapid.IntRange(0, 14), "problem") {
	case 0:
		m.Problem = &movement.Problem{Code: "expired", Text: "the pack has expired"}
	case 1:
		m.Problem = &movement.Problem{Code: "not_gs1", Text: "cannot be read"}
		m.Product, m.Kind, m.Quantity = movement.Product{}, "", 0
	case 2, 3: // a bad row, of a key that may come as itself
		m.Problem = &movement.Problem{Code: "unknown_unit", Text: "the unit is not known"}
		m.Quantity = 0
		if m.NaturalKey != "" {
			m.NaturalKey = movement.BadRowKey(m.NaturalKey, bytes.Repeat([]byte{byte(draw(h, rapid.IntRange(0, 2), "sum"))}, 8))
		}
	}
	record := m.AppendJSON(nil)
	if m.NaturalKey != "" {
		h.keyed = append(h.keyed, record)
	}
	return record
}

func (h *history) arrive() {
	s := draw(h, rapid.SampledFrom(h.senders), "stream")
	var records [][]byte
	for range draw(h, rapid.IntRange(1, 6), "records") {
		records = append(records, h.record())
	}
	if draw(h, rapid.IntRange(0, 9), "lost") == 0 {
		// The branch has lost some: the hub's cursor stays, theirs goes on.
		before := s.At
		s.Batch(h.T, h.record(), h.record())
		a := s.Batch(h.T, records...)
		a.After, a.Lost, a.ReceivedAt = before, true, h.at()
		h.must(h.l.Commit(h.Context(), a))
		return
	}
	a := s.Batch(h.T, records...)
	a.ReceivedAt = h.at()
	h.must(h.l.Commit(h.Context(), a))
}

// plan takes some of what is pending into a posting, and refuses some.
func (h *history) plan() {
	work, err := h.l.PendingWork(h.Context())
	h.must(err)
	if len(work) == 0 {
		return
	}
	w := draw(h, rapid.SampledFrom(work), "work")
	pending, err := h.l.PendingLoose(h.Context(), w.Branch, w.Kind, 0, 10)
	h.must(err)
	aliases, err := h.l.AliasGeneration(h.Context())
	h.must(err)
	var ids []ledger.MovementID
	for _, m := range pending {
		switch draw(h, rapid.IntRange(0, 3), "take") {
		case 0:
			h.must(h.l.Refuse(h.Context(), []ledger.Refusal{{Movement: m.ID, Stage: "plan",
				Reason: ledger.ReasonUnknownProduct, Text: "unknown", Hint: "map it", Aliases: aliases}}, h.at()))
		case 1, 2:
			ids = append(ids, m.ID)
		}
	}
	if len(ids) == 0 {
		return
	}
	h.names++
	_, err = h.l.CreatePosting(h.Context(), ledger.NewPosting{Name: fmt.Sprintf("P%d", h.names), Branch: w.Branch,
		Kind: w.Kind, Movements: ids, Aliases: aliases}, h.at())
	if errors.Is(err, ledger.ErrNotPending) { // something is to be looked at again first
		return
	}
	h.must(err)
}

func (h *history) post() {
	branches, err := h.l.BranchesWithPostings(h.Context())
	h.must(err)
	if len(branches) == 0 {
		return
	}
	open, err := h.l.OpenPostings(h.Context(), draw(h, rapid.SampledFrom(branches), "branch"), time.Time{}, 5)
	h.must(err)
	p := draw(h, rapid.SampledFrom(open), "posting")
	c := ledger.PostingChange{At: h.at(), Attempt: ledger.Attempt{At: h.at(), Step: "create"}}
	c.State = draw(h, rapid.SampledFrom([]ledger.PostingState{ledger.PostingBegun, ledger.PostingDone, ledger.PostingSplit,
		ledger.PostingWithdrawn, ledger.PostingRefused}), "state")
	if !c.State.Alive() && c.State != ledger.PostingWithdrawn {
		in, err := h.l.PostingMovements(h.Context(), p.ID)
		h.must(err)
		c.Refused = append(c.Refused, ledger.Refusal{Movement: in[0].ID, Stage: "post", Reason: "odoo_refused", Text: "no"})
		if c.State == ledger.PostingSplit && len(in) > 1 {
			h.names++
			c.Parts = append(c.Parts, ledger.NewPosting{Name: fmt.Sprintf("P%d", h.names), Branch: p.Branch, Kind: p.Kind,
				Movements: []ledger.MovementID{in[1].ID}})
		}
	}
	if _, err = h.l.ChangePosting(h.Context(), p.ID, c); len(c.Parts) == 0 || !errors.Is(err, ledger.ErrNotPending) {
		h.must(err)
	}
}

func (h *history) decide() {
	open, err := h.l.Exceptions(h.Context(), ledger.ExceptionFilter{})
	h.must(err)
	if len(open) == 0 {
		return
	}
	e := draw(h, rapid.SampledFrom(open), "exception")
	if e.Reason == ledger.ReasonUnknownProduct && draw(h, rapid.Bool(), "alias") {
		_, err := h.l.SetAlias(h.Context(), ledger.Alias{Product: e.Product, ProductID: 7, Who: "ann", Why: "same", At: h.at()})
		h.must(err)
		return
	}
	if draw(h, rapid.Bool(), "correct") {
		lot, quantity := draw(h, rapid.SampledFrom([]string{"L1", "L9"}), "lot"), movement.Units(int64(draw(h, rapid.IntRange(1, 3), "quantity")))
		c := ledger.Correction{Lot: &lot, Quantity: &quantity}
		if draw(h, rapid.Bool(), "product") {
			c.Product = &movement.Product{Scheme: movement.SKU, Code: draw(h, rapid.SampledFrom([]string{"X1", "X2"}), "code")}
		}
		err := h.l.Correct(h.Context(), ledger.Correcting{Movement: e.ID, To: c, Who: "ann", Why: "seen", At: h.at()})
		if fault.ClassOf(err) != fault.Data || err == nil {
			h.must(err)
			return
		}
	}
	choice := ledger.Discard
	if e.LastLost == 0 && draw(h, rapid.Bool(), "retry") {
		choice = ledger.Retry
	}
	n, err := h.l.Decide(h.Context(), ledger.Decision{Choice: choice, Movements: []ledger.MovementID{e.ID},
		Who: "ann", Why: "seen", At: h.at()})
	if choice == ledger.Retry && fault.CodeOf(err) == "not_retryable" {
		return
	}
	h.must(err)
	if n != 1 {
		h.Fatalf("decided %d", n)
	}
}

// adopt finds a document in Odoo with movements that the ledger may or may not
// have already.
func (h *history) adopt() {
	s := draw(h, rapid.SampledFrom(h.senders), "stream")
	first := uint64(draw(h, rapid.IntRange(1, int(s.At.Through)+4), "first"))
	// What is in one document is in no other.
	for b, err := range h.l.Covering(h.Context(), s.Stream, first, first) {
		h.must(err)
		m, err := h.l.Movement(h.Context(), ledger.MakeID(b.StreamID, first))
		if err == nil && m.State == ledger.Posted {
			return
		}
	}
	h.names++
	_, err := h.l.Adopt(h.Context(), ledger.Adopted{New: ledger.NewPosting{Name: fmt.Sprintf("P%d", h.names), Branch: s.Branch,
		Kind: movement.Dispense}, Odoo: ledger.OdooRef{Model: "stock.picking", ID: int64(h.names)},
		Runs: []ledger.Run{{Stream: s.Stream, First: first, Last: first}}, At: h.at()})
	h.must(err)
}

// However the work was cut, interleaved with postings, refusals and decisions:
// building all derived tables again gives exactly the same.
func TestRebuildGivesTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l, err := ledger.Open(rt.Context(), ledger.Config{Path: ledgertest.Address(t), NoSync: true}, slog.New(slog.DiscardHandler))
		if err != nil {
			rt.Fatal(err)
		}
		defer func() {
			if err := l.Close(); err != nil {
				rt.Error(err)
			}
		}()
		h := &history{T: rt, l: l, p: projector(l)}
		for _, b := range []string{"BR01", "BR02"} {
			h.senders = append(h.senders, ledgertest.NewSender(b, "aaaaaaaaaaaa", movement.Live),
				ledgertest.NewSender(b, "aaaaaaaaaaaa", movement.Bulk))
		}
		actions := []func(){h.arrive, h.arrive, h.arrive, func() { h.must(h.p.CatchUp(h.Context())) }, h.plan, h.plan, h.post,
			h.decide, h.adopt}
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			actions[rapid.IntRange(0, len(actions)-1).Draw(rt, "action")]()
		}
		h.must(h.p.CatchUp(h.Context()))
		before := ledgertest.Dump(rt, l)
		h.must(h.p.Rebuild(h.Context()))
		if diff := cmp.Diff(before, ledgertest.Dump(rt, l)); diff != "" {
			rt.Fatalf("rebuilt otherwise (- before, + rebuilt):\n%s", diff)
		}
		checkStock(h)
	})
}

// checkStock holds the implied stock against all movements that count.
func checkStock(h *history) {
	var fresh []ledger.Stock
	for _, b := range []string{"BR01", "BR02"} {
		s, err := h.l.BranchStock(h.Context(), b)
		h.must(err)
		fresh = append(fresh, s...)
	}
	for _, s := range fresh {
		if s.OnHand != s.CameIn-s.WentOut && s.CountedAt.IsZero() {
			h.Fatalf("%+v: on hand is not what came in less what went out", s)
		}
	}
}
