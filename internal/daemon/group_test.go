package daemon

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
)

func waits(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func TestGroup(t *testing.T) {
	broken := errors.New("broken")
	cases := map[string]struct {
		parts map[string]func(context.Context) error
		want  string // "" runs until it is told to stop, and ends well
	}{
		"all go on":            {map[string]func(context.Context) error{"a": waits, "b": waits}, ""},
		"one fails":            {map[string]func(context.Context) error{"a": waits, "b": func(context.Context) error { return broken }}, "b: broken"},
		"one ends":             {map[string]func(context.Context) error{"a": waits, "b": func(context.Context) error { return nil }}, "b: ended by itself"},
		"one stops with a bug": {map[string]func(context.Context) error{"a": func(ctx context.Context) error { <-ctx.Done(); return broken }}, "a: broken"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				var g Group
				for n, p := range c.parts {
					g.Add(n, p)
				}
				done := make(chan error, 1)
				go func() { done <- g.Run(ctx) }()
				synctest.Wait()
				stop()
				err := <-done
				if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("got %v, want %q", err, c.want)
				}
			})
		})
	}
}
