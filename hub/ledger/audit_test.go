package ledger_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/fault"
)

// alter changes a ledger's file behind its back.
func alter(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, s := range statements {
		r, err := db.Exec(s)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			t.Fatalf("%s changed nothing: %v", s, err)
		}
	}
}

func TestAnyAlterationOfTheAuditTrailShows(t *testing.T) {
	cases := map[string]struct {
		sql []string
		row string
	}{
		"nothing":                {nil, ""},
		"a text":                 {[]string{`UPDATE audit SET detail = 'x' WHERE id = 3`}, "row 3 "},
		"text moved to the next": {[]string{`UPDATE audit SET action = 'actiona', subject = 'bout 2' WHERE id = 2`}, "row 2 "},
		"a time":                 {[]string{`UPDATE audit SET at = at + 1 WHERE id = 1`}, "row 1 "},
		"a row out":              {[]string{`DELETE FROM audit WHERE id = 3`}, "row 3 "},
		"the first out":          {[]string{`DELETE FROM audit WHERE id = 1`}, "row 1 "},
		"the last out":           {[]string{`DELETE FROM audit WHERE id = 5`}, "row 5 "},
		"a row out and the rest moved": {[]string{`DELETE FROM audit WHERE id = 3`,
			`UPDATE audit SET id = id - 1 WHERE id > 3`}, "row 3 "},
		"a row in":    {[]string{`INSERT INTO audit SELECT 6, at, who, action, subject, detail, hash FROM audit WHERE id = 5`}, "row 6 "},
		"two swapped": {[]string{`UPDATE audit SET id = 9 WHERE id = 2`, `UPDATE audit SET id = 2 WHERE id = 3`, `UPDATE audit SET id = 3 WHERE id = 9`}, "row 2 "},
		"a hash":      {[]string{`UPDATE audit SET hash = x'00' WHERE id = 4`}, "row 4 "},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			l := ledgertest.OpenAt(t, path)
			for i := range 5 {
				if err := l.Audit(t.Context(), ledger.Entry{At: ledgertest.Noon, Who: "ann", Action: "action",
					Subject: fmt.Sprintf("about %d", i+1), Detail: "a\x00b"}); err != nil {
					t.Fatal(err)
				}
			}
			alter(t, path, c.sql...)
			n, err := l.VerifyAudit(t.Context())
			if c.row == "" {
				if n != 5 || err != nil {
					t.Errorf("untouched: %d rows, %v", n, err)
				}
				return
			}
			if fault.CodeOf(err) != "audit_altered" || !strings.HasPrefix(err.Error(), c.row) {
				t.Errorf("after %d rows: %v, want %s", n, err, c.row)
			}
		})
	}
}
