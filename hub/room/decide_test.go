package room_test

import (
	"slices"
	"strings"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/hub/room"
	"branchline/hub/room/roomtest"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// refused is a desk with dispensings of BR01 that all wait for a reason.
type refused struct {
	*roomtest.Desk
	t      *testing.T
	sender *ledgertest.Sender
}

func newRefused(t *testing.T, n int, reason string) refused {
	t.Helper()
	d := refused{roomtest.New(t), t, ledgertest.NewSender("BR01", roomtest.Epoch, movement.Bulk)}
	for range n {
		d.more(reason)
	}
	return d
}

func (d refused) catchUp() {
	d.t.Helper()
	d.Must(projection.New(d.Ledger, d.Log, nil).CatchUp(d.t.Context()))
}

// more sends another one that waits.
func (d refused) more(reason string) {
	d.t.Helper()
	d.sender.Commit(d.t, d.Ledger, ledgertest.Record(movement.Dispense, 1))
	d.catchUp()
	d.refuse(d.sender.At.Through, reason)
}

func (d refused) refuse(seq uint64, reason string) {
	d.t.Helper()
	aliases, err := d.Ledger.AliasGeneration(d.t.Context())
	d.Must(err)
	d.Must(d.Ledger.Refuse(d.t.Context(), []ledger.Refusal{{Movement: d.sender.Find(d.t, d.Ledger, seq), Stage: "plan", Reason: reason,
		Text: "it is " + reason, Aliases: aliases}}, ledgertest.Noon))
}

func (d refused) states(want ...ledger.State) {
	d.t.Helper()
	d.catchUp()
	var got []ledger.State
	for seq := range want {
		m, err := d.Ledger.Movement(d.t.Context(), d.sender.Find(d.t, d.Ledger, uint64(seq+1)))
		d.Must(err)
		got = append(got, m.State)
	}
	if !slices.Equal(got, want) {
		d.t.Errorf("states %v, want %v", got, want)
	}
}

func (d refused) seen(f room.WaitingFilter) room.WaitingList {
	d.t.Helper()
	list, err := d.Waiting(d.t.Context(), f, nil, 10)
	d.Must(err)
	return list
}

// What is decided about a group is exactly what the person saw of it.
func TestAGroupIsDecidedAboutAsItWasSeen(t *testing.T) {
	d := newRefused(t, 3, "unknown_lot")
	f := room.WaitingFilter{Reason: "unknown_lot"}
	seen := d.seen(f)
	if seen.Chosen != 3 || len(seen.Groups) != 1 || seen.Groups[0].Count != 3 || seen.Groups[0].Words.Next == "" {
		t.Fatalf("%+v", seen)
	}
	d.more("unknown_lot") // meanwhile
	say := room.Decision{Choice: "discard", Who: "ann", Why: "counted"}
	if _, err := d.DecideAll(t.Context(), f, seen.Seal, say); fault.CodeOf(err) != ledger.CodeChanged {
		t.Errorf("decided about what nobody saw: %v", err)
	}
	d.states(ledger.Excepted, ledger.Excepted, ledger.Excepted, ledger.Excepted)
	done, err := d.DecideAll(t.Context(), f, d.seen(f).Seal, say)
	if err != nil || done.Done != 4 {
		t.Errorf("%+v, %v", done, err)
	}
	d.states(ledger.Discarded, ledger.Discarded, ledger.Discarded, ledger.Discarded)
	if _, err := d.DecideAll(t.Context(), room.WaitingFilter{}, d.seen(room.WaitingFilter{}).Seal, say); fault.CodeOf(err) != "incomplete_decision" {
		t.Errorf("all of all reasons: %v", err)
	}
}

func TestWhatWaitsForAnotherReasonByNowIsPassedOver(t *testing.T) {
	d := newRefused(t, 2, "unknown_lot")
	one, two := d.sender.ID(1).String(), d.sender.ID(2).String()
	if _, err := d.Decide(t.Context(), room.Decision{Choice: "retry", Movements: []string{one}, Who: "bob", Why: "x"}); err != nil {
		t.Fatal(err)
	}
	d.refuse(1, "over_receipt")
	done, err := d.Decide(t.Context(), room.Decision{Choice: "discard", Movements: []string{one, two}, Shown: []string{"unknown_lot", "unknown_lot"}, Who: "ann", Why: "x"})
	if err != nil || done.Done != 1 || done.Of != 2 {
		t.Errorf("%+v, %v", done, err)
	}
	d.states(ledger.Excepted, ledger.Discarded)
}

func TestASecondPersonConfirms(t *testing.T) {
	d := newRefused(t, 3, "unknown_lot")
	d.SecondPerson = []string{"discard"}
	ctx := t.Context()
	names := []string{d.sender.ID(1).String(), d.sender.ID(2).String()}
	propose := func(who string, movements ...string) (room.Decided, error) {
		return d.Decide(ctx, room.Decision{Choice: "discard", Movements: movements, Who: who, Why: "broken"})
	}
	done, err := propose("ann", names...)
	if err != nil || done.Proposal == 0 || done.Done != 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	d.states(ledger.Excepted, ledger.Excepted, ledger.Excepted)
	if list := d.seen(room.WaitingFilter{}); list.Page[0].Proposed == nil || list.Page[0].Proposed.Who != "ann" || list.Page[2].Proposed != nil {
		t.Errorf("%+v", list.Page)
	}
	if _, err := propose("bob", names...); fault.CodeOf(err) != ledger.CodeProposed {
		t.Errorf("proposed twice: %v", err)
	}
	for _, who := range []string{"ann", "ann (token desk)", " Ann"} {
		if _, err := d.Confirm(ctx, done.Proposal, who, "yes"); fault.CodeOf(err) != ledger.CodeSamePerson {
			t.Errorf("%q confirmed their own: %v", who, err)
		}
	}
	d.states(ledger.Excepted, ledger.Excepted, ledger.Excepted)
	// One of them is tried again, and waits for something else by then.
	if _, err := d.Decide(ctx, room.Decision{Choice: "retry", Movements: names[:1], Who: "cid", Why: "x"}); err != nil {
		t.Fatal(err)
	}
	d.refuse(1, "expired_lot")
	if p, err := d.Proposal(ctx, done.Proposal); err != nil || p.Gone != 1 || len(p.About) != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	if n, err := d.Confirm(ctx, done.Proposal, "bob", "seen"); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
	d.states(ledger.Excepted, ledger.Discarded, ledger.Excepted)
	if _, err := d.Confirm(ctx, done.Proposal, "bob", "again"); fault.CodeOf(err) != ledger.CodeProposalOver {
		t.Errorf("confirmed twice: %v", err)
	}
	entries, _, err := d.Ledger.AuditEntries(ctx, ledger.AuditFilter{})
	d.Must(err)
	var trail []string
	for _, e := range slices.Backward(entries) {
		trail = append(trail, e.Who+" "+e.Action)
	}
	want := []string{"ann propose discard", "cid retry", "bob discard", "bob proposal confirmed"}
	if got := trail[max(0, len(trail)-4):]; !slices.Equal(got, want) {
		t.Errorf("audit %q, want %q", got, want)
	}
	if !strings.Contains(entries[1].Detail, "proposed by ann: broken; confirmed: seen") {
		t.Errorf("%+v", entries[1])
	}

	done, err = propose("ann", d.sender.ID(3).String())
	d.Must(err)
	d.Must(d.Decline(ctx, done.Proposal, "bob", "it is there"))
	d.states(ledger.Excepted, ledger.Discarded, ledger.Excepted)
	if all, err := d.Proposals(ctx); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
}

// What could not be carried out is not proposed either.
func TestAProposalIsTriedFirst(t *testing.T) {
	d := newRefused(t, 1, "unknown_product")
	d.SecondPerson = []string{"release"}
	_, err := d.Decide(t.Context(), room.Decision{Choice: "release", Movements: []string{d.sender.ID(1).String()}, Who: "ann", Why: "x"})
	if fault.CodeOf(err) != "not_releasable" {
		t.Errorf("%v", err)
	}
	if all, err := d.Proposals(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	d.states(ledger.Excepted)
}

func TestWhatWaitsIsFound(t *testing.T) {
	d := roomtest.New(t)
	d.Fill()
	for name, c := range map[string]struct {
		f    room.WaitingFilter
		want int
	}{
		"all":               {room.WaitingFilter{}, 1},
		"its branch":        {room.WaitingFilter{Branch: "BR01"}, 1},
		"another branch":    {room.WaitingFilter{Branch: "BR02"}, 0},
		"its reason":        {room.WaitingFilter{Reason: "lot_two_expiries"}, 1},
		"its code as typed": {room.WaitingFilter{Product: "4012345678918"}, 1},
		"another code":      {room.WaitingFilter{Product: "4012345678901"}, 0},
		"its lot":           {room.WaitingFilter{Text: "a77-o1"}, 1},
		"its sentence":      {room.WaitingFilter{Text: "ANOTHER expiry"}, 1},
		"a sign of LIKE":    {room.WaitingFilter{Text: "anothe_ expiry"}, 0},
	} {
		list, err := d.Waiting(t.Context(), c.f, nil, 10)
		if err != nil || len(list.Page) != c.want {
			t.Errorf("%s: %+v, %v", name, list.Page, err)
		}
	}
}

func TestAFieldIsCorrected(t *testing.T) {
	d := newRefused(t, 2, "unknown_lot")
	correct := func(seq uint64, fields map[string]string) error {
		_, err := d.Correct(t.Context(), room.Correction{Movement: d.sender.ID(seq).String(), Shown: "unknown_lot", Fields: fields, Who: "ann", Why: "the box says so"})
		return err
	}
	for name, fields := range map[string]map[string]string{
		"a date that is none":     {"expiry": "31.5.2028"},
		"a quantity that is none": {"quantity": "two"},
		"a wrong check digit":     {"scheme": "gtin", "code": "4012345678902"},
		"nothing":                 {"lot": "", "quantity": "1"},
	} {
		if err := correct(1, fields); fault.ClassOf(err) != fault.Data || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	d.states(ledger.Excepted, ledger.Excepted)
	d.Must(correct(1, map[string]string{"lot": " B2 ", "expiry": "2028-05-31", "quantity": "2.5", "unit": "", "scheme": "gtin", "code": "04012345678901", "serial": "", "document_type": "", "document_ref": ""}))
	d.states(ledger.Pending, ledger.Excepted)
	m, err := d.Ledger.Movement(t.Context(), d.sender.Find(t, d.Ledger, 1))
	if err != nil || m.Lot != "B2" || m.Expiry.String() != "2028-05-31" || m.Quantity.String() != "2.5" {
		t.Errorf("%+v, %v", m, err)
	}
	one, err := d.WaitingFor(t.Context(), d.sender.ID(2))
	if err != nil || !one.May("correct") || !one.May("release") || one.Is.Quantity != movement.Units(1) {
		t.Errorf("%+v, %v", one, err)
	}
	if gone, err := d.WaitingFor(t.Context(), d.sender.ID(1)); gone != nil || err != nil {
		t.Errorf("%+v, %v", gone, err)
	}
	way, err := d.Trace(t.Context(), d.sender.ID(1))
	d.Must(err)
	if !slices.ContainsFunc(way.Steps, func(s room.Step) bool {
		return s.What == "Corrected" && s.Who == "ann" && strings.Contains(s.Detail, "lot none → B2")
	}) {
		t.Errorf("%+v", way.Steps)
	}
}

// Another product in the place of what was read is for an approver, and for a
// second one where that is configured; nothing else of it changes meanwhile.
func TestAnotherProductIsForApprovers(t *testing.T) {
	d := newRefused(t, 2, "unknown_lot")
	correct := func(seq uint64, approver bool, who string) (room.Decided, error) {
		return d.Correct(t.Context(), room.Correction{Movement: d.sender.ID(seq).String(), Shown: "unknown_lot", Who: who, Why: "the box says so", MayApprove: approver,
			Fields: map[string]string{"scheme": "sku", "code": "AMOX-250"}})
	}
	if _, err := correct(1, false, "ann"); fault.CodeOf(err) != room.CodeNeedsApprover {
		t.Error(err)
	}
	if done, err := correct(1, true, "ann"); done.Done != 1 || err != nil {
		t.Errorf("%+v, %v", done, err)
	}
	d.states(ledger.Pending, ledger.Excepted)

	d.SecondPerson = []string{room.Substitute}
	done, err := correct(2, true, "ann (token till)")
	if done.Proposal == 0 || done.Done != 0 || err != nil {
		t.Fatalf("%+v, %v", done, err)
	}
	if _, err := correct(2, true, "bob"); fault.CodeOf(err) != ledger.CodeProposed {
		t.Error(err)
	}
	d.states(ledger.Pending, ledger.Excepted)
	p, err := d.Proposal(t.Context(), done.Proposal)
	if err != nil || p.What != "substitute" || !strings.Contains(p.Becomes, "sku AMOX-250") {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := d.Confirm(t.Context(), done.Proposal, "ann", "I am certain"); fault.CodeOf(err) != ledger.CodeSamePerson {
		t.Error(err)
	}
	if n, err := d.Confirm(t.Context(), done.Proposal, "bob", "looked at the box"); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	d.states(ledger.Pending, ledger.Pending)
	m, err := d.Ledger.Movement(t.Context(), d.sender.Find(t, d.Ledger, 2))
	if err != nil || m.Product != (movement.Product{Scheme: "sku", Code: "AMOX-250"}) {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := d.VerifyAudit(t.Context()); err != nil {
		t.Error(err)
	}
}

// What was decided otherwise meanwhile is passed over.
func TestASubstitutionThatCameTooLate(t *testing.T) {
	d := newRefused(t, 1, "unknown_lot")
	d.SecondPerson = []string{room.Substitute}
	done, err := d.Correct(t.Context(), room.Correction{Movement: d.sender.ID(1).String(), Shown: "unknown_lot", Who: "ann", Why: "x", MayApprove: true,
		Fields: map[string]string{"scheme": "sku", "code": "AMOX-250"}})
	d.Must(err)
	_, err = d.Decide(t.Context(), room.Decision{Choice: "discard", Movements: []string{d.sender.ID(1).String()}, Who: "cy", Why: "scanned twice"})
	d.Must(err)
	if n, err := d.Confirm(t.Context(), done.Proposal, "bob", "looked"); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	d.states(ledger.Discarded)
}

// The trail says once what was done, by the word for it.
func TestAReleaseStandsInTheTrailAsOne(t *testing.T) {
	d := newRefused(t, 2, "over_receipt")
	_, err := d.Decide(t.Context(), room.Decision{Choice: "release", Movements: []string{d.sender.ID(1).String()}, Who: "ann", Why: "the supplier sent more"})
	d.Must(err)
	_, err = d.Decide(t.Context(), room.Decision{Choice: "retry", Movements: []string{d.sender.ID(2).String()}, Who: "ann", Why: "mended"})
	d.Must(err)
	trail, _, err := d.AuditEntries(t.Context(), ledger.AuditFilter{Who: "ann", Limit: 10})
	d.Must(err)
	var got []string
	for _, e := range trail {
		got = append(got, e.Action+" "+e.Subject)
	}
	if want := []string{"retry " + d.sender.ID(2).String(), "release " + d.sender.ID(1).String()}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// What a second person confirms is what the first one saw: meanwhile nobody corrects it
// otherwise.
func TestWhatIsProposedIsNotCorrectedMeanwhile(t *testing.T) {
	d := newRefused(t, 1, "unknown_lot")
	d.SecondPerson = []string{"discard"}
	proposed, err := d.Decide(t.Context(), room.Decision{Choice: "discard", Movements: []string{d.sender.ID(1).String()}, Who: "ann", Why: "scanned twice"})
	d.Must(err)
	correct := func() error {
		_, err := d.Correct(t.Context(), room.Correction{Movement: d.sender.ID(1).String(), Fields: map[string]string{"quantity": "1000"}, Who: "cy", Why: "x"})
		return err
	}
	if err := correct(); fault.CodeOf(err) != ledger.CodeProposed {
		t.Error(err)
	}
	d.Must(d.Decline(t.Context(), proposed.Proposal, "bob", "no"))
	d.Must(correct())
}
