package plan

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// Stage is how exceptions found here are marked.
const Stage = "plan"

// Catalogue is Odoo's master data as far as the hub knows it. Plan asks it once
// for every different code, unit and lot, from one goroutine.
type Catalogue interface {
	// Find gives the products in use that a code names, and for each how many
	// of its own unit one such item is: 1, or what is in the pack.
	Find(code movement.Product) (found []odoo.Product, per []movement.Quantity)
	// Held tells whether what people have said of a code is not certain any more:
	// what has it waits for a person.
	Held(code movement.Product) bool
	// Unit gives a unit of measure, Units those of a name.
	Unit(id int64) (odoo.UoM, bool)
	Units(name string) []odoo.UoM
	// Lot finds a lot that the company can use.
	Lot(productID, companyID int64, name string) (odoo.Lot, bool)
}

// Branch is where the movements happened.
type Branch struct {
	Code string
	// Zone is the branch's own; never nil.
	Zone      *time.Location
	Warehouse odoo.Warehouse
	Places    odoo.Places
}

// Input is all that a plan depends on.
type Input struct {
	Now       time.Time
	Branch    Branch
	Settings  Settings
	Catalogue Catalogue
	// MissingIsFinal says that the catalogue is fresh: a code that it does not
	// know is unknown to Odoo. Otherwise the movement waits.
	MissingIsFinal bool
	// Brought is when goods were last posted to Odoo, at any branch; only known
	// where something is missing.
	Brought time.Time
	// Pending are movements of the branch that wait, each stream in its order.
	// Of a group either all that has come or nothing.
	Pending []ledger.Movement
	// Elsewhere are pending movements of the branch that are not to be planned
	// now: their windows are not over, or their groups incomplete. They only
	// say which lots are on their way.
	Elsewhere []ledger.Movement
	// MoreLots says that more waits at the branch than is in Pending and
	// Elsewhere, and that it may bring lots.
	MoreLots bool
	// Since is when movements of a kind were first seen waiting.
	Since map[movement.Kind]time.Time
	// Receipts are the branch's open receipts in Odoo, by id, read after the
	// last posting for one of them had ended. ReceiptsKnown is false while Odoo
	// cannot be asked.
	Receipts      []odoo.Receipt
	ReceiptsKnown bool
	// Stock is what Odoo has at the branch of the products in the Output's
	// StockOf, read after Open; nil before it was asked for, or while Odoo
	// cannot be asked.
	Stock []odoo.OnHand
	// Open are the branch's postings that are not done.
	Open []ledger.Posting
	// Transfers are both halves of the transfers that are taken in among Pending, at
	// all branches, by their numbers.
	Transfers map[string]ledger.Transfer
	// Released are the reasons that a person has set aside for a movement.
	Released map[ledger.MovementID][]string
}

// Posting is a document to be made.
type Posting struct {
	Kind     movement.Kind
	Document movement.Document
	Body     ledger.PostingBody
	IDs      []ledger.MovementID
	Names    []movement.ID
}

// Output is what becomes of the pending movements. Those in neither list wait.
type Output struct {
	Postings []Posting
	Refused  []ledger.Refusal
	// Waiting counts what waits, by what for.
	Waiting map[string]int
	// Missing tells that something waits for a fresher catalogue.
	Missing bool
	// StockOf are the products of which the stock must be known to plan more.
	StockOf []int64
	// Again is when to plan again though nothing has happened; zero for never.
	Again time.Time
	// Alarms are what central IT must mend before the branch's goods can flow.
	Alarms []string
}

// What movements wait for.
const (
	WaitWindow    = "window"    // to be summed with others
	WaitCatalogue = "catalogue" // a fresh look at Odoo's master data
	WaitLot       = "lot"       // a lot on its way
	WaitOrder     = "order"     // an earlier posting for the same order
	WaitOdoo      = "odoo"      // Odoo's open receipts
	WaitSetup     = "setup"     // something missing in Odoo's own setup
)

// Plan decides. It changes nothing in its input.
func Plan(in Input) Output {
	p := &planner{in: &in, items: map[itemKey]*item{}, lots: map[lotKey]*lotState{}, serials: map[lotKey]int{},
		baskets: map[basketKey]*basket{}, busy: map[string]bool{}, turns: map[string]turn{},
		taken: map[lotKey]movement.Quantity{}, comes: map[int64]bool{}, shelves: map[int64][]*shelfLot{}, strange: map[int64]bool{}, boxes: map[string]*box{}}
	p.out.Waiting = map[string]int{}
	p.readOpen()
	all := make([]resolved, 0, len(in.Pending))
	for i := range in.Pending {
		if r, ok := p.resolve(&in.Pending[i]); ok {
			all = append(all, r)
		}
	}
	p.quiet = true
	for i := range in.Elsewhere {
		if r, ok := p.resolve(&in.Elsewhere[i]); ok {
			p.gatherLot(&r)
			p.comes[r.it.product.ID] = p.comes[r.it.product.ID] || r.incoming
		}
	}
	p.quiet = false
	for i := range all {
		p.gatherLot(&all[i])
		p.comes[all[i].it.product.ID] = p.comes[all[i].it.product.ID] || all[i].incoming
	}
	var lotless []*resolved
	for i := range all {
		r := &all[i]
		switch {
		case p.choosesLot(r):
			lotless = append(lotless, r)
		case p.settleLot(r):
			p.put(r)
			p.takes(r)
		}
	}
	for _, r := range lotless { // of what those leave that name their lot
		if p.choose(r) {
			p.put(r)
		}
	}
	p.finish()
	return p.out
}

type planner struct {
	in      *Input
	out     Output
	items   map[itemKey]*item
	lots    map[lotKey]*lotState
	serials map[lotKey]int
	baskets map[basketKey]*basket
	order   []*basket
	// busy are the orders that have a posting under way.
	busy map[string]bool
	// turns are the orders that this plan has begun a posting for.
	turns map[string]turn
	// remaining is what open receipts still expect.
	remaining map[expected]*expectation
	alarmed   map[string]bool
	// taken is what leaves the branch of a lot, by postings under way and by
	// this plan; comes are products of which goods may be on their way in, or
	// of which a posting under way may be counted twice.
	taken   map[lotKey]movement.Quantity
	comes   map[int64]bool
	shelves map[int64][]*shelfLot
	strange map[int64]bool // products with lots that the catalogue does not know
	boxes   map[string]*box
	// quiet is set while movements are looked at that are not to be planned.
	quiet bool
}

// readOpen learns from the postings under way which orders are busy and which
// lots are on their way.
func (p *planner) readOpen() {
	for i := range p.in.Open {
		o := &p.in.Open[i]
		if o.Kind == movement.Receipt && o.Document.Type == docOrder {
			p.busy[o.Document.Ref] = true
		}
		if o.Kind != movement.Receipt && p.in.Settings.WithoutLot != LotByEarliest {
			continue
		}
		body, err := ledger.DecodeBody(o.Body)
		if err != nil {
			continue // the poster reports it
		}
		for _, l := range body.Lines {
			p.comes[l.ProductID] = true
			if !body.Incoming {
				p.taken[lotKey{l.ProductID, l.Lot}] += l.Quantity()
			}
			if o.Kind != movement.Receipt {
				continue
			}
			if l.Lot != "" && l.LotID == 0 {
				p.lots[lotKey{l.ProductID, l.Lot}] = &lotState{coming: true, expiry: l.Expiry}
			}
		}
	}
}

const docOrder = "order"

// takes notes what a movement that names its lot does to the shelf.
func (p *planner) takes(r *resolved) {
	if !r.incoming {
		p.taken[lotKey{r.it.product.ID, r.lot}] += r.quantity
	}
}

func (p *planner) refuse(m *ledger.Movement, reason, field, hint, text string, args ...any) {
	if p.quiet {
		return
	}
	p.out.Refused = append(p.out.Refused, ledger.Refusal{Movement: m.ID, Stage: Stage, Reason: reason, Field: field,
		Text: fmt.Sprintf(text, args...), Hint: hint})
}

func (p *planner) wait(what string) {
	if !p.quiet {
		p.out.Waiting[what]++
	}
}

func (p *planner) alarm(text string, args ...any) {
	s := fmt.Sprintf(text, args...)
	if p.alarmed == nil {
		p.alarmed = map[string]bool{}
	}
	if !p.alarmed[s] {
		p.alarmed[s] = true
		p.out.Alarms = append(p.out.Alarms, s)
	}
}

func (p *planner) released(m *ledger.Movement, reason string) bool {
	return len(p.in.Released) > 0 && slices.Contains(p.in.Released[m.ID], reason)
}

func (p *planner) again(at time.Time) {
	if p.out.Again.IsZero() || at.Before(p.out.Again) {
		p.out.Again = at
	}
}

// finish closes the baskets that may leave.
func (p *planner) finish() {
	for _, b := range p.order {
		if len(b.lines) == 0 {
			continue
		}
		if due := p.due(b); due.After(p.in.Now) {
			p.out.Waiting[WaitWindow] += b.movements
			p.again(due)
			continue
		}
		p.close(b)
	}
	if p.out.Waiting[WaitCatalogue] > 0 {
		p.out.Missing = true
	}
	maps.DeleteFunc(p.out.Waiting, func(_ string, n int) bool { return n == 0 })
}
