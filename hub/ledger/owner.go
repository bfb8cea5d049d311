package ledger

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"branchline/internal/fault"
)

// openPostgres opens a pool. The one that writes is a single connection, which owns the
// ledger as long as it lives: two hubs at one ledger would each post what they have
// planned. A connection that is made anew has to own it anew.
func openPostgres(c Config, writes bool) (*sql.DB, error) {
	cfg, err := pgx.ParseConfig(c.Path)
	if err != nil {
		return nil, fault.New(fault.Setup, "ledger_unusable", "the address of the hub's database cannot be read").
			WithHint("look at ledger.path in hub.yaml; it is not shown here, since a password may be in it")
	}
	if !writes {
		db := stdlib.OpenDB(*cfg)
		db.SetMaxOpenConns(readers)
		return db, nil
	}
	db := stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(own))
	db.SetMaxOpenConns(1)
	return db, nil
}

// own takes the ledger in the connection's schema, or tells that another hub has it. It
// is let go with the connection.
func own(ctx context.Context, c *pgx.Conn) error {
	var ours bool
	if err := c.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtext('branchline ledger'), hashtext(current_schema()))`).Scan(&ours); err != nil {
		return err
	}
	if !ours {
		return fault.New(fault.Transient, "ledger_owned", "another hub writes to this ledger").
			WithHint("stop it; where there is none, its last connection ends within minutes")
	}
	return nil
}
