package app

import (
	"context"
	"log/slog"
	"time"

	"branchline/agent/dispense"
	"branchline/internal/feed"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

const (
	// settledEvery is how often it is looked whether the hub has told of settled rows.
	settledEvery = 2 * time.Second
	// maxSettledRun bounds what one run of the hub's word is taken for.
	maxSettledRun = 10_000
	// maxTold bounds what is remembered of what was told; then it is looked at anew.
	maxTold = 50_000
)

// settled takes rows off the branch's list that people at the hub have settled. One
// goroutine uses it.
type settled struct {
	// rows are what the hub has told.
	rows func() []feed.Outcome
	// read gives records of the outbox.
	read   func(epoch string, lane movement.Lane, from uint64, maxRecords, maxBytes int) (*wire.Batch, error)
	settle func(ctx context.Context, words map[string]dispense.HubWord) (int, error)
	log    *slog.Logger
	// done are the places that need not be looked at again.
	done map[place]bool
	// failing is set while it fails, so that it is logged once.
	failing bool
}

// place is where a record stands.
type place struct {
	epoch string
	lane  movement.Lane
	seq   uint64
}

func (a *App) settledAtHub() *settled {
	return &settled{rows: func() []feed.Outcome { return a.reference.Waiting().Settled }, read: a.outbox.Read, settle: a.exports.SettledAtHub,
		log: a.log, done: map[place]bool{}}
}

// run follows what the hub tells until ctx ends.
func (s *settled) run(ctx context.Context) error {
	tick := time.NewTicker(settledEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			s.take(ctx)
		}
	}
}

// take takes in what the hub has told since. What cannot be kept now is tried again.
func (s *settled) take(ctx context.Context) {
	if len(s.done) > maxTold {
		clear(s.done)
	}
	words := map[string]dispense.HubWord{}
	var places []place
	for _, o := range s.rows() {
		for _, r := range o.Runs {
			if r.Last < r.First || r.Last-r.First >= maxSettledRun {
				continue
			}
			for seq := r.First; seq <= r.Last; seq++ {
				at := place{o.Epoch, o.Lane, seq}
				if s.done[at] {
					continue
				}
				places = append(places, at)
				if key := s.keyOf(at); key != "" {
					words[key] = dispense.HubWord{As: string(r.State), Who: r.Who, Why: r.Why, At: time.Unix(r.At, 0)}
				}
			}
		}
	}
	if len(places) == 0 {
		return
	}
	n, err := s.settle(ctx, words)
	if err != nil {
		if !s.failing && ctx.Err() == nil {
			s.log.Warn("rows that were settled at the hub stay on the list for now", "err", err)
		}
		s.failing = true
		return
	}
	s.failing = false
	for _, p := range places {
		s.done[p] = true
	}
	if n > 0 {
		s.log.Info("rows were settled at the hub", "rows", n)
	}
}

// keyOf is the natural key of a record; empty for one that is kept no longer, or of
// another outbox.
func (s *settled) keyOf(at place) string {
	b, err := s.read(at.epoch, at.lane, at.seq, 1, maxRecord)
	if err != nil || b == nil || b.First != at.seq || len(b.Records) == 0 {
		return ""
	}
	m, err := movement.Decode(b.Records[0])
	if err != nil || m.Problem == nil {
		return ""
	}
	return m.NaturalKey
}
