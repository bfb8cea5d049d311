package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"branchline/agent/dispense"
	"branchline/agent/web"
	"branchline/internal/movement"
)

// rows lets the page act on rows of exports; they are built after it.
type rows struct{ a *App }

func (r rows) List(from, n int) ([]web.BadRow, int, error) {
	found, all, err := r.a.exports.BadRows(from, n)
	list := make([]web.BadRow, len(found))
	for i := range found {
		list[i] = rowOf(&found[i])
	}
	return list, all, err
}

func (r rows) Get(id string) (web.BadRow, error) {
	found, err := r.a.exports.BadRow(id)
	return rowOf(&found), err
}

func (r rows) Check(id string, values []string) (string, error) {
	m, err := r.a.exports.Preview(id, values)
	if err != nil {
		return "", err
	}
	return movementWords(&m), nil
}

func (r rows) Correct(ctx context.Context, id string, values []string, by, why string) error {
	_, err := r.a.exports.Correct(ctx, id, dispense.Settling{Values: values, By: by, Why: why})
	return err
}

func (r rows) Dismiss(ctx context.Context, id, by, why string) error {
	return r.a.exports.Dismiss(ctx, id, dispense.Settling{By: by, Why: why})
}

func (r rows) DismissFile(ctx context.Context, export, file, by, why string) (int, error) {
	return r.a.exports.DismissFile(ctx, export, file, dispense.Settling{By: by, Why: why})
}

// settledFor is how long a row is listed after people at the hub have settled it, and
// mostSettled how many are.
const settledFor, mostSettled = 14 * 24 * time.Hour, 100

func (r rows) SettledAtHub() []web.SettledRow {
	found := r.a.exports.HubRows(time.Now().Add(-settledFor), mostSettled)
	list := make([]web.SettledRow, len(found))
	for i, s := range found {
		list[i] = web.SettledRow{Export: s.Adapter, File: s.Local, Line: s.Line, Was: s.Was, As: s.As, Who: s.Who, Why: s.Why, At: s.At}
	}
	return list
}

func rowOf(b *dispense.BadRow) web.BadRow {
	r := web.BadRow{ID: b.ID, Export: b.Adapter, File: b.File, Local: b.Local, Line: b.Line, Read: b.Read, Why: b.Why}
	for _, c := range b.Columns {
		if c.Value == dispense.NotKept {
			c.Value = ""
		}
		r.Columns = append(r.Columns, web.RowColumn(c))
	}
	if b.Says != nil {
		r.Says = movementWords(b.Says)
	}
	return r
}

// movementWords says a movement to a person.
func movementWords(m *movement.Movement) string {
	words := []string{fmt.Sprintf("%s %s", m.Kind, m.Quantity)}
	if m.Unit != "" {
		words[0] += " " + m.Unit
	}
	words[0] += " of " + m.Product.Words()
	for _, f := range []struct{ name, value string }{{"lot", m.Lot}, {"expiry", m.Expiry.String()}, {"serial", m.Serial}, {"receipt", m.Document.Ref}} {
		if f.value != "" {
			words = append(words, f.name+" "+f.value)
		}
	}
	return strings.Join(append(words, m.OccurredAt.Format("2 January 2006 15:04")), ", ")
}
