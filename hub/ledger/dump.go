package ledger

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// DumpDerived writes all derived rows as lines, in a fixed order: two ledgers
// with equal facts give equal dumps, however they came to them.
func (l *Ledger) DumpDerived(ctx context.Context, w io.Writer) error {
	for _, table := range DerivedTables {
		if err := l.dumpTable(ctx, w, table); err != nil {
			return classify(fmt.Errorf("dump %s: %w", table, err))
		}
	}
	return nil
}

func (l *Ledger) dumpTable(ctx context.Context, w io.Writer, table string) error {
	order := "1"
	if table == "natural_keys" || table == "settlements" || table == "stock" {
		order = "1, 2, 3, 4"
	}
	rows, err := l.read.QueryContext(ctx, "SELECT * FROM "+table+" ORDER BY "+order)
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
	for rows.Next() {
		if err := rows.Scan(values...); err != nil {
			return err
		}
		line := strings.Builder{}
		line.WriteString(table)
		for i, v := range values {
			fmt.Fprintf(&line, " %s=%v", columns[i], *v.(*any))
		}
		if _, err := fmt.Fprintln(w, line.String()); err != nil {
			return err
		}
	}
	return rows.Err()
}
