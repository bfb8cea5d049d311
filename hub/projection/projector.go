package projection

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/prometheus/client_golang/prometheus"

	"branchline/hub/ledger"
)

// chunkMovements is about how many movements are projected in a transaction:
// enough to share its costs, few enough that ingest never waits long for it.
const chunkMovements = 4000

// chunkBatches and chunkBytes bound what is read for one chunk.
const (
	chunkBatches = 1000
	chunkBytes   = 1 << 20
)

// Projector keeps the derived tables up to date. There is one for a ledger.
type Projector struct {
	l       *ledger.Ledger
	log     *slog.Logger
	metrics *metrics
	// mu lets one catch-up or rebuild run at a time.
	mu sync.Mutex
	// products remembers the numbers of product codes, of which lastProduct is
	// the greatest. Held by mu.
	products    map[productKey]int64
	lastProduct int64
	// lots are numbers that are in their table. Held by mu.
	lots map[string]bool
}

// New makes a projector; reg may be nil.
func New(l *ledger.Ledger, log *slog.Logger, reg prometheus.Registerer) *Projector {
	return &Projector{l: l, log: log, metrics: newMetrics(reg), products: map[productKey]int64{}, lots: map[string]bool{}}
}

// Run projects what is there and then every batch as it is committed, until ctx
// ends. A failure is logged and tried again after a growing pause: the batches
// wait in the ledger.
func (p *Projector) Run(ctx context.Context) error {
	changed, stop := p.l.Watch(ledger.BatchCommitted | ledger.Ruled)
	defer stop()
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = 100*time.Millisecond, 30*time.Second
	for {
		err := p.CatchUp(ctx)
		if ctx.Err() != nil {
			return nil
		}
		var again <-chan time.Time
		if err == nil {
			pause.Reset()
		} else {
			d := pause.NextBackOff()
			p.log.Error("the projection stands still", "err", err, "again_in", d)
			again = time.After(d)
		}
		if again != nil {
			select {
			case <-again:
			case <-ctx.Done():
				return nil
			}
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

// Rebuild drops all derived tables and makes them again from the first batch.
// While it runs, people see what is already there again, and [Projector.Run]
// waits.
func (p *Projector) Rebuild(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.l.ResetDerived(ctx); err != nil {
		return fmt.Errorf("drop the derived tables: %w", err)
	}
	return p.catchUp(ctx)
}

// errOvertaken says that the cursor was moved by someone else.
var errOvertaken = errors.New("the projection's cursor was moved meanwhile")

// CatchUp projects all batches that are committed and looks again at what was
// released. While one chunk is written the next is read.
func (p *Projector) CatchUp(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.catchUp(ctx)
}

func (p *Projector) catchUp(ctx context.Context) error {
	if err := p.reconsiderAll(ctx); err != nil {
		return err
	}
	err := p.project(ctx)
	if errors.Is(err, errOvertaken) {
		err = p.project(ctx)
	}
	if err != nil {
		return err
	}
	return p.reconsiderAll(ctx)
}

func (p *Projector) project(ctx context.Context) error {
	after, committed, err := p.l.ProjectedThrough(ctx)
	if err != nil {
		return err
	}
	p.metrics.behind.Set(float64(committed - after))
	if after == committed {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	chunks := make(chan *chunk, 1)
	done := make(chan error, 1)
	go func() {
		defer close(chunks)
		done <- p.readChunks(ctx, after, chunks)
	}()
	for c := range chunks {
		start := time.Now()
		if err := p.write(ctx, c); err != nil {
			cancel()
			<-done
			return err
		}
		p.metrics.wrote(c, time.Since(start))
	}
	return <-done
}

// chunk is what is projected in one transaction.
type chunk struct {
	after, through int64
	batches        []batch
	movements      int
}

// batch is a committed batch with what its records say.
type batch struct {
	*ledger.Batch
	readings []reading
	// damaged is set for a batch that no longer opens; then there are no
	// readings.
	damaged error
}

func (p *Projector) readChunks(ctx context.Context, after int64, chunks chan<- *chunk) error {
	for {
		found, err := p.l.BatchesAfter(ctx, after, chunkBatches, chunkBytes)
		if err != nil || len(found) == 0 {
			return err
		}
		for len(found) > 0 {
			c := &chunk{after: after}
			for len(found) > 0 && c.movements < chunkMovements {
				b := readBatch(found[0])
				found = found[1:]
				c.batches, c.movements, c.through = append(c.batches, b), c.movements+len(b.readings), b.ID
				b.Payload = nil
			}
			after = c.through
			select {
			case chunks <- c:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

func readBatch(from *ledger.Batch) batch {
	b := batch{Batch: from}
	records, err := from.Records()
	if err != nil {
		b.damaged = err
		return b
	}
	b.readings = make([]reading, len(records))
	for i, r := range records {
		b.readings[i] = read(r)
	}
	return b
}
