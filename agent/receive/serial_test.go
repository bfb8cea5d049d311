package receive

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"branchline/agent/outbox"
	"branchline/agent/scan"
	"branchline/internal/gs1"
	"branchline/internal/movement"
)

// do scans a code for a purpose.
func (c *rig) do(p scan.Purpose, code string) scan.Answer {
	c.t.Helper()
	c.now = c.now.Add(time.Minute)
	sc := scan.Scan{Station: "front", Scanner: "front", Purpose: p, Raw: []byte(code), At: c.now, By: "AB"}
	sc.Read(gs1.Profile{Separators: gs1.SeparatorsProved})
	a, err := c.desk.Scan(context.Background(), sc)
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

// A pack that is looked up tells what the branch has done with it: also under another
// code of its product, from an import, and while it is not confirmed. Another pack,
// and another product with the same serial, tell nothing.
func TestASerialTellsWhatWasDoneWithIt(t *testing.T) {
	const pen, pen2 = "]d201" + "04012345678925" + "21S1", "]d201" + "04012345678925" + "21S2"
	c := openWith(t, t.TempDir(), known())
	defer func() { c.store.Close() }()
	look := func(code string) scan.Answer { c.t.Helper(); return c.do(scan.LookUp, code) }
	says := func(code, sound string, want ...string) {
		t.Helper()
		a := look(code)
		for _, w := range want {
			if !strings.Contains(a.Text, w) || a.Sound.String() != sound || !a.Unrecorded {
				t.Errorf("it says %s/%s: %s\nwant %s", a.Sound, a.Code, a.Text, w)
			}
		}
	}
	says(pen, "ok", `Insulin, serial "S1". Nothing is recorded of its serial here, in what is kept`)
	says("4012345678925", "ok", "Insulin")
	if a := look("4012345678925"); strings.Contains(a.Text, "serial") {
		t.Error(a.Text)
	}
	c.do(scan.Receive, "P00017")
	c.do(scan.Receive, pen)
	says(pen, "ok", `serial "S1". Scanned for delivery P00017, which is not confirmed yet`)
	c.do(scan.Receive, "BL-ACCEPT")
	c.do(scan.Receive, "BL-CONFIRM")
	received := "Received on 23 November 2026 10:"
	says(pen, "ok", received, "with P00017 by AB")
	c.do(scan.Dispense, pen)
	c.do(scan.Dispense, "BL-CONFIRM")
	says(pen, "warn", received, ". Handed out on 23 November 2026 10:", " by AB")
	if a := look(pen); a.Code != SerialLeft || strings.Contains(a.Text, "with dispense@") {
		t.Error(a)
	}
	c.restart()
	says(pen, "warn", received, ". Handed out on")
	c.do(scan.Return, pen)
	c.do(scan.Return, "BL-CONFIRM")
	says(pen, "ok", received, "Handed out on", "Came back on")
	says(pen2, "ok", "Nothing is recorded")
	says("]d2010401234567891821S1", "ok", "Plasters", "Nothing is recorded")
	for range maxStory {
		c.do(scan.Count, pen)
		c.do(scan.Count, "BL-CONFIRM")
	}
	says(pen, "ok", "3 earlier events are left out here. Counted on")

	// As an import names it, by another code of the product.
	m := &movement.Movement{Kind: movement.Dispense, Product: movement.Product{Scheme: movement.SKU, Code: insulin}, Serial: "S2", Quantity: movement.Units(1),
		OccurredAt: c.now, NaturalKey: "till/1", Document: movement.Document{Type: "dispensing", Ref: "B-7"}}
	if _, err := c.store.Append(context.Background(), outbox.Write{Lane: movement.Bulk, Movements: []*movement.Movement{m}}); err != nil {
		t.Fatal(err)
	}
	says(pen2, "warn", "Handed out on 23 November 2026", "with B-7")
}

// past answers as it is told.
type past struct {
	places map[string]outbox.Place
	err    error
	wait   bool
}

func (p past) Known(keys ...string) ([]outbox.Place, error) {
	list := make([]outbox.Place, len(keys))
	for i, k := range keys {
		list[i] = p.places[k]
	}
	return list, nil
}

func (p past) Holding(ctx context.Context, _ []byte, _ func(outbox.Place, []byte) bool) error {
	if p.wait {
		return fmt.Errorf("cut: %w", context.DeadlineExceeded)
	}
	return p.err
}

// Of what is too old only the key is remembered, which is said; so is that something
// could not be looked up.
func TestASerialThatIsOlderThanTheRecords(t *testing.T) {
	const key = "serial/%s/04012345678925/S1"
	by := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	at := func(kinds ...movement.Kind) map[string]outbox.Place {
		m := map[string]outbox.Place{}
		for _, k := range kinds {
			m[fmt.Sprintf(key, k)] = outbox.Place{Known: true, By: by}
		}
		return m
	}
	for want, p := range map[string]past{
		"warn Handed out before 1 September 2026, of which the record is kept no longer":                                  {places: at(movement.Dispense)},
		"ok Handed out before 1 September 2026, of which the record is kept no longer. Came back before 1 September 2026": {places: at(movement.Dispense, movement.Return)},
		"warn Wasted before 1 September 2026, of which the record was not found. Not all records could be looked through": {places: at(movement.Wastage), wait: true},
		"ok Nothing was found of its serial here, and not all records could be looked through":                            {wait: true},
		"ok What was recorded of its serial cannot be looked up now":                                                      {err: errors.New("the disk")},
	} {
		c := openWith(t, t.TempDir(), known())
		c.desk.Past = p
		a := c.do(scan.LookUp, "]d201"+"04012345678925"+"21S1")
		if got := a.Sound.String() + " " + strings.TrimPrefix(a.Text, `Insulin, serial "S1". `); !strings.HasPrefix(got, want) {
			t.Errorf("it says %s\nwant %s", got, want)
		}
		c.store.Close()
	}
}
