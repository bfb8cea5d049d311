package web_test

import (
	"errors"
	"testing"
	"time"

	"branchline/hub/access"
	"branchline/hub/ledger"
	"branchline/hub/room"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/odoo"
	"branchline/internal/ui/uitest"
)

// Every page can be used by everybody, on a large screen, a tablet and a phone,
// in the light and in the dark.
func TestEverybodyCanUseThePages(t *testing.T) {
	uitest.NeedAxe(t)
	d := newDesk(t)
	d.shown = fullBoard()
	d.Add("ina", access.Roles...)
	d.Add("annalena.schmidt-hohenfels", access.Operator, access.Approver)
	d.Must(d.Access.Disable(t.Context(), "test", "annalena.schmidt-hohenfels"))
	_, err := d.Access.Add(t.Context(), "test", "new", "Newcomer", []access.Role{access.Auditor})
	d.Must(err)

	d.Fill()
	d.Reconcile()
	waiting := d.FillWaiting()
	d.SecondPerson = []string{"discard"}
	_, err = d.Decide(t.Context(), room.Decision{Choice: "discard", Movements: []string{waiting[3].String()}, Who: "annalena", Why: "the lot was typed wrong"})
	d.Must(err)
	posting := ledger.PostingName(movement.Dispense, ledger.RunsOf(waiting[6:]))
	d.Must(d.Ledger.Write(t.Context(), func(tx *ledger.Tx) error {
		now := time.Now()
		return errors.Join(tx.SetAlert(ledger.Alert{Rule: "silent", Branch: "BR02", Text: "BR02: silent since 09:12, though it is open", Since: now.Add(-time.Hour), ToldAt: now}),
			tx.SetAlert(ledger.Alert{Rule: "said", Branch: "BR01", Text: "BR01: says: " + script, Since: now}),
			tx.SetAlert(ledger.Alert{Rule: "odoo", Text: "Odoo does not answer", Since: now.Add(-time.Hour), EndedAt: now}))
	}))

	page := uitest.Open(t, d.url)
	looks := func(width, height int64, suffix string, paths map[string]string) {
		t.Helper()
		page.Size(width, height)
		for path, name := range paths {
			page.Go(d.url + path)
			page.Shot(name + suffix)
			if found := page.Unusable(width); found != "" {
				t.Errorf("%s at %d%s:\n%s", path, width, suffix, found)
			}
		}
	}
	all := func(paths map[string]string) {
		t.Helper()
		looks(1366, 768, "", paths)
		looks(820, 1180, "-tablet", paths)
		looks(390, 844, "-phone", paths)
	}
	all(map[string]string{"/sign-in": "sign-in"})
	page.Click("#login")
	page.Type("ina")
	page.Click("#password")
	page.Type(good)
	page.Press(uitest.Enter)
	page.WaitText("documents waiting for Odoo")
	pages := map[string]string{"/": "board", "/me": "me", "/people": "people", "/none": "nothing", "/trace": "trace-empty", "/trace?lot=a7701": "trace",
		"/trace?lot=none": "trace-none", "/recall": "recall-empty", "/recall?lot=A7701": "recall", "/recall?lot=none": "recall-none", "/audit": "audit", "/alerts": "alerts", "/paper": "paper", "/paper?branch=BR01": "paper-branch", "/paper/print?branch=BR01&kind=receipt&sheets=2": "paper-forms",
		"/reconciliation": "reconciliation", "/reconciliation?branch=none": "reconciliation-none", "/reconciliation/BR01": "reconciled", "/reconciliation/BR02": "reconciled-equal", "/reconciliation/BR03": "reconciled-never",
		"/reconciliation/BR01/accept?posting=BL/BR01/aaaa/B5-402/9f2c41d2": "accept",
		"/exceptions": "exceptions", "/exceptions?reason=unknown_product": "exceptions-reason", "/exceptions?text=none": "exceptions-none",
		"/exceptions/" + waiting[0].String(): "exception-map", "/exceptions/" + waiting[4].String(): "exception-correct", "/exceptions/" + waiting[5].String(): "exception-release",
		"/proposals/1": "proposal", "/postings": "postings", "/postings/" + posting: "posting",
		"/movements/BR01/" + epoch + "/bulk/3": "movement", "/movements/BR01/" + epoch + "/bulk/1": "movement-posted"}
	all(pages)
	page.Dark()
	dark := map[string]string{}
	for path, name := range pages {
		dark[path] = name + "-dark"
	}
	looks(1366, 768, "", dark)
}

func TestEverybodyCanSeeWhatRunsLow(t *testing.T) {
	uitest.NeedAxe(t)
	d := newDesk(t)
	d.Add("ina", access.Operator)
	d.Replenish()
	d.Order(func(int64) (odoo.Replenished, error) { return odoo.Replenished{Wanted: 7, Order: "P00012"}, nil })
	asked := room.OrderStock{Branch: "BR01", Rule: 1, Who: "ina"}
	_, err := d.OrderStock(t.Context(), asked)
	d.Must(err)
	d.Order(func(int64) (odoo.Replenished, error) {
		return odoo.Replenished{}, fault.New(fault.Data, odoo.CodeRefused, "Odoo refused: there is no matching vendor price to generate the purchase order for product Aspirin")
	})
	if _, err := d.OrderStock(t.Context(), asked); err == nil {
		t.Error("it was not refused")
	}
	page := uitest.Open(t, d.url)
	page.Go(d.url + "/sign-in?next=/replenishment")
	page.Click("#login")
	page.Type("ina")
	page.Click("#password")
	page.Type(good)
	page.Press(uitest.Enter)
	page.WaitText("runs low")
	for _, dark := range []string{"", "-dark"} {
		if dark != "" {
			page.Dark()
		}
		for _, size := range []struct {
			width, height int64
			name          string
		}{{1366, 768, ""}, {820, 1180, "-tablet"}, {390, 844, "-phone"}} {
			page.Size(size.width, size.height)
			for path, name := range map[string]string{"/replenishment": "replenishment", "/replenishment?branch=none": "replenishment-none", "/replenishment/BR01": "replenishment-branch", "/replenishment/BR02": "replenishment-untold"} {
				page.Go(d.url + path)
				page.Shot(name + size.name + dark)
				if found := page.Unusable(size.width); found != "" {
					t.Errorf("%s at %d%s:\n%s", path, size.width, dark, found)
				}
			}
		}
	}
}
