package web

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"branchline/agent/counter"
	"branchline/internal/feed"
	"branchline/internal/movement"
	"branchline/internal/ui"
)

// Outcomes is what the hub has told of what became of the branch's movements.
// It is asked from any goroutine.
type Outcomes interface {
	// Outcomes gives what became of a session's movements; nothing where the hub
	// has told nothing.
	Outcomes(session string) []feed.Outcome
	// Waiting gives what waits with a person at the hub, the newest first, and how
	// many more there are.
	Waiting() (rows []feed.Outcome, more int64)
	// OutcomesAsOf is as of when that is right; zero for a branch that has been
	// told nothing yet.
	OutcomesAsOf() time.Time
	// Expected gives what Odoo still expects of a document, as of when.
	Expected(doc movement.Document) (d feed.Delivery, asOf time.Time, ok bool)
	// ReadFrom says where a movement was read, such as a file and its line; empty
	// where the branch does not have it any more.
	ReadFrom(epoch string, lane movement.Lane, seq uint64) string
	// Named gives the name of a product, empty where it is not known here.
	Named(code movement.Product) string
}

// stage is how far a movement is, the one first that people must know of first.
type stage int

const (
	withPerson stage = iota
	takenOut
	notSent
	atHub
	inOdoo
	repeated
)

// step is where one movement is.
type step struct {
	stage     stage
	document  string
	at        int64
	code, why string
}

// tracker tells where the movements of a receipt are.
type tracker struct {
	r *counter.Receipt
	// runs are those of the receipt's own places, by their first; elsewhere are
	// those of which the receipt does not know the places.
	runs, elsewhere []feed.OutcomeRun
	// sent is the last place that the hub has confirmed; 0 for none.
	sent uint64
}

func (p *Page) track(r *counter.Receipt) *tracker {
	t := &tracker{r: r, sent: p.sentOf(r)}
	if p.Outcomes == nil {
		return t
	}
	for _, o := range p.Outcomes.Outcomes(r.Group) {
		if o.Epoch == r.Epoch && o.Lane == movement.Live {
			t.runs = append(t.runs, o.Runs...)
		} else {
			t.elsewhere = append(t.elsewhere, o.Runs...)
		}
	}
	slices.SortFunc(t.runs, func(a, b feed.OutcomeRun) int { return cmp.Compare(a.First, b.First) })
	return t
}

// sentOf is the last of a receipt's places that the hub has confirmed. The hub
// confirms them in their order, so few need be asked about.
func (p *Page) sentOf(r *counter.Receipt) uint64 {
	switch {
	case p.Sent == nil:
		return 0
	case p.Sent(r.Epoch, r.Through):
		return math.MaxUint64
	case r.Epoch == "" || r.Through < r.First:
		return 0
	}
	n := sort.Search(int(r.Through-r.First), func(i int) bool { return !p.Sent(r.Epoch, r.First+uint64(i)) })
	if n == 0 {
		return 0
	}
	return r.First + uint64(n) - 1
}

// at tells where the movement of a place is; 0 is a place that nobody knows.
func (t *tracker) at(seq uint64) step {
	i, found := slices.BinarySearchFunc(t.runs, seq, func(r feed.OutcomeRun, seq uint64) int {
		switch {
		case r.Last < seq:
			return -1
		case r.First > seq:
			return 1
		}
		return 0
	})
	switch {
	case found && seq > 0:
		return stepOf(&t.runs[i])
	case t.sent == math.MaxUint64 || seq > 0 && seq <= t.sent:
		return step{stage: atHub}
	}
	return step{stage: notSent}
}

func stepOf(r *feed.OutcomeRun) step {
	s := step{document: r.Document, at: r.At, code: r.Code, why: r.Why}
	switch r.State {
	case feed.Posted:
		s.stage = inOdoo
	case feed.WithPerson:
		s.stage, s.at = withPerson, 0 // since when is of no use in a sum
	case feed.Discarded:
		s.stage, s.at = takenOut, 0
	case feed.Repeated:
		s.stage, s.at = repeated, 0
	default:
		return step{stage: atHub}
	}
	return s
}

// line tells where the scans of a line are, each of them once.
func (t *tracker) line(l *counter.Line, now time.Time) (parts []badge) {
	if len(t.runs) == 0 && len(t.elsewhere) > 0 {
		return nil // only the sum is known
	}
	sums := map[step]movement.Quantity{}
	var steps []step
	for i := range l.Entries {
		e := &l.Entries[i]
		s := t.at(e.Seq)
		if e.Seq == 0 && len(t.runs) > 0 {
			return nil
		}
		if _, known := sums[s]; !known {
			steps = append(steps, s)
		}
		sums[s] += cmp.Or(e.Own, e.Quantity)
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.stage, b.stage) })
	for _, s := range steps {
		many := movement.Quantity(0)
		if len(steps) > 1 {
			many = sums[s]
		}
		b := s.badge(many, now)
		if s.code == overReceipt && l.Ordered > 0 {
			b.Word += " (" + (l.Already + l.Scanned).String() + " of " + l.Ordered.String() + ")"
		}
		parts = append(parts, b)
	}
	return parts
}

// overReceipt is the hub's code for what is more than was ordered.
const overReceipt = "over_receipt"

// badge says where a line is, or so many of it; 0 stands for all.
func (s step) badge(many movement.Quantity, now time.Time) badge {
	words, class := "", "plain"
	switch s.stage {
	case withPerson:
		class, words = "warn", "waits with a person at the hub"
		if many != 0 && many != movement.Units(1) {
			words = "wait with a person at the hub"
		}
		words = with(words, s.why)
	case takenOut:
		class, words = "warn", with("taken out at the hub", s.why)
	case notSent:
		words = "safe here, not yet sent"
	case atHub:
		words = "with the hub"
	case inOdoo:
		class, words = "good", "in Odoo"
		if s.document != "" {
			words += " as " + s.document
		}
		words += ", " + ui.Clock(time.Unix(s.at, 0), now)
	case repeated:
		words = "recorded before, counted once"
	}
	if many != 0 {
		return badge{class, many.String() + " " + words}
	}
	return badge{class, strings.ToUpper(words[:1]) + words[1:]}
}

func with(words, why string) string {
	if why == "" {
		return words
	}
	return words + ": " + strings.TrimRight(why, ".")
}

// tally counts the movements of a receipt by where they are.
type tally struct {
	counts    [repeated + 1]uint64
	documents []string
	// reasons are why those wait that do, posted when the last was.
	reasons []string
	posted  time.Time
}

// maxTallied bounds how many places are looked at for a sum.
const maxTallied = 20_000

func (t *tracker) tally() (y tally) {
	if first, last := t.r.First, t.r.Through; t.r.Epoch != "" && last-first < maxTallied && (len(t.runs) > 0 || len(t.elsewhere) == 0) {
		for seq := first; seq <= last; seq++ {
			y.add(t.at(seq), 1)
		}
		return y
	}
	runs := append(slices.Clone(t.runs), t.elsewhere...)
	for i := range runs {
		y.add(stepOf(&runs[i]), runs[i].Last-runs[i].First+1)
	}
	if len(runs) == 0 {
		y.add(t.at(t.r.Through), 1)
	}
	return y
}

func (y *tally) add(s step, n uint64) {
	y.counts[s.stage] += n
	if s.stage == inOdoo {
		if at := time.Unix(s.at, 0); at.After(y.posted) {
			y.posted = at
		}
		if s.document != "" && !slices.Contains(y.documents, s.document) {
			y.documents = append(y.documents, s.document)
		}
	}
	if s.stage == withPerson && s.why != "" && !slices.Contains(y.reasons, s.why) {
		y.reasons = append(y.reasons, s.why)
	}
}

// badge says all of it in a few words: first what people must know.
func (y *tally) badge() badge {
	n := &y.counts
	switch {
	case n[notSent] > 0:
		return badge{"plain", "Safe here, not yet sent"}
	case n[withPerson] > 0:
		return badge{"warn", ui.Many(n[withPerson], "scan waits", "scans wait") + " with a person at the hub"}
	case n[atHub] > 0:
		return badge{"plain", "With the hub"}
	case n[inOdoo] > 0 && n[takenOut] > 0:
		return badge{"warn", y.inOdoo() + ", " + ui.Many(n[takenOut], "scan", "scans") + " taken out at the hub"}
	case n[inOdoo] > 0:
		return badge{"good", y.inOdoo()}
	case n[takenOut] > 0:
		return badge{"warn", "Taken out at the hub"}
	}
	return badge{"plain", "Recorded before, counted once"}
}

func (y *tally) inOdoo() string {
	switch len(y.documents) {
	case 0:
		return "In Odoo"
	case 1:
		return "In Odoo as " + y.documents[0]
	}
	return "In Odoo as " + y.documents[0] + " and " + ui.Many(len(y.documents)-1, "other", "others")
}

// settled tells whether nothing will change any more.
func (y *tally) settled() bool { return y.counts[notSent]+y.counts[atHub]+y.counts[withPerson] == 0 }

// sum says it in a sentence.
func (y *tally) sum(now time.Time) string {
	var parts []string
	say := func(s stage, text string) {
		if n := y.counts[s]; n > 0 {
			parts = append(parts, ui.Many(n, "scan ", "scans ")+text)
		}
	}
	say(withPerson, with("with a person at the hub", strings.Join(y.reasons, "; ")))
	say(takenOut, "taken out at the hub")
	say(notSent, "safe here and not yet sent")
	say(atHub, "with the hub, on the way into Odoo")
	if n := y.counts[inOdoo]; n > 0 {
		text := ui.Many(n, "scan ", "scans ") + "in Odoo"
		if len(y.documents) > 0 {
			text += " as " + strings.Join(y.documents[:min(len(y.documents), mostDocuments)], ", ")
		}
		parts = append(parts, text+", "+ui.Clock(y.posted, now))
	}
	say(repeated, "recorded before and counted once")
	return strings.Join(parts, ", ") + "."
}

// mostDocuments is how many documents are named in a sentence.
const mostDocuments = 5

// wayOf says how far on its way a receipt is.
func (p *Page) wayOf(r counter.Receipt, connected bool) badge {
	if r.Thrown != "" {
		return badge{"warn", "Thrown away"}
	}
	y := p.track(&r).tally()
	b := y.badge()
	if asOf := p.outcomesAsOf(); !connected && !asOf.IsZero() && y.counts[notSent] == 0 && !y.settled() {
		b.Word += ", as of " + ui.Clock(asOf, p.Now())
	}
	return b
}

func (p *Page) outcomesAsOf() time.Time {
	if p.Outcomes == nil {
		return time.Time{}
	}
	return p.Outcomes.OutcomesAsOf()
}

// stillExpected says what Odoo expects of a receipt's order after it was posted:
// the backorder. Empty for nothing, or where the branch does not know it yet.
func (p *Page) stillExpected(r *counter.Receipt, y *tally) string {
	if p.Outcomes == nil || y.posted.IsZero() || !r.Checked {
		return ""
	}
	d, asOf, ok := p.Outcomes.Expected(r.Document)
	if !ok || !asOf.After(y.posted) {
		return ""
	}
	var open movement.Quantity
	for i := range d.Lines {
		open += d.Lines[i].Open()
	}
	if open == 0 {
		return ""
	}
	return "Odoo still expects " + open.String() + " of this order, as " + d.Name + "."
}
