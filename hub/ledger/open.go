package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"branchline/internal/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

//go:embed derived.sql
var derivedSchema string

// Ledger is an open ledger. All methods may be called from any goroutine.
type Ledger struct {
	d      *dialect
	log    *slog.Logger
	write  *sql.DB // one connection; nil when read-only
	read   *sql.DB
	writer *writer // nil when read-only

	statements sync.Map // of the read pool: query -> *sql.Stmt
	streams    streamCache
	watchers   watchers
	stirred    stirrings
	// opened is when the ledger was opened, openedAsOf when the newest that it
	// knew then was written.
	opened, openedAsOf time.Time
}

// Config says where the ledger is.
type Config struct {
	// Path is a file for SQLite, or an address "postgres://user@host/database".
	Path string `yaml:"path"`
	// NoSync does not wait for the disk: for tests in which nothing is killed.
	NoSync bool `yaml:"-"`
}

// Validate names the field and what is wrong with it.
func (c *Config) Validate() error {
	if c.Path == "" {
		return fmt.Errorf("path: is missing, want a file or a postgres:// address")
	}
	return nil
}

// Open opens the ledger for the one hub that owns it, makes or migrates its
// tables, and starts the writer. Failures a person can mend are faults of class
// Setup: "ledger_unusable", "ledger_damaged", "ledger_newer".
func Open(ctx context.Context, c Config, log *slog.Logger) (*Ledger, error) {
	d := dialectOf(c.Path)
	if d == sqliteDialect {
		if err := ensureFile(c.Path); err != nil {
			return nil, err
		}
	}
	l := &Ledger{d: d, log: log, opened: time.Now()}
	var err error
	if l.write, err = d.open(c, true); err == nil {
		err = l.prepare(ctx)
	}
	if err == nil {
		l.read, err = d.open(c, false)
	}
	if err != nil {
		l.closePools()
		return nil, classify(err)
	}
	l.writer = newWriter(l)
	if l.openedAsOf, err = l.newestFact(ctx); err == nil {
		err = l.noteCopy(ctx)
	}
	if err != nil {
		return nil, errors.Join(classify(err), l.Close())
	}
	return l, nil
}

// OpenReadOnly opens a ledger beside the hub that owns it, for questions only.
func OpenReadOnly(ctx context.Context, c Config, log *slog.Logger) (*Ledger, error) {
	d := dialectOf(c.Path)
	l := &Ledger{d: d, log: log}
	var err error
	if d == sqliteDialect {
		if _, err := os.Stat(c.Path); errors.Is(err, fs.ErrNotExist) {
			return nil, fault.New(fault.Setup, "ledger_unusable", "there is no ledger %s yet", c.Path).
				WithHint("start the hub once, or name its ledger")
		}
	}
	if l.read, err = d.open(c, false); err != nil {
		return nil, classify(err)
	}
	var n int
	if err = l.read.QueryRowContext(ctx, d.tableExists, "projection").Scan(&n); err == nil && n == 0 {
		err = fault.New(fault.Setup, "ledger_unusable", "%s holds no ledger", c.Path).
			WithHint("start the hub once, or name its ledger")
	}
	if err != nil {
		l.closePools()
		return nil, classify(err)
	}
	return l, nil
}

// Close lets what has been handed to the writer end and closes the ledger.
func (l *Ledger) Close() error {
	if l.writer != nil {
		l.writer.stop()
	}
	return l.closePools()
}

func (l *Ledger) closePools() error {
	var first error
	for _, db := range []*sql.DB{l.read, l.write} {
		if db == nil {
			continue
		}
		if err := db.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (l *Ledger) prepare(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	if err := l.d.migrate(ctx, l.write, files); err != nil {
		return err
	}
	form := derivedForm()
	var n int
	if err := l.write.QueryRowContext(ctx, l.d.tableExists, "projection").Scan(&n); err != nil {
		return err
	}
	if n > 0 {
		var has string
		err := l.write.QueryRowContext(ctx, `SELECT form FROM projection WHERE id = 1`).Scan(&has)
		if err == nil && has == form {
			return nil
		}
		l.log.Info("the derived tables have another form and are made anew")
	}
	tx, err := l.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := l.makeDerived(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

// makeDerived drops what is derived and makes the tables empty, in tx.
func (l *Ledger) makeDerived(ctx context.Context, tx *sql.Tx) error {
	var all []string
	for _, table := range DerivedTables {
		all = append(all, "DROP TABLE IF EXISTS "+table)
	}
	for s := range strings.SplitSeq(derivedSchema, ";\n") {
		if s = strings.TrimSpace(l.d.words.Replace(s)); s != "" {
			all = append(all, s)
		}
	}
	for _, s := range all {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("make the derived tables: %w", err)
		}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO projection (id, batch_id, form, made_to)
		SELECT 1, 0, $1, COALESCE(MAX(id), 0) FROM batches`, derivedForm())
	return err
}

// DerivedTables lists what [Ledger.ResetDerived] makes anew.
var DerivedTables = []string{"projection", "products", "movements", "natural_keys", "settlements", "same_row", "form_lines", "held_repeats", "groups", "misfits",
	"exceptions", "damaged", "reconsider", "lots", "stock", "branch_totals", "branch_hours"}

func derivedForm() string {
	sum := sha256.Sum256([]byte(derivedSchema))
	return hex.EncodeToString(sum[:8])
}

// ResetDerived empties all derived tables; the projector then begins with the
// first batch.
func (l *Ledger) ResetDerived(ctx context.Context) error {
	return l.Write(ctx, func(tx *Tx) error {
		tx.After(tx.w.forgetStatements)
		return l.makeDerived(tx.ctx, tx.tx)
	})
}
