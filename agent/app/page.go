package app

import (
	"context"
	"slices"

	"branchline/agent/capture"
	"branchline/agent/scan"
	"branchline/agent/web"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

// typed gives a code from the page to the scanners' own way.
func (a *App) typed(ctx context.Context, t web.Typed) scan.Answer {
	return a.scans.Typed(ctx, capture.Typed{Text: t.Text, Physical: t.Physical, ByHand: t.ByHand, Purpose: t.Purpose, Station: web.Station})
}

// stations are those of the scanners that are for p.
func (a *App) stations(p scan.Purpose) (list []string) {
	for _, s := range a.scans.Status() {
		if s.For == p && !slices.Contains(list, s.Station) {
			list = append(list, s.Station)
		}
	}
	return list
}

// sent tells whether the hub has confirmed the live lane of an epoch through a
// place. A stream that is no longer kept was confirmed long ago.
func (a *App) sent(epoch string, through uint64) bool {
	if epoch == "" { // the power failed before the place was noted
		st, err := a.outbox.Stats()
		return err == nil && st.Unsent == 0
	}
	streams := a.outbox.Streams()
	i := slices.IndexFunc(streams, func(s wire.Stream) bool { return s.Epoch == epoch && s.Lane == movement.Live })
	return i < 0 || streams[i].Acked >= through
}
