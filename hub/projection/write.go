package projection

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"branchline/hub/ledger"
	"branchline/internal/killpoint"
	"branchline/internal/movement"
)

// write projects a chunk in one transaction, together with the cursor.
func (p *Projector) write(ctx context.Context, c *chunk) error {
	err := p.l.WriteBulk(ctx, func(tx *ledger.Tx) error {
		if ok, err := tx.AdvanceProjection(c.after, c.through); err != nil || !ok {
			return errors.Join(err, errOvertaken)
		}
		w, err := p.newWriting(tx)
		if err != nil {
			return err
		}
		if err := w.chunk(c); err != nil {
			return err
		}
		tx.Tell(ledger.Projected)
		killpoint.Here("projection.before-commit")
		return nil
	})
	if err != nil {
		clear(p.products) // numbers given in what was undone
		clear(p.lots)
		return err
	}
	killpoint.Here("projection.committed")
	for i := range c.batches {
		if b := &c.batches[i]; b.damaged != nil {
			p.log.Error("a batch in the ledger is damaged; its movements are an exception",
				"branch", b.Stream.Branch, "epoch", b.Stream.Epoch, "lane", b.Stream.Lane, "seq", b.First, "err", b.damaged)
		}
	}
	return nil
}

type productKey struct {
	scheme movement.Scheme
	code   string
}

// maxProducts bounds the product numbers that are remembered.
const maxProducts = 100_000

// writing is one transaction of the projector.
type writing struct {
	p           *Projector
	tx          *ledger.Tx
	lastProduct int64
	groups      groupBook
	stock       stockBook
	totals      map[int64]*branchTotal
	known       map[int64]*facts // by stream, of a chunk
	doubts      map[int64][]ledger.Doubt
	// rows tells that there are bad rows which people have corrected.
	rows bool
	// waiting are settlements of what has not come yet, with what says so.
	waiting map[branchKey]ledger.MovementID
}

func (p *Projector) newWriting(tx *ledger.Tx) (*writing, error) {
	w := &writing{p: p, tx: tx, totals: map[int64]*branchTotal{}, doubts: map[int64][]ledger.Doubt{}}
	if err := tx.Row(`SELECT COALESCE(MAX(id), 0) FROM products`).Scan(&w.lastProduct); err != nil {
		return nil, err
	}
	// Fewer than remembered: the tables were dropped. The same batches give the
	// same numbers, so what is remembered up to there holds.
	if len(p.products) > maxProducts || w.lastProduct < p.lastProduct || w.lastProduct == 0 {
		clear(p.products)
		clear(p.lots)
	}
	p.lastProduct = w.lastProduct
	var rows int64
	if err := tx.Row(`SELECT COUNT(*) FROM (SELECT 1 FROM same_row LIMIT 1) s`).Scan(&rows); err != nil {
		return nil, err
	}
	w.rows = rows > 0
	var err error
	if w.waiting, err = w.waitingSettlements(); err != nil {
		return nil, err
	}
	return w, w.groups.init(tx)
}

func (w *writing) chunk(c *chunk) error {
	var err error
	if w.known, err = w.knownOf(c); err != nil {
		return err
	}
	for i := range c.batches {
		if err := w.batch(&c.batches[i]); err != nil {
			return err
		}
	}
	gaps, err := w.tx.GapsIn(c.after, c.through)
	if err != nil {
		return err
	}
	for _, g := range gaps {
		if err := w.lost(g); err != nil {
			return err
		}
	}
	if err := w.groups.flush(w.tx); err != nil {
		return err
	}
	if err := w.flushTotals(); err != nil {
		return err
	}
	return w.stock.flush(w.tx)
}

// facts is what the ledger says about movements besides their records.
type facts struct {
	rulings  map[ledger.MovementID][]ledger.Ruling
	holdings []ledger.Holding
	// others are documents that name these numbers and mean other movements.
	others []ledger.Holding
}

func (f *facts) about(id ledger.MovementID) (c circumstances) {
	if f == nil {
		return c
	}
	c.rulings = f.rulings[id]
	for i := range f.holdings {
		if h := &f.holdings[i]; h.First <= id && id <= h.Last {
			c.holding = h
		}
	}
	for i := range f.others {
		if h := &f.others[i]; h.First <= id && id <= h.Last {
			c.other = h
		}
	}
	return c
}

// knownOf asks once for each stream of a chunk. For what has just come the
// answer is nearly always nothing.
func (w *writing) knownOf(c *chunk) (map[int64]*facts, error) {
	type span struct{ first, last uint64 }
	spans := map[int64]*span{}
	for i := range c.batches {
		b := &c.batches[i]
		if s := spans[b.StreamID]; s != nil {
			s.last = b.Last
		} else {
			spans[b.StreamID] = &span{b.First, b.Last}
		}
	}
	known := map[int64]*facts{}
	for stream, s := range spans {
		f, err := factsOf(w.tx, ledger.MakeID(stream, s.first), ledger.MakeID(stream, s.last))
		if err != nil {
			return nil, err
		}
		if f != nil {
			known[stream] = f
		}
	}
	return known, nil
}

func factsOf(tx *ledger.Tx, first, last ledger.MovementID) (*facts, error) {
	var f facts
	var err error
	if f.rulings, err = tx.RulingsIn(first, last); err != nil {
		return nil, err
	}
	if f.holdings, err = tx.HoldingsIn(first, last); err != nil {
		return nil, err
	}
	f.others = slices.DeleteFunc(slices.Clone(f.holdings), func(h ledger.Holding) bool { return !h.Other })
	f.holdings = slices.DeleteFunc(f.holdings, func(h ledger.Holding) bool { return h.Other })
	if len(f.rulings)+len(f.holdings)+len(f.others) == 0 {
		return nil, nil
	}
	return &f, nil
}

func (w *writing) batch(b *batch) error {
	if b.damaged != nil {
		if err := w.damaged(b); err != nil {
			return err
		}
		return w.exceptRun(ledger.MakeID(b.StreamID, b.First), b.Last, b.BranchID, b.ReceivedAt.UnixMilli(), objection{
			reason: ReasonDamaged,
			text:   fmt.Sprintf("the stored batch with the movements %d to %d no longer opens", b.First, b.Last),
			hint:   "put back the newest backup of the ledger; the branch sends the rest again"})
	}
	f := w.known[b.StreamID]
	for i := range b.readings {
		if err := w.movement(b, &b.readings[i], b.First+uint64(i), f); err != nil {
			return fmt.Errorf("movement %d of %s: %w", b.First+uint64(i), b.Stream, err)
		}
	}
	return nil
}

// movement writes what becomes of one record.
func (w *writing) movement(b *batch, r *reading, seq uint64, f *facts) error {
	id := ledger.MakeID(b.StreamID, seq)
	c := f.about(id)
	var err error
	if err = errors.Join(w.checkRepeat(b.BranchID, id, r, &c), w.doubt(b.Batch, seq, r, &c)); err != nil {
		return err
	}
	if err = w.checkForm(b.Batch, b.BranchID, id, r, &c); err != nil {
		return err
	}
	if err = errors.Join(w.sameRow(b.BranchID, id, r, &c), w.settlement(b.BranchID, id, r, &c), w.settled(b.BranchID, id, r, &c)); err != nil {
		return err
	}
	if r, err = w.corrected(r, c.rulings); err != nil {
		return err
	}
	var group int64
	if r.m.Group.ID != "" {
		if group, c.misfit, err = w.groups.join(w.tx, b, r.m.Group); err != nil {
			return err
		}
		if c.misfit {
			if err := w.misfit(id); err != nil {
				return err
			}
		}
	}
	product, err := w.product(r.m.Product)
	if err != nil {
		return err
	}
	if err := w.lot(r.m.Lot); err != nil {
		return err
	}
	v := judge(r, c)
	if group > 0 || r.m.Document.Type == "session" {
		w.tx.Stir(id) // of a session; of what else has come nobody is told unless it waits
	}
	if err := w.insert(id, b.BranchID, product, group, r, v); err != nil {
		return err
	}
	if v.except != nil {
		if err := w.except(id, b.BranchID, b.ReceivedAt.UnixMilli(), v.except); err != nil {
			return err
		}
	}
	if v.counts {
		w.stock.add(ledger.StockItem{BranchID: b.BranchID, ProductID: product, Lot: r.m.Lot, Unit: r.m.Unit}, &r.m)
	}
	w.total(b, id, r)
	return nil
}

const (
	movementColumns = `branch_id, kind, state, counts, product_id, lot, expiry, serial, quantity, unit,
	occurred_at, occurred_offset, recorded_at, document_type, document_ref, counterpart, reason, group_id, posting_id, paper`
	insertMovement = `INSERT INTO movements (id, ` + movementColumns + `)
	VALUES ($21, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`
)

func movementArgs(branch, product, group int64, r *reading, v verdict) []any {
	m := &r.m
	var occurred, offset, recorded int64
	if r.bad == nil {
		_, seconds := m.OccurredAt.Zone()
		occurred, offset, recorded = m.OccurredAt.UnixMilli(), int64(seconds/60), m.RecordedAt.UnixMilli()
	}
	counts := int64(0)
	if v.counts {
		counts = 1
	}
	return []any{branch, ledger.KindNumber(m.Kind), int64(v.state), counts, product, m.Lot, m.Expiry.String(), m.Serial,
		int64(m.Quantity), m.Unit, occurred, offset, recorded, m.Document.Type, m.Document.Ref, m.Counterpart, m.Reason,
		group, v.postingID, paperOf(&m.Paper)}
}

// paperOf is the form and its line as they are kept.
func paperOf(p *movement.Paper) string {
	if p.Form == "" {
		return ""
	}
	return p.Form + "/" + strconv.Itoa(p.Line)
}

func (w *writing) insert(id ledger.MovementID, branch, product, group int64, r *reading, v verdict) error {
	_, err := w.tx.Exec(insertMovement, append(movementArgs(branch, product, group, r, v), int64(id))...)
	return err
}

// maxLots bounds the lot numbers that are remembered.
const maxLots = 100_000

// lot notes a lot number that is new.
func (w *writing) lot(lot string) error {
	if lot == "" || w.p.lots[lot] {
		return nil
	}
	if err := w.tx.AddLot(lot); err != nil {
		return err
	}
	if len(w.p.lots) >= maxLots {
		clear(w.p.lots)
	}
	w.p.lots[lot] = true
	return nil
}

// product gives a code's number, made when it is new; 0 for none.
func (w *writing) product(of movement.Product) (id int64, err error) {
	if of.Code == "" {
		return 0, nil
	}
	key := productKey{of.Scheme, of.Code}
	if id, ok := w.p.products[key]; ok {
		return id, nil
	}
	err = w.tx.Row(`SELECT id FROM products WHERE code = $1 AND scheme = $2`, of.Code, string(of.Scheme)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		w.lastProduct++
		id, w.p.lastProduct = w.lastProduct, w.lastProduct
		_, err = w.tx.Exec(`INSERT INTO products (id, scheme, code) VALUES ($1, $2, $3)`, id, string(of.Scheme), of.Code)
	}
	if err == nil {
		w.p.products[key] = id
	}
	return id, err
}

// except writes an open exception of a movement; received is when it came, in
// milliseconds.
func (w *writing) except(id ledger.MovementID, branch, received int64, e *exception) error {
	w.tx.Stir(id)
	since := received
	if e.ruled != nil {
		since = e.ruled.At.UnixMilli()
	}
	_, err := w.tx.Exec(insertException, int64(id), branch, e.stage, e.reason, e.field, e.text, e.hint, since, 0, e.postingID)
	return err
}

const insertException = `INSERT INTO exceptions
	(id, branch_id, stage, reason, field, text, hint, since, last_seq, posting_id)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`

// lost writes the exception for a gap.
func (w *writing) lost(g ledger.Gap) error {
	var branch int64
	if err := w.tx.Row(`SELECT branch_id FROM streams WHERE id = $1`, g.First.Stream()).Scan(&branch); err != nil {
		return err
	}
	return w.exceptRun(g.First, g.Last.Seq(), branch, g.NotedAt.UnixMilli(), objection{reason: ReasonLost,
		text: fmt.Sprintf("the branch no longer had the movements %d to %d when the hub asked for them", g.First.Seq(), g.Last.Seq()),
		hint: "count the stock of the branch, then branchline-hub discard takes the exception out"})
}

// exceptRun writes an exception for a run of which there are no movements,
// unless a person has dealt with it.
func (w *writing) exceptRun(first ledger.MovementID, last uint64, branch, since int64, o objection) error {
	rulings, err := w.tx.RulingsIn(first, first)
	if err != nil {
		return err
	}
	if said := rulings[first]; len(said) > 0 && said[len(said)-1].Discarded {
		return nil
	}
	_, err = w.tx.Exec(insertException, int64(first), branch, ledger.StageProjection, o.reason, o.field, o.text, o.hint,
		since, int64(last), 0)
	return err
}
