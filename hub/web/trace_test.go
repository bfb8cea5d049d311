package web_test

import (
	"encoding/csv"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"branchline/hub/access"
	"branchline/hub/ledger"
	"branchline/hub/room/roomtest"
)

const (
	epoch  = roomtest.Epoch
	script = roomtest.Script
)

func TestAMovementIsFollowedToOdoo(t *testing.T) {
	d := newDesk(t)
	d.Fill()
	d.Add("ann", access.Operator)
	ann := d.as("ann", good)
	for path, want := range map[string][]string{
		"/trace?lot=A7701":                     {"4 movements", "Aspirin &lt;b&gt;500", "in Odoo", "waits for a person", "WH/IN/00012", "/movements/BR01/" + epoch + "/bulk/1"},
		"/trace?product=4012345678918":         {"<h2>1 movement</h2>", "04012345678918"},
		"/trace?lot=A7701&branch=BR02":         {"<h2>1 movement</h2>", "from paper, form R7K2-M9Q4-X7 line 3"},
		"/movements/BR02/" + epoch + "/bulk/1": {"typed in from paper", "form R7K2-M9Q4-X7, line 3, by CD at ", "written on form R7K2-M9Q4-X7, line 3", "Typed in from the form, and recorded on the branch"},
		"/trace?serial=none":                   {"Nothing found", "offline may still have some"},
		"/trace?from=2026-01-01":               {"Nothing leads to so many", "name a product"},
		"/trace?branch=BR01&from=yesterday":    {"is no date"},
		"/trace?branch=BR01&after=x":           {"not whole"},
		"/movements/BR01/" + epoch + "/bulk/1": {"Receipt: Aspirin", "sales&lt;script&gt;", "line 17", "⟨GS⟩", "Recorded on the branch", "Received and acknowledged", "chain <code>", "Planned as a document", "Validated in Odoo", "https://odoo.example/web#id=12&amp;model=stock.picking"},
		"/movements/BR01/" + epoch + "/bulk/3": {"Waits for a person:", "another expiry"},
		"/recall?lot=A77-O1":                   {"Lot A77-O1", "Written otherwise: a7701", "2 branches together", "<b>30</b>", "1 movement of this lot waits for a person", "without a lot number"},
		"/recall?lot=B":                        {"No branch has ever sent this lot"},
	} {
		status, body, _ := ann.get(path)
		if status != 200 {
			t.Errorf("%s: %d", path, status)
		}
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s: no %q in\n%s", path, w, body)
			}
		}
		if strings.Contains(body, "<script>alert") {
			t.Errorf("%s: script from a branch", path)
		}
	}
	if _, _, to := ann.get("/trace?q=BR01/" + epoch + "/bulk/1"); to != "/movements/BR01/"+epoch+"/bulk/1" {
		t.Errorf("a movement's name leads to %q", to)
	}
	for path, want := range map[string]int{"/movements/BR01/" + epoch + "/bulk/99": 404, "/movements/x": 404, "/movements/": 404} {
		if status, _, _ := ann.get(path); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
}

func TestARecallIsASpreadsheet(t *testing.T) {
	d := newDesk(t)
	d.Fill()
	d.Add("ann", access.Auditor)
	_, body, _ := d.as("ann", good).get("/recall.csv?lot=A7701")
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 7 {
		t.Fatalf("%d rows, %v:\n%s", len(rows), err, body)
	}
	if got := strings.Join(rows[1], "|"); got != "A77-O1|BR01|gtin|04012345678901|Aspirin <b>500</b>|||10|0|10|" {
		t.Errorf("first row %s", got)
	}
	if !strings.Contains(body, "waits for a person") || !strings.Contains(body, "without a lot number") {
		t.Error(body)
	}
}

func TestTheAuditTrailIsReadSearchedAndChecked(t *testing.T) {
	d := newDesk(t)
	d.Add("otto", access.Auditor)
	otto := d.as("otto", good)
	d.Must(d.Ledger.Audit(t.Context(), ledger.Entry{At: time.Now(), Who: "=cmd()", Action: "discard", Subject: "BR01/1", Detail: "100% damaged " + script}))
	status, body, _ := otto.get("/audit?text=" + url.QueryEscape("100% DAM"))
	if status != 200 || !strings.Contains(body, "BR01/1") || strings.Contains(body, "signed in") || strings.Contains(body, "<script>alert") {
		t.Errorf("%d: %s", status, body)
	}
	if _, body, _ = otto.get("/audit?who=otto"); !strings.Contains(body, "signed in") || strings.Contains(body, "BR01/1") {
		t.Error(body)
	}
	if _, body, _ = otto.get("/audit?text=100_"); strings.Contains(body, "BR01/1") {
		t.Error("_ stands for any letter")
	}
	if _, body, _ = otto.post("/audit/verify", nil); !strings.Contains(body, "The trail is whole") {
		t.Error(body)
	}
	_, body, _ = otto.get("/audit.csv?action=discard")
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][2] != "'=cmd()" {
		t.Errorf("%v, %v", rows, err)
	}
	_, body, _ = otto.get("/audit.ndjson")
	lines := strings.Split(strings.TrimSpace(body), "\n")
	var e struct {
		ID   int64
		Hash string
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &e); err != nil || e.ID != 1 || len(e.Hash) != 64 {
		t.Errorf("%v, %v in %s", e, err, body)
	}
	d.Must(d.Ledger.Write(t.Context(), func(tx *ledger.Tx) error {
		_, err := tx.Exec(`UPDATE audit SET detail = 'nothing' WHERE id = 2`)
		return err
	}))
	if _, body, _ = otto.post("/audit/verify", nil); !strings.Contains(body, "The trail is not whole") || !strings.Contains(body, "ow 2 of the audit trail was altered") {
		t.Error(body)
	}
}
