package ledger

import (
	"context"
	"slices"
	"sync"
)

// stirrings collects, for each watch, the streams that were stirred.
type stirrings struct {
	mu  sync.Mutex
	all map[*BranchWatch]bool
}

// BranchWatch tells of which branches movements have come or changed. It is for
// one goroutine.
type BranchWatch struct {
	l       *Ledger
	streams map[int64]bool
}

// WatchBranches begins a watch; end it with [BranchWatch.Stop]. What another
// process changes in the same database is not told.
func (l *Ledger) WatchBranches() *BranchWatch {
	w := &BranchWatch{l: l, streams: map[int64]bool{}}
	l.stirred.mu.Lock()
	defer l.stirred.mu.Unlock()
	if l.stirred.all == nil {
		l.stirred.all = map[*BranchWatch]bool{}
	}
	l.stirred.all[w] = true
	return w
}

// Stop ends the watch.
func (w *BranchWatch) Stop() {
	w.l.stirred.mu.Lock()
	defer w.l.stirred.mu.Unlock()
	delete(w.l.stirred.all, w)
}

// Take gives the branches that were stirred since it was last asked, in no
// order. After an error they are given the next time.
func (w *BranchWatch) Take(ctx context.Context) (branches []string, err error) {
	w.l.stirred.mu.Lock()
	streams := w.streams
	w.streams = map[int64]bool{}
	w.l.stirred.mu.Unlock()
	for id := range streams {
		k, err := w.l.streamByID(w.l.reader(ctx), id)
		if err != nil {
			w.l.stirred.mu.Lock()
			defer w.l.stirred.mu.Unlock()
			for id := range streams {
				w.streams[id] = true
			}
			return nil, classify(err)
		}
		if !slices.Contains(branches, k.Branch) {
			branches = append(branches, k.Branch)
		}
	}
	return branches, nil
}

func (s *stirrings) add(streams map[int64]bool) {
	if len(streams) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.all {
		for id := range streams {
			w.streams[id] = true
		}
	}
}
