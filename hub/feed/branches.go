package feed

import (
	"cmp"
	"context"
	"slices"
	"time"

	"branchline/internal/feed"
)

// branchesEvery is how often the list of branches is made anew: what makes it
// another one, a warehouse that is new in Odoo or has another name, is rare.
const branchesEvery = time.Minute

// branches makes the list of the branches that stock can be sent to: those of
// this hub whose warehouse Odoo has. One goroutine uses it.
type branches struct {
	f      *Feed
	packer *feed.Packer
}

func newBranches(f *Feed) *branches { return &branches{f, feed.NewPacker()} }

func (b *branches) read(context.Context) error {
	asOf := b.f.catalogue.AsOf()
	var rows []feed.Branch
	for i := range b.f.branches {
		if w, ok := b.f.site(&b.f.branches[i]); ok {
			rows = append(rows, feed.Branch{Code: b.f.branches[i].Code, Name: feed.Name(w.Name)})
		}
	}
	slices.SortFunc(rows, func(x, y feed.Branch) int { return cmp.Compare(x.Code, y.Code) })
	doc := feed.NewBuilder(feed.Branches, "", b.f.document(feed.Branches, ""), b.packer)
	for _, row := range rows {
		if err := doc.Add(row.Code, row); err != nil {
			return err
		}
	}
	d, err := doc.Done()
	if err != nil {
		return err
	}
	b.f.set(d, asOf)
	return nil
}
