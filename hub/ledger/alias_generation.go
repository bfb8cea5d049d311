package ledger

import "context"

// AliasGeneration counts the changes of what codes mean. Who plans by aliases
// asks for it before it reads them, and names it in [NewPosting].
func (l *Ledger) AliasGeneration(ctx context.Context) (n int64, err error) {
	n, err = aliasGeneration(l.reader(ctx))
	return n, classify(err)
}

func aliasGeneration(r rower) (n int64, err error) {
	err = r.Row(`SELECT n FROM alias_generation WHERE id = 1`).Scan(&n)
	return n, err
}

// aliasesChanged makes every plan that was made by what codes meant until now be
// made again.
func (t *Tx) aliasesChanged() error {
	_, err := t.Exec(`UPDATE alias_generation SET n = n + 1 WHERE id = 1`)
	t.Tell(Ruled)
	return err
}

// holdAliases makes all aliases wait until a person has said that they still
// hold, and plans again what was planned by them.
func (t *Tx) holdAliases(a Alias) error {
	if _, err := t.Exec(`UPDATE aliases SET held = 1`); err != nil {
		return err
	}
	var all []Alias
	if err := t.Rows(`SELECT scheme, code FROM aliases ORDER BY scheme, code`, nil, func(r Row) error {
		one := a
		err := r.Scan(&one.Product.Scheme, &one.Product.Code)
		all = append(all, one)
		return err
	}); err != nil {
		return err
	}
	for i := range all {
		if _, err := t.planAgain(&all[i]); err != nil {
			return err
		}
	}
	return t.aliasesChanged()
}
