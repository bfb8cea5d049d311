package ledger

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

// DumpDerived writes all derived rows as lines, in a fixed order: two ledgers
// with equal facts give equal dumps, however they came to them. Products stand in
// it by their codes, since their numbers follow the order in which they were seen.
func (l *Ledger) DumpDerived(ctx context.Context, w io.Writer) error {
	products := map[int64]string{}
	if err := l.reader(ctx).Rows(`SELECT id, scheme, code FROM products`, nil, func(r Row) error {
		var id int64
		var scheme, code string
		err := r.Scan(&id, &scheme, &code)
		products[id] = scheme + ":" + code
		return err
	}); err != nil {
		return classify(err)
	}
	for _, table := range DerivedTables {
		if err := l.dumpTable(ctx, w, table, products); err != nil {
			return classify(fmt.Errorf("dump %s: %w", table, err))
		}
	}
	return nil
}

func (l *Ledger) dumpTable(ctx context.Context, w io.Writer, table string, products map[int64]string) error {
	order, what := "1", "*"
	if table == "projection" {
		what = "id, batch_id, form" // not how far it had to go
	}
	if table == "natural_keys" || table == "form_lines" || table == "settlements" || table == "stock" {
		order = "1, 2, 3, 4"
	}
	if table == "branch_hours" {
		order = "1, 2"
	}
	rows, err := l.read.QueryContext(ctx, "SELECT "+what+" FROM "+table+" ORDER BY "+order)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values := make([]any, len(columns))
	for i := range values {
		values[i] = new(any)
	}
	var lines []string
	for rows.Next() {
		if err := rows.Scan(values...); err != nil {
			return err
		}
		line := strings.Builder{}
		line.WriteString(table)
		for i, v := range values {
			is := *v.(*any)
			if n, ok := is.(int64); ok && n > 0 && (columns[i] == "product_id" || table == "products" && columns[i] == "id") {
				is = products[n]
			}
			fmt.Fprintf(&line, " %s=%v", columns[i], is)
		}
		lines = append(lines, line.String())
	}
	if table == "products" || table == "stock" {
		slices.Sort(lines)
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return rows.Err()
}
