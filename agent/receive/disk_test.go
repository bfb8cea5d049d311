package receive

import (
	"context"
	"errors"
	"testing"

	"branchline/agent/outbox"
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// flaky fails on demand, before or after the commit.
type flaky struct {
	Store
	before, after error
}

func (f *flaky) Append(ctx context.Context, w outbox.Write) ([]outbox.Place, error) {
	if f.before != nil {
		return nil, f.before
	}
	p, err := f.Store.Append(ctx, w)
	if err == nil && f.after != nil {
		return nil, f.after
	}
	return p, err
}

func TestNothingIsClaimedThatIsNotOnDisk(t *testing.T) {
	c := open(t, t.TempDir())
	defer c.store.Close()
	store := &flaky{Store: c.store}
	c.desk.Store = store
	c.scan("P00017")
	c.scan(plain)
	full := fault.New(fault.Transient, "outbox_full", "full")
	store.before = full
	for _, s := range []string{plain, "BL-UNDO", "BL-QTY-3", "BL-CONFIRM", "4012345678902"} {
		if a, err := c.desk.Scan(t.Context(), c.read(s)); !errors.Is(err, full) || a.Sound != scan.Refused {
			t.Errorf("%s: %+v, %v", s, a, err)
		}
	}
	store.before = nil
	if s := c.desk.Sessions(); len(s) != 1 || len(s[0].Entries) != 1 || s[0].Entries[0].Quantity != movement.Units(1) {
		t.Errorf("sessions %+v", s)
	}
	// The commit is done but its answer is lost: confirming again doubles
	// nothing.
	store.after = full
	if _, err := c.desk.Scan(t.Context(), c.read("BL-CONFIRM")); !errors.Is(err, full) {
		t.Error(err)
	}
	store.after = nil
	if a := c.scan("BL-CONFIRM"); a.Sound != scan.OK {
		t.Errorf("answered %+v", a)
	}
	if got := c.recorded(); got != "P00017 4012345678901//=1" {
		t.Errorf("recorded %q", got)
	}
}
