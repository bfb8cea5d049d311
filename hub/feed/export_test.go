package feed

import (
	"context"
	"time"

	"branchline/internal/feed"
)

// OutcomesOf makes the document that a branch is told.
func OutcomesOf(ctx context.Context, l Ledger, branch string, now time.Time) (*feed.Document, error) {
	f := New(DefaultConfig(), nil, nil, nil, nil, nil, time.Now, nil)
	f.Ledger = l
	return (&outcomes{f: f, packer: feed.NewPacker()}).build(ctx, branch, now)
}
