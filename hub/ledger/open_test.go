package ledger_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

var quiet = slog.New(slog.DiscardHandler)

func TestBackupIsWholeAndReadableAlone(t *testing.T) {
	l := ledgertest.OpenAt(t, filepath.Join(t.TempDir(), "ledger.db"))
	s := ledgertest.NewSender("BR01", epoch, movement.Live)
	s.Commit(t, l, []byte("1"))
	at := s.At
	path := filepath.Join(t.TempDir(), "a b?.db") // names of files are not addresses
	if err := l.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	s.Commit(t, l, []byte("2"))
	if err := l.Backup(t.Context(), path); fault.CodeOf(err) != "backup_exists" {
		t.Errorf("over an older backup: %v", err)
	}
	if i, err := os.Stat(path); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("rights %v, %v", i.Mode(), err)
	}
	b, err := ledger.OpenReadOnly(t.Context(), ledger.Config{Path: path}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}()
	if c, err := b.Cursor(t.Context(), s.Stream); err != nil || c != at {
		t.Errorf("cursor %v, %v", c, err)
	}
	if err := b.Audit(t.Context(), ledger.Entry{}); fault.CodeOf(err) != "ledger_read_only" {
		t.Errorf("writing: %v", err)
	}
}

func TestReadingBesideTheHub(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if _, err := ledger.OpenReadOnly(t.Context(), ledger.Config{Path: path}, quiet); fault.ClassOf(err) != fault.Setup {
		t.Errorf("no file: %v", err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("looking made a file: %v", err)
	}
	l := ledgertest.OpenAt(t, path)
	r, err := ledger.OpenReadOnly(t.Context(), ledger.Config{Path: path}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	s := ledgertest.NewSender("BR01", epoch, movement.Live)
	s.Commit(t, l, []byte("1"))
	if c, err := r.Cursor(t.Context(), s.Stream); err != nil || c != s.At {
		t.Errorf("cursor %v, %v", c, err)
	}
}

func TestWhatIsNoLedgerIsRefused(t *testing.T) {
	dir := t.TempDir()
	cases := map[string]struct {
		path string
		make func(path string) error
		code string
	}{
		"a folder":                     {dir, nil, "ledger_unusable"},
		"no such folder":               {filepath.Join(dir, "no", "ledger.db"), nil, "ledger_unusable"},
		"another file":                 {filepath.Join(dir, "text"), func(p string) error { return os.WriteFile(p, make([]byte, 9000), 0o600) }, "ledger_damaged"},
		"of a newer hub":               {filepath.Join(dir, "newer.db"), newerLedger(t), "ledger_newer"},
		"an empty one is a new ledger": {filepath.Join(dir, "empty"), func(p string) error { return os.WriteFile(p, nil, 0o600) }, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if c.make != nil {
				if err := c.make(c.path); err != nil {
					t.Fatal(err)
				}
			}
			l, err := ledger.Open(t.Context(), ledger.Config{Path: c.path}, quiet)
			if err == nil {
				err = l.Close()
			}
			if c.code == "" && err != nil || c.code != "" && (fault.CodeOf(err) != c.code || fault.ClassOf(err) != fault.Setup) {
				t.Errorf("%v, want %q", err, c.code)
			}
		})
	}
}

func newerLedger(t *testing.T) func(path string) error {
	return func(path string) error {
		l, err := ledger.Open(t.Context(), ledger.Config{Path: path}, quiet)
		if err != nil {
			return err
		}
		if err := l.Close(); err != nil {
			return err
		}
		alter(t, path, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`)
		return nil
	}
}

// When the derived tables have another form they are made anew; the facts stay.
func TestAnotherFormOfDerivedTables(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, err := ledger.Open(t.Context(), ledger.Config{Path: path}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	s := ledgertest.NewSender("BR01", epoch, movement.Live)
	s.Commit(t, l, []byte("1"))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	alter(t, path, `UPDATE projection SET form = 'older', batch_id = 1`, `ALTER TABLE movements RENAME COLUMN lot TO charge`,
		`INSERT INTO groups VALUES (1, 1, '', '', 1, 1, 0)`)
	l = ledgertest.OpenAt(t, path)
	if projected, committed, err := l.ProjectedThrough(t.Context()); projected != 0 || committed != 1 || err != nil {
		t.Errorf("projected %d of %d, %v", projected, committed, err)
	}
	if _, err := l.Movements(t.Context(), ledger.MovementFilter{}); err != nil {
		t.Error(err)
	}
	if c, err := l.Cursor(t.Context(), s.Stream); err != nil || c != s.At {
		t.Errorf("cursor %v, %v", c, err)
	}
}

// What a person reads of a backup that cannot be made says to what, and what to do.
func TestABackupIntoNoFolderIsExplained(t *testing.T) {
	l := ledgertest.Open(t)
	path := filepath.Join(t.TempDir(), "nodir", "x")
	err := l.Backup(t.Context(), path)
	if fault.CodeOf(err) == "backup_elsewhere" {
		t.Skip("the ledger is in PostgreSQL")
	}
	if fault.CodeOf(err) != "backup_failed" || fault.HintOf(err) == "" || !strings.Contains(err.Error(), "no folder "+filepath.Dir(path)) || strings.Contains(err.Error(), ".part") {
		t.Errorf("%v", err)
	}
}

func TestALedgerThatIsNotThereYetIsExplained(t *testing.T) {
	_, err := ledger.OpenReadOnly(t.Context(), ledger.Config{Path: filepath.Join(t.TempDir(), "ledger.db")}, quiet)
	if fault.CodeOf(err) != "ledger_unusable" || !strings.Contains(err.Error(), "yet") || fault.HintOf(err) == "" {
		t.Errorf("%v", err)
	}
}
