package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Search says which movements to find; zero fields say nothing. At least one of
// Branch, Codes, Lot, Serial and Document must be given, so that an index leads
// to them.
type Search struct {
	Branch string
	// Codes are product codes as they came, in any numbering.
	Codes []string
	// Lot finds it as [Ledger.Spellings] does.
	Lot, Serial string
	// Document is an order, a delivery, a session or a receipt.
	Document string
	Kind     movement.Kind
	State    State
	// From is the first moment of the event, To the first after it.
	From, To time.Time
	// After is the last movement of the page before.
	After *Movement
	// Limit is 100 if it is 0, and at most 1000.
	Limit int
}

// CodeSearchTooWide is of a search that nothing leads to.
const CodeSearchTooWide = "search_too_wide"

// maxCodes bounds the product codes of one search.
const maxCodes = 50

// Search lists the movements, the newest event first. It takes time with what is
// found by the narrowest of lot, serial, document, product and branch, in that
// order, not with the number of movements.
func (l *Ledger) Search(ctx context.Context, s Search) ([]Movement, error) {
	if s.Limit <= 0 {
		s.Limit = 100
	}
	s.Limit = min(s.Limit, 1000)
	leads, err := l.leads(ctx, &s)
	if err != nil {
		return nil, err
	}
	var all []Movement
	for _, lead := range leads {
		found, err := l.follow(ctx, &s, lead)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(x, y Movement) int {
		return cmp.Or(-x.OccurredAt.Compare(y.OccurredAt), -cmp.Compare(x.ID, y.ID))
	})
	return all[:min(len(all), s.Limit)], nil
}

// lead is a column that an index is on, and what it must be.
type lead struct {
	column string
	is     any
}

// leads are the ways to what is searched, each of them by one value of one index;
// none where nothing of it ever came.
func (l *Ledger) leads(ctx context.Context, s *Search) (all []lead, err error) {
	switch {
	case s.Lot != "":
		spellings, err := l.Spellings(ctx, s.Lot)
		for _, lot := range spellings {
			all = append(all, lead{"lot", lot})
		}
		return all, err
	case s.Serial != "":
		return []lead{{"serial", s.Serial}}, nil
	case s.Document != "":
		return []lead{{"document_ref", s.Document}}, nil
	case len(s.Codes) > 0:
		ids, err := l.productIDs(ctx, s.Codes)
		for _, id := range ids {
			all = append(all, lead{"product_id", id})
		}
		return all, err
	case s.Branch != "":
		id, ok, err := branchID(l.reader(ctx), s.Branch)
		if err != nil || !ok {
			return nil, classify(err)
		}
		return []lead{{"branch_id", id}}, nil
	}
	return nil, fault.New(fault.Data, CodeSearchTooWide, "nothing leads to so many movements").
		WithHint("name a product, a lot, a serial number, a document or a branch")
}

func (l *Ledger) productIDs(ctx context.Context, codes []string) (ids []int64, err error) {
	for _, code := range codes[:min(len(codes), maxCodes)] {
		err := l.reader(ctx).Rows(`SELECT id FROM products WHERE code = $1`, []any{code}, func(r Row) error {
			var id int64
			err := r.Scan(&id)
			ids = append(ids, id)
			return err
		})
		if err != nil {
			return nil, classify(err)
		}
	}
	return ids, nil
}

// follow finds by one lead.
func (l *Ledger) follow(ctx context.Context, s *Search, by lead) ([]Movement, error) {
	query, args, ok, err := l.query(ctx, s, by)
	if err != nil || !ok {
		return nil, err
	}
	return l.movements(ctx, query, args...)
}

// query is what follows [selectMovement]; ok is false where nothing of it ever
// came. Conditions on other columns that have an index are written so that the
// database does not choose theirs.
func (l *Ledger) query(ctx context.Context, s *Search, by lead) (query string, _ []any, ok bool, err error) {
	where, args := []string{"m." + by.column + " = $1"}, []any{by.is}
	if by.column == "serial" || by.column == "document_ref" {
		where = append(where, "m."+by.column+" <> ''") // the index holds no empty ones
	}
	and := func(condition string, v any) {
		args = append(args, v)
		where = append(where, fmt.Sprintf(condition, fmt.Sprintf("$%d", len(args))))
	}
	if s.Serial != "" && by.column != "serial" {
		and("m.serial || '' = %s", s.Serial)
	}
	if s.Document != "" && by.column != "document_ref" {
		and("m.document_ref || '' = %s", s.Document)
	}
	if len(s.Codes) > 0 && by.column != "product_id" {
		ids, err := l.productIDs(ctx, s.Codes)
		if err != nil || len(ids) == 0 {
			return "", nil, false, err
		}
		var marks []string
		for _, id := range ids {
			args = append(args, id)
			marks = append(marks, fmt.Sprintf("$%d", len(args)))
		}
		where = append(where, "m.product_id + 0 IN ("+strings.Join(marks, ", ")+")")
	}
	if s.Branch != "" && by.column != "branch_id" {
		id, ok, err := branchID(l.reader(ctx), s.Branch)
		if err != nil || !ok {
			return "", nil, false, classify(err)
		}
		and("m.branch_id + 0 = %s", id)
	}
	if s.Kind != "" {
		and("m.kind = %s", KindNumber(s.Kind))
	}
	if s.State != 0 {
		and("m.state + 0 = %s", int64(s.State))
	}
	if !s.From.IsZero() {
		and("m.occurred_at >= %s", s.From.UnixMilli())
	}
	if !s.To.IsZero() {
		and("m.occurred_at < %s", s.To.UnixMilli())
	}
	if s.After != nil {
		at := s.After.OccurredAt.UnixMilli()
		args = append(args, at, int64(s.After.ID))
		n := len(args)
		where = append(where, fmt.Sprintf("m.occurred_at <= $%d AND (m.occurred_at < $%d OR m.id < $%d)", n-1, n-1, n))
	}
	args = append(args, s.Limit)
	query = "WHERE " + strings.Join(where, " AND ") + fmt.Sprintf(" ORDER BY m.occurred_at DESC, m.id DESC LIMIT $%d", len(args))
	return query, args, true, nil
}
