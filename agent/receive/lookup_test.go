package receive

import (
	"strings"
	"testing"

	"branchline/agent/scan"
	"branchline/internal/gs1"
)

// A look-up says what the branch knows, and records nothing, whatever is open.
func TestLookUp(t *testing.T) {
	c := openWith(t, t.TempDir(), known())
	c.scan("P00017")
	cases := []struct{ name, code, sound, says string }{
		{"known goods", plain, "ok", "On hand: 3 packs of lot EAR until 2027-03-31, 5 packs of lot ABC"},
		{"goods without stock", other, "ok", "Plasters"},
		{"an expired pack", "01" + gtin(plain).Code + "17250131", "warn expired", "Expired"},
		{"goods that nobody knows", "]A0-03752864", "warn unknown_code", "pzn 03752864"},
		{"nothing that can be read", "4012345678902", "refused check_digit", "check digit"},
		{"a command", "BL-UNDO", "refused not_gs1", ""},
	}
	for _, k := range cases {
		sc := c.read(k.code)
		sc.Purpose = scan.LookUp
		sc.Read(gs1.Profile{})
		a, err := c.desk.Scan(t.Context(), sc)
		if got := strings.TrimSpace(a.Sound.String() + " " + a.Code); err != nil || got != k.sound || !strings.Contains(a.Text, k.says) {
			t.Errorf("%s: %s %q, %v", k.name, got, a.Text, err)
		}
	}
	if got := c.recorded(); got != "" {
		t.Errorf("recorded %s", got)
	}
	if list := c.desk.Sessions(); len(list) != 1 || len(list[0].Entries) != 0 {
		t.Errorf("sessions %+v", list)
	}
}
