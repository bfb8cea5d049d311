package staff_test

import (
	"context"
	"iter"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"branchline/agent/outbox"
	"branchline/agent/staff"
	"branchline/internal/fault"
)

func hashed(t testing.TB, pin string) string {
	h, err := staff.Hash(pin)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestPeopleSign(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	c := staff.Config{Users: []staff.User{{"AB", hashed(t, "4711")}, {"Ör", hashed(t, "grün 12")}}}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	cfg := outbox.DefaultConfig()
	cfg.Path, cfg.Branch = filepath.Join(t.TempDir(), "outbox.db"), "BR01"
	store, err := outbox.Open(cfg, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var s *staff.Staff
	restart := func() {
		t.Helper()
		if s, err = staff.New(c, store, func() time.Time { return now }); err != nil {
			t.Fatal(err)
		}
	}
	restart()
	check := func(initials, pin, code string) {
		t.Helper()
		err := s.Check(initials, pin)
		got := ""
		if err != nil {
			got = fault.CodeOf(err)
			if strings.Contains(err.Error(), pin) && pin != "" {
				t.Errorf("the PIN is told: %v", err)
			}
		}
		if got != code {
			t.Errorf("%s: %v, want %q", initials, err, code)
		}
	}
	check("AB", "4711", "")
	check(" ab ", "4711", "")
	check("ör", "grün 12", "")
	for _, pin := range []string{"", "4712", "47110", strings.Repeat("4", 100_000)} {
		check("AB", pin, staff.WrongPIN)
	}
	check("AB", "4711", "") // a right one in between forgives
	for range 5 {
		check("AB", "0000", staff.WrongPIN)
		restart() // no restart of the service forgives
	}
	check("AB", "4711", staff.Locked)
	check("Ör", "grün 12", "") // nobody else waits for it
	for range 5 {
		check("XY", "4711", staff.WrongPIN)
	}
	check("ZZ", "4711", staff.Locked)
	now = now.Add(5 * time.Minute)
	check("AB", "4711", "")
	// A lock that a wrong clock has set for years ahead does not hold.
	for range 5 {
		check("AB", "0000", staff.WrongPIN)
	}
	now = now.AddDate(-1, 0, 0)
	check("AB", "4711", "")
	if none, err := staff.New(staff.Config{}, store, nil); err != nil || none.Needed() || none.Check("", "") != nil {
		t.Error("a PIN is asked for where nobody has one")
	}
}

// Where it cannot be written down that a PIN was wrong, none is looked at for
// long: what was tried counts in any case.
func TestAWrongPINThatCannotBeKeptIsRefused(t *testing.T) {
	s, err := staff.New(staff.Config{Users: []staff.User{{"AB", hashed(t, "4711")}}}, full{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check("AB", "0000"); fault.CodeOf(err) != "disk_full" {
		t.Errorf("got %v", err)
	}
	if err := s.Check("AB", "4711"); err != nil {
		t.Errorf("the right one: %v", err)
	}
}

// full is a store on a full disk.
type full struct{}

func (full) Append(context.Context, outbox.Write) ([]outbox.Place, error) {
	return nil, fault.New(fault.Transient, "disk_full", "the disk is full")
}
func (full) Notes(string, string) iter.Seq2[outbox.Note, error] {
	return func(func(outbox.Note, error) bool) {}
}

func TestUsersThatCannotBe(t *testing.T) {
	good := hashed(t, "4711")
	for want, users := range map[string][]staff.User{
		`users[0].initials: ""`:      {{"", good}},
		`users[0].initials: "A B"`:   {{"A B", good}},
		`users[1].initials: "ab"`:    {{"AB", good}, {"ab", good}},
		`users[0].pin: "" must be`:   {{"AB", "4711"}},
		`users[1].pin: "" must be`:   {{"AB", good}, {"CD", strings.Replace(good, "m=12288", "m=99999999", 1)}},
		`users[0].pin: "" must be t`: {{"AB", strings.TrimSuffix(good, good[len(good)-4:])}},
	} {
		c := staff.Config{Users: users}
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for _, pin := range []string{"", "123", strings.Repeat("1", 33), "12\n45"} {
		if _, err := staff.Hash(pin); err == nil {
			t.Errorf("%q is taken", pin)
		}
	}
	if hashed(t, "4711") == good {
		t.Error("two hashes of one PIN are the same")
	}
}

// Whatever stands in the configuration as a hash, reading it ends and costs little.
func FuzzUsers(f *testing.F) {
	f.Add(hashed(f, "4711"))
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$AAAAAAAAAAAAAAAAAAAAAA$AAAA")
	f.Fuzz(func(t *testing.T, pin string) {
		c := staff.Config{Users: []staff.User{{"AB", pin}}}
		_ = c.Validate()
	})
}
