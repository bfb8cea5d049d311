package web_test

import (
	"context"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"branchline/hub/access"
	"branchline/hub/ledger"
	"branchline/hub/projection"
)

// catchUp has the projector carry out what people said.
func (d *desk) catchUp() {
	d.t.Helper()
	d.Must(projection.New(d.Ledger, d.Log, nil).CatchUp(context.Background()))
}

// shows tells which of some texts a page lacks.
func (b *browser) shows(path string, want ...string) {
	b.d.t.Helper()
	status, body, _ := b.get(path)
	if status != 200 {
		b.d.t.Errorf("%s: %d", path, status)
	}
	for _, w := range want {
		if !strings.Contains(body, w) {
			b.d.t.Errorf("%s: no %q in\n%s", path, w, body)
		}
	}
	if strings.Contains(body, "<script>alert") {
		b.d.t.Errorf("%s: script from a branch", path)
	}
}

func TestWhatWaitsIsGroupedAndDecided(t *testing.T) {
	d := newDesk(t)
	names := d.FillWaiting()
	d.Add("olga", access.Operator)
	d.Add("anna", access.Approver)
	olga, anna := d.as("olga", good), d.as("anna", good)
	one := "/exceptions/" + names[0].String()

	olga.shows("/exceptions", "6 movements wait", "The code is of no product that Odoo knows", "More than was ordered", "The column &#34;qty&#34; holds", `href="/exceptions?reason=unknown_product"`, "unknown_product", "sales_20261123.csv:6")
	olga.shows("/exceptions?reason=unknown_product", "All 3 for this reason", "Try again")
	olga.shows("/exceptions?text=nothing-like-it", "Nothing that waits fits")
	olga.shows(one, "Map the code to a product", "Another pack of the same article number", "ASP-500", "An approver can also")
	if _, body, _ := olga.get(one); strings.Contains(body, "/exceptions/discard") {
		t.Error("an operator is offered what only an approver may do")
	}

	t.Run("all of one reason, as the list showed them", func(t *testing.T) {
		_, body, _ := anna.get("/exceptions?reason=unknown_product")
		seal := regexp.MustCompile(`name="seal" value="([0-9a-f]+)"`).FindStringSubmatch(body)
		if seal == nil {
			t.Fatal("the list has no seal")
		}
		form := url.Values{"all": {"1"}, "reason": {"unknown_product"}, "why": {"not ours"}, "back": {"/exceptions?reason=unknown_product"}}
		form.Set("seal", strings.Repeat("0", len(seal[1])))
		if status, body, _ := anna.post("/exceptions/discard", form); status == 303 || !strings.Contains(body, "not what you saw") {
			t.Errorf("with another list: %d", status)
		}
		form.Set("seal", seal[1])
		form.Del("why")
		if status, _, _ := anna.post("/exceptions/discard", form); status == 303 {
			t.Errorf("without a reason: %d", status)
		}
	})
	t.Run("a code is mapped, and what waited for it goes on", func(t *testing.T) {
		form := url.Values{"scheme": {"gtin"}, "code": {"14012345678908"}, "suggested": {"ASP-500"}, "why": {"two digits swapped in the till"}, "back": {"/exceptions"}}
		status, _, to := olga.post("/exceptions/map", form)
		if status != 303 {
			t.Fatalf("%d to %q", status, to)
		}
		olga.shows(to, "3 movements going on by the new alias")
		d.catchUp()
		for i, want := range []ledger.State{ledger.Pending, ledger.Pending, ledger.Pending, ledger.Excepted} {
			id, err := d.Ledger.Find(t.Context(), names[i])
			d.Must(err)
			if m, err := d.Ledger.Movement(t.Context(), id); err != nil || m.State != want {
				t.Errorf("%s: %s, %v", names[i], m.State, err)
			}
		}
	})
	t.Run("a field is corrected", func(t *testing.T) {
		form := url.Values{"movement": {names[4].String()}, "shown": {"bad_quantity"}, "quantity": {"1"}, "why": {"asked the till"}, "back": {"/exceptions"}}
		status, _, to := olga.post("/exceptions/correct", form)
		if status != 303 {
			t.Fatalf("%d to %q", status, to)
		}
		olga.shows(to, "1 movement corrected, going on")
		d.catchUp()
		olga.shows("/movements/"+names[4].String(), "Corrected", "quantity 0 → 1")
	})
	t.Run("another product is for an approver", func(t *testing.T) {
		form := url.Values{"movement": {names[3].String()}, "shown": {"unknown_lot"}, "scheme": {"sku"}, "code": {"IBU-400"}, "why": {"x"}}
		if status, body, _ := olga.post("/exceptions/correct", form); status == 303 || !strings.Contains(body, "for an approver") {
			t.Errorf("%d: %s", status, body)
		}
		form = url.Values{"scheme": {"gtin"}, "code": {"04012345678901"}, "product": {"ASP-500"}, "overrule": {"1"}, "why": {"x"}}
		if status, body, _ := olga.post("/exceptions/map", form); status == 303 || !strings.Contains(body, "for an approver") {
			t.Errorf("%d: %s", status, body)
		}
	})
	t.Run("what is ticked is released by an approver", func(t *testing.T) {
		form := url.Values{"m": {names[5].String() + "|over_receipt", names[0].String() + "|unknown_product"}, "why": {"the supplier sent more"}, "back": {"/exceptions"}}
		if status, _, _ := olga.post("/exceptions/release", form); status != 403 {
			t.Errorf("an operator: %d", status)
		}
		status, _, to := anna.post("/exceptions/release", form)
		if status != 303 {
			t.Fatalf("%d to %q", status, to)
		}
		anna.shows(to, "1 movement released", "1 other no longer waited")
		form.Set("back", "https://elsewhere.example/")
		if _, _, to := anna.post("/exceptions/release", form); strings.Contains(to, "elsewhere") {
			t.Errorf("a form leads to %q", to)
		}
	})
}

func TestASecondApproverConfirms(t *testing.T) {
	d := newDesk(t)
	d.SecondPerson = []string{"discard"}
	names := d.FillWaiting()
	d.Add("anna", access.Approver)
	d.Add("ben", access.Approver)
	anna, ben := d.as("anna", good), d.as("ben", good)
	_, _, to := anna.post("/exceptions/discard", url.Values{"m": {names[3].String() + "|unknown_lot"}, "why": {"counted wrong"}, "back": {"/exceptions"}})
	anna.shows(to, "Proposal 1 waits for a second approver")
	anna.shows("/proposals/1", "It is your own", "counted wrong", "Withdraw")
	if status, _, _ := anna.post("/proposals/1/confirm", url.Values{"why": {"sure"}}); status == 303 {
		t.Error("who proposed it has confirmed it")
	}
	ben.shows("/exceptions", "Proposed: discard, by anna")
	if status, _, to := ben.post("/proposals/1/confirm", url.Values{"why": {"seen"}, "back": {"/exceptions"}}); status != 303 {
		t.Errorf("%d", status)
	} else {
		ben.shows(to, "1 movement met by the proposal")
	}
	ben.shows("/proposals/1", "It was confirmed by ben")
	if status, _, _ := ben.post("/proposals/1/decline", url.Values{"why": {"no"}}); status == 303 {
		t.Error("a proposal that is over was declined")
	}
}

func TestThePostingQueue(t *testing.T) {
	d := newDesk(t)
	d.Fill()
	names := d.FillWaiting()
	d.Add("olga", access.Operator)
	olga := d.as("olga", good)
	olga.shows("/postings", "WH/IN/00012", "the connection was refused &lt;script&gt;", "1.2s", "1 of the last 1 tries failed")
	olga.shows("/postings?state=posted", "WH/IN/00012")
	olga.shows("/postings?branch=BR09", "No posting fits")
	_, body, _ := olga.get("/postings?branch=BR03")
	link := regexp.MustCompile(`href="(/postings/BL[^"]+)"`).FindStringSubmatch(body)
	if link == nil {
		t.Fatal(body)
	}
	olga.shows(link[1], "Riverside, stock", "Dispensed", "odoo_unreachable", "Aspirin &lt;b&gt;500", names[6].String(), "Try now", "Plan again")
	name := strings.TrimPrefix(link[1], "/postings/")
	if status, _, to := olga.post("/postings/try", url.Values{"name": {name}, "why": {"Odoo is back"}}); status != 303 || to != link[1] {
		t.Errorf("%d to %q", status, to)
	}
	if _, body, _ := olga.get(link[1]); strings.Contains(body, "Try now") {
		t.Error("it is tried already, and still offered")
	}
	if status, _, _ := olga.post("/postings/plan", url.Values{"name": {name}, "why": {"the lot was mended"}}); status != 303 {
		t.Errorf("%d", status)
	}
	olga.shows(link[1], "withdrawn")
	if status, body, _ := olga.post("/postings/plan", url.Values{"name": {name}, "why": {"again"}}); status == 303 || !strings.Contains(body, "is over") {
		t.Errorf("%d: %s", status, body)
	}
	if status, _, _ := olga.get("/postings/BL/none"); status != 404 {
		t.Errorf("no posting: %d", status)
	}
}
