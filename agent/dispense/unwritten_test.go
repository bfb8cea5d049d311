package dispense

import (
	"context"
	"testing"
	"time"

	"branchline/agent/outbox"
	"branchline/internal/fault"
)

// fullStore has no room until it is emptied.
type fullStore struct {
	Store
	full bool
}

func (s *fullStore) Append(ctx context.Context, w outbox.Write) ([]outbox.Place, error) {
	if s.full {
		return nil, fault.New(fault.Transient, "outbox_full", "the outbox is full")
	}
	return s.Store.Append(ctx, w)
}

// A full outbox stops the reading of exports and not the agent, whose uplink must
// empty it; afterwards all is as if there had been room from the start.
func TestAFullOutboxKeepsNoAgentFromStarting(t *testing.T) {
	p := open(t, nil)
	for space, key := range map[string]string{secretSpace: "lines", readSpace: p.e.Name} { // as before the first start
		if _, err := p.store.Append(t.Context(), outbox.Write{Notes: []outbox.Note{{Space: space, Key: key}}}); err != nil {
			t.Fatal(err)
		}
	}
	store := &fullStore{Store: p.store, full: true}
	d, err := New(Config{Exports: []Export{p.e}}, Options{Store: store, Log: p.d.adapters[0].Log, Now: func() time.Time { return p.now }})
	if err != nil {
		t.Fatal(err)
	}
	a := d.adapters[0]
	if len(a.waiting) != 2 {
		t.Errorf("%d notes wait", len(a.waiting))
	}
	p.put("a.csv", head+row(1, 1, "2"))
	a.look(t.Context())
	if s := d.Status()[0]; s.State != Waiting || s.Code != "outbox_full" {
		t.Errorf("%+v", s)
	}
	store.full = false
	p.d = d
	p.look()
	p.want("R1/1=2")
	if len(a.waiting) != 0 {
		t.Errorf("%d notes wait still", len(a.waiting))
	}
	again, err := New(Config{Exports: []Export{p.e}}, a.Options)
	if err != nil || string(again.adapters[0].secret) != string(a.secret) {
		t.Errorf("another secret after the next start, %v", err)
	}
}
