package web_test

import (
	"encoding/csv"
	"net/url"
	"slices"
	"strings"
	"testing"

	"branchline/hub/access"
	"branchline/hub/ledger"
)

func TestThePagesSayWhatIsOtherwise(t *testing.T) {
	d := newDesk(t)
	d.Reconcile()
	d.Add("ann", access.Operator)
	d.Add("otto", access.Auditor)
	d.Add("pia", access.Approver)
	ann, otto, pia := d.as("ann", good), d.as("otto", good), d.as("pia", good)
	for path, want := range map[string][]string{
		"/reconciliation":                {"7 differences", "Riverside &lt;script&gt;", "and 37 not sent", "3 lost", "20 in a changed document", "374 missing in Odoo", "Never compared", "asked for by bob", "BR02 is being compared: 120 of 311 documents", "The comparison waits since", "Compare all branches now", "Not compared"},
		"/reconciliation?only=otherwise": {"BR01"},
		"/reconciliation?branch=high":    {"BR02"},
		"/reconciliation?branch=x":       {"No branch fits"},
		"/reconciliation/BR01": {"5-402/9f2c41d2</a>", "https://odoo.example/web#id=13&amp;model=stock.picking", "Cancelled in Odoo", "Somebody has cancelled it", "3 too few of Aspirin", "bulk:410-412", "374 missing in Odoo",
			"4 on the way", "37 more captured and not sent yet", "28", "−8", "−5", "Product Quantity Updated", "WH/OUT/00031", "ours, otherwise than it was posted", "all lots together", "Odoo tells of nobody else", "1 code was not compared", "Odoo had more moves", "Compare now"},
		"/reconciliation/BR02": {"Equal", "The stock was not compared: the hub knows no warehouse BR02", "has not said anything of its outbox", "by the schedule", "BR02 is being compared: 120"},
		"/reconciliation/BR03": {"never compared"},
	} {
		status, body, _ := ann.get(path)
		if status != 200 || strings.Contains(body, "<script>alert") {
			t.Errorf("%s: %d, or script from outside", path, status)
		}
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s: no %q", path, w)
			}
		}
		if strings.Contains(body, "Take Odoo's stock as it is") {
			t.Errorf("%s: an operator is offered what only an approver may", path)
		}
	}
	if _, body, _ := ann.get("/reconciliation?only=otherwise"); strings.Contains(body, "BR03") {
		t.Error("a branch that does not fit is shown")
	}
	if _, body, _ := otto.get("/reconciliation/BR01"); strings.Contains(body, "Compare now") {
		t.Error("an auditor is offered to compare")
	}
	if _, body, _ := pia.get("/reconciliation/BR01"); !strings.Contains(body, "Take Odoo's stock as it is") {
		t.Error("an approver is not offered to go on from Odoo's stock")
	}
	for _, path := range []string{"/reconciliation/NONE", "/reconciliation/NONE/stock.csv", "/reconciliation/BR01/x.csv", "/reconciliation/BR03/days.csv"} {
		if status, _, _ := ann.get(path); status != 404 {
			t.Errorf("%s: %d", path, status)
		}
	}
}

func TestAPersonHasItCompared(t *testing.T) {
	d := newDesk(t)
	d.Reconcile()
	d.Add("ann", access.Operator)
	d.Add("pia", access.Approver)
	ann, pia := d.as("ann", good), d.as("pia", good)
	if _, _, to := ann.post("/reconciliation", url.Values{"branch": {"BR01"}}); to != "/reconciliation/BR01" {
		t.Errorf("sent to %q", to)
	}
	if status, body, _ := pia.post("/reconciliation/BR01/stock", url.Values{"why": {"  "}}); status != 409 || !strings.Contains(body, "word why") {
		t.Errorf("%d %s", status, body)
	}
	if _, _, to := pia.post("/reconciliation/BR01/stock", url.Values{"why": {"counted on Sunday"}}); to != "/reconciliation/BR01" {
		t.Errorf("sent to %q", to)
	}
	queue, err := d.Ledger.ReconcileQueue(t.Context())
	d.Must(err)
	i := slices.IndexFunc(queue, func(q ledger.ToReconcile) bool { return q.Branch == "BR01" })
	if len(queue) != 2 || i < 0 || queue[i].Who != "pia" || queue[i].StartWhy != "counted on Sunday" {
		t.Errorf("%+v", queue)
	}
	if _, _, to := ann.post("/reconciliation", nil); to != "/reconciliation" {
		t.Errorf("sent to %q", to)
	}
	if queue, err = d.Ledger.ReconcileQueue(t.Context()); err != nil || len(queue) != 3 {
		t.Errorf("%+v, %v", queue, err)
	}
	if status, _, _ := ann.post("/reconciliation", url.Values{"branch": {"NONE"}}); status != 404 {
		t.Errorf("a branch that is not there: %d", status)
	}
}

// What somebody did in Odoo on purpose an approver takes as it is there, with a word
// why; what is lost nobody can.
func TestAnApproverAcceptsWhatIsInOdoo(t *testing.T) {
	d := newDesk(t)
	d.Reconcile()
	d.Add("ann", access.Operator)
	d.Add("pia", access.Approver)
	ann, pia := d.as("ann", good), d.as("pia", good)
	const changed, page = "BL/BR01/aaaa/B5-402/9f2c41d2", "/reconciliation/BR01"
	if _, body, _ := ann.get(page); strings.Contains(body, "It is right in Odoo") {
		t.Error("an operator is offered to accept")
	}
	_, body, _ := pia.get(page)
	if n := strings.Count(body, "It is right in Odoo"); n != 3 {
		t.Errorf("of gone, cancelled, changed, lost and unknown %d can be accepted, not 3", n)
	}
	status, body, _ := pia.get(page + "/accept?posting=" + url.QueryEscape(changed))
	if status != 200 || !strings.Contains(body, "3 too few of Aspirin &lt;script&gt;") || strings.Contains(body, "<script>alert") {
		t.Errorf("%d %s", status, body)
	}
	if status, _, _ := pia.get(page + "/accept?posting=" + url.QueryEscape("BL/BR01/aaaa/B7-9/9f2c41d3")); status != 404 {
		t.Errorf("a document that is not known here can be accepted: %d", status)
	}
	last, _, err := d.Ledger.Reconciliation(t.Context(), "BR01")
	d.Must(err)
	form := url.Values{"posting": {changed}, "what": {"changed"}, "text": {last.Result.Records[2].Text}, "why": {" "}}
	if status, body, _ := pia.post(page+"/accept", form); status != 409 || !strings.Contains(body, "word why") {
		t.Errorf("%d %s", status, body)
	}
	form.Set("why", "the count of Sunday")
	if _, _, to := pia.post(page+"/accept", form); to != page {
		t.Errorf("sent to %q", to)
	}
	form.Set("text", "something else")
	if status, body, _ := pia.post(page+"/accept", form); status == 303 || !strings.Contains(body, "no such difference") {
		t.Errorf("%d %s", status, body)
	}
	all, err := d.Ledger.AcceptedDifferences(t.Context(), "BR01")
	d.Must(err)
	if len(all) != 1 || all[0].Who != "pia" || all[0].Why != "the count of Sunday" || all[0].Posting != changed {
		t.Errorf("%+v", all)
	}
	queue, err := d.Ledger.ReconcileQueue(t.Context())
	d.Must(err)
	if i := slices.IndexFunc(queue, func(q ledger.ToReconcile) bool { return q.Branch == "BR01" }); i < 0 || queue[i].Who != "pia" {
		t.Errorf("%+v", queue)
	}
}

func TestDifferencesAreSpreadsheets(t *testing.T) {
	d := newDesk(t)
	d.Reconcile()
	d.Add("ann", access.Auditor)
	ann := d.as("ann", good)
	for path, want := range map[string]string{
		"/reconciliation.csv":              "BR01|Riverside <script>alert(1)</script>|",
		"/reconciliation/BR01/days.csv":    "BR01|",
		"/reconciliation/BR01/records.csv": "BR01|",
		"/reconciliation/BR01/stock.csv":   "BR01|difference|1|ASP500|Aspirin <script>alert(1)</script>|A77-O1|Units|40|-12|28|20|-8|-2||||",
	} {
		status, body, _ := ann.get(path)
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff"))).ReadAll()
		if status != 200 || err != nil || len(rows) < 3 {
			t.Errorf("%s: %d, %v, %d rows", path, status, err, len(rows))
			continue
		}
		if got := strings.Join(rows[1], "|"); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", path, got)
		}
	}
	if _, body, _ := ann.get("/reconciliation/BR01/stock.csv"); strings.Count(body, "BR01,move,") != 3 || !strings.Contains(body, "Marc Demo,WH/OUT/00031,-3,") {
		t.Error(body)
	}
}
