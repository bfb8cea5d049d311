package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"branchline/hub/access"
	"branchline/hub/room"
	"branchline/internal/feed"
	"branchline/internal/movement"
	"branchline/internal/paper"
)

// Forms are printed for a branch whose PC is gone: blank ones, and what it expects.
func TestFormsArePrintedForABranch(t *testing.T) {
	d := newDesk(t)
	d.Add("ann", access.Operator)
	const code = "BR01"
	d.Room.Branches = []room.Branch{{Code: code, Name: "High Street"}}
	d.Expected = func(branch string) ([]feed.Delivery, time.Time) {
		if branch != code {
			return nil, time.Time{}
		}
		list := []feed.Delivery{{Key: "1", Name: "B/IN/1", Order: "P00017", Partner: script}}
		for range 20 {
			list[0].Lines = append(list[0].Lines, feed.DeliveryLine{Product: "7", Name: "Amoxicillin " + script, Ordered: movement.Units(6), Unit: "packs"})
		}
		return list, time.Now()
	}
	b := d.as("ann", good)
	get := func(path string, want int) string {
		t.Helper()
		status, body, _ := b.get(path)
		if status != want {
			t.Fatalf("%s: %d, want %d", path, status, want)
		}
		return body
	}
	if body := get("/paper?branch="+code, http.StatusOK); !strings.Contains(body, "order=P00017") || strings.Contains(body, script) {
		t.Error("the delivery is not offered, or a script is in the page")
	}
	number := regexp.MustCompile(`Form <b>([0-9A-Z-]+)</b>`)
	seen := map[string]bool{}
	for path, sheets := range map[string]int{"kind=dispense&sheets=3": 3, "kind=receipt": 1, "order=P00017": 2} {
		body := get("/paper/print?branch="+code+"&"+path, http.StatusOK)
		found := number.FindAllStringSubmatch(body, -1)
		if len(found) != sheets || strings.Contains(body, script) || !strings.Contains(body, "Write no names of patients") || !strings.Contains(body, "data-still") {
			t.Errorf("%s: %d sheets", path, len(found))
		}
		for _, f := range found {
			if _, err := paper.Parse(f[1]); err != nil || seen[f[1]] {
				t.Errorf("%s: %s was there before: %v, %v", path, f[1], seen[f[1]], err)
			}
			seen[f[1]] = true
		}
	}
	get("/paper?branch=none", http.StatusNotFound)
	get("/paper/print?branch=none&kind=receipt", http.StatusNotFound)
	get("/paper/print?branch="+code+"&order="+url.QueryEscape("P9 "+script), http.StatusConflict)
	get("/paper/print?branch="+code+"&kind=plan", http.StatusConflict)
}
