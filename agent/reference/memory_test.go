package reference_test

import (
	"testing"
	"time"

	"branchline/agent/reference"
	"branchline/internal/feed"
	"branchline/internal/movement"
)

func TestDeliveriesOfAnOrderAreJoined(t *testing.T) {
	due := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	m := &reference.Memory{Expected: []feed.Delivery{
		{Key: "2", Name: "BR01/IN/00002", Order: "P00007, P00008", Due: due.AddDate(0, 0, 1), Lines: []feed.DeliveryLine{
			{Product: "1", Ordered: movement.Units(12), Received: movement.Units(4)}, {Product: "2", Ordered: movement.Units(3)}}},
		{Key: "1", Name: "BR01/IN/00001", Order: "P00007", Due: due, Lines: []feed.DeliveryLine{
			{Product: "1", Ordered: movement.Units(6), Received: movement.Units(4)}}},
	}}
	d, ok := m.Delivery(movement.Document{Type: "order", Ref: "P00007"})
	if !ok || d.Name != "BR01/IN/00001" || len(d.Lines) != 2 {
		t.Fatalf("%+v %v", d, ok)
	}
	if l := d.Lines[0]; l.Open() != movement.Units(10) || l.Received != movement.Units(4) || l.Ordered != movement.Units(14) {
		t.Errorf("joined to %+v", l)
	}
	if m.Expected[1].Lines[0].Ordered != movement.Units(6) {
		t.Error("joining changed what was joined")
	}
	for ref, want := range map[movement.Document]string{
		{Type: "order", Ref: "P00008"}:           "BR01/IN/00002",
		{Type: "delivery", Ref: "BR01/IN/00001"}: "BR01/IN/00001",
		{Type: "order", Ref: "P0000"}:            "",
		{Type: "session", Ref: "P00007"}:         "",
		{Type: "order"}:                          "",
	} {
		if d, ok := m.Delivery(ref); d.Name != want || ok != (want != "") {
			t.Errorf("%v: %q %v", ref, d.Name, ok)
		}
	}
}

func TestWordsAreComparedWithoutCaseAndAccents(t *testing.T) {
	m := &reference.Memory{Catalogue: []feed.Product{
		{Key: "1", Name: "Ibuprofène 400 mg, 20 comprimés", Barcode: "4006381333931", Reference: "IB-400"},
		{Key: "2", Name: "Ibuprofen 600"}, {Key: "3", Name: "Süßholz"}, {Key: "4", Name: "Ibuprofen 200", Archived: true},
	}}
	for text, want := range map[string]string{
		"ibu": "21", "IBU 400": "1", "400 ibu": "1", "comprimes": "1", "sussholz": "3", "4006381": "1", "ib 400": "1", "profen": "", "": "", "- ,": "",
	} {
		got := ""
		for _, p := range m.Search(text, 10) {
			got += p.Key
		}
		if got != want {
			t.Errorf("%q finds %q, want %q", text, got, want)
		}
	}
	if got := m.Search("ibu", 1); len(got) != 1 {
		t.Errorf("%d found, want 1", len(got))
	}
}
