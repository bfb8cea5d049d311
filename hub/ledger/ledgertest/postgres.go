package ledgertest

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"strings"
	"testing"

	"branchline/internal/movement"
)

// PostgresVariable names the environment variable with the address of a
// PostgreSQL database ("postgres://user@host/database"), in which the tests then
// make their ledgers instead of SQLite files.
const PostgresVariable = "BRANCHLINE_TEST_POSTGRES"

// Postgres gives an address with a schema of its own that is dropped when the
// test ends; ok is false when there is no PostgreSQL to be used.
func Postgres(t testing.TB) (address string, ok bool) {
	t.Helper()
	address = os.Getenv(PostgresVariable)
	if address == "" {
		return "", false
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	schema := "test_" + movement.NewEpoch()
	do := func(statement string) {
		db, err := sql.Open("pgx", address)
		if err == nil {
			_, err = db.ExecContext(context.Background(), statement)
			if cerr := db.Close(); err == nil {
				err = cerr
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	do("CREATE SCHEMA " + schema)
	t.Cleanup(func() { do("DROP SCHEMA " + schema + " CASCADE") })
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	if !strings.HasPrefix(u.Scheme, "postgres") {
		t.Fatalf("%s: want postgres://", PostgresVariable)
	}
	return u.String(), true
}
