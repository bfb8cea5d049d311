package daemon

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Group runs the parts of an app side by side. The first that fails ends all.
type Group struct {
	parts []part
}

type part struct {
	name string
	run  func(ctx context.Context) error
}

// Add adds a part. Parts are told to stop in one go, and should be of the kind
// that no other needs while stopping; use stages of groups otherwise.
func (g *Group) Add(name string, run func(ctx context.Context) error) {
	g.parts = append(g.parts, part{name, run})
}

// Run starts every part and returns when all have returned: after ctx ended, or
// after one has failed or ended by itself, which is a failure too.
func (g *Group) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	errs := make([]error, len(g.parts))
	for i, p := range g.parts {
		wg.Go(func() {
			err := p.run(ctx)
			if err == nil && ctx.Err() == nil {
				err = errors.New("ended by itself")
			}
			if err != nil && !(ctx.Err() != nil && errors.Is(err, context.Canceled)) {
				errs[i] = fmt.Errorf("%s: %w", p.name, err)
				cancel(errs[i])
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
