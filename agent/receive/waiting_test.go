package receive

import (
	"testing"

	"branchline/agent/scan"
	"branchline/internal/movement"
)

func TestWaiting(t *testing.T) {
	c := open(t, t.TempDir())
	defer func() { c.store.Close() }()
	if w := c.desk.Waiting(); w != (Waiting{}) {
		t.Errorf("nothing is open, got %+v", w)
	}
	for _, s := range []string{"P00017", lotted, "BL-QTY-7", plain, "b:P00018", "count:" + plain} {
		c.scan(s)
	}
	want := Waiting{Deliveries: 2, Counts: 1, Lines: 3, Oldest: c.desk.Sessions()[0].Opened}
	if _, _, err := c.desk.Open(t.Context(), scan.Dispense, movement.Document{}, "front"); err != nil {
		t.Fatal(err)
	}
	want.Others = 1
	for range 2 {
		stored, err := CountWaiting(c.store)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.desk.Waiting(); !got.same(want) || !stored.same(want) {
			t.Errorf("the desk says %+v, the outbox %+v, want %+v", got, stored, want)
		}
		c.restart()
	}
}

func (w Waiting) same(o Waiting) bool {
	return w.Deliveries == o.Deliveries && w.Counts == o.Counts && w.Others == o.Others && w.Lines == o.Lines && w.Oldest.Equal(o.Oldest)
}
