package web_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// The serials of a list are counted while it is scanned, and listed by their lots
// where it is looked over and on its receipt; one that did not come is in neither.
func TestSerialsAreShown(t *testing.T) {
	d := newDesk()
	line := &d.view.Lines[2]
	line.Entries[0].Serial, line.Entries[1].Serial = "SN-100", "SN-200"
	line.Lots[0].Serials, line.Lots[1].Serials = 1, 2
	gone := line.Entries[0]
	gone.Serial, gone.Set = "SN-300", "short"
	line.Entries = append(line.Entries, gone)
	_, url := serve(t, d)
	get := func(path string) string {
		t.Helper()
		r, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	const session = "/session/BR12%2FIN%2F00042@20261123T094100.000Z"
	if page := get(session); !strings.Contains(page, "1 serial<") || !strings.Contains(page, "2 serials<") {
		t.Error("the list does not count serials")
	}
	review := get(session + "/review")
	first, second := strings.Index(review, "SN-100"), strings.Index(review, "SN-200")
	if m1, m2 := strings.Index(review, ">M1<"), strings.Index(review, ">M2<"); m1 < 0 || first < m1 || m2 < first || second < m2 || strings.Contains(review, "SN-300") {
		t.Errorf("lots at %d, %d, serials at %d, %d", m1, m2, first, second)
	}
}
