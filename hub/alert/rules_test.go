package alert

import (
	"strings"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/room"
	"branchline/internal/conf"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) // a Monday

// calm is a branch with which all is well.
func calm() room.Watched {
	hours, err := room.ParseHours("Mo-Fr 08:00-18:00")
	if err != nil {
		panic(err)
	}
	return room.Watched{Code: "BR01", Name: "Riverside", Zone: time.UTC, Hours: hours, Connected: true, Since: noon.Add(-time.Hour)}
}

func TestRules(t *testing.T) {
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	for name, c := range map[string]struct {
		change func(*room.Watched)
		rules  func(*Rules)
		at     time.Time
		want   string
	}{
		"all is well":                    {func(b *room.Watched) {}, nil, noon, ""},
		"silent":                         {func(b *room.Watched) { b.Connected, b.Since = false, ago(31*time.Minute) }, nil, noon, "silent BR01 Riverside: silent since 11:29, though it is open"},
		"not yet silent":                 {func(b *room.Watched) { b.Connected, b.Since = false, ago(29*time.Minute) }, nil, noon, ""},
		"silent at night":                {func(b *room.Watched) { b.Connected, b.Since = false, ago(9*time.Hour) }, nil, noon.Add(-9 * time.Hour), ""},
		"silent since the night, 8:20":   {func(b *room.Watched) { b.Connected, b.Since = false, ago(9*time.Hour) }, nil, noon.Add(-220 * time.Minute), ""},
		"silent since the night, 8:30":   {func(b *room.Watched) { b.Connected, b.Since = false, ago(9*time.Hour) }, nil, noon.Add(-210 * time.Minute), "silent BR01 Riverside: silent since 03:00, though it is open"},
		"silent, but nobody asks":        {func(b *room.Watched) { b.Connected, b.Since = false, ago(9*time.Hour) }, func(r *Rules) { r.Silent = 0 }, noon, ""},
		"never heard of":                 {func(b *room.Watched) { b.Connected, b.Since = false, time.Time{} }, nil, noon, "silent BR01 Riverside: was never heard of"},
		"keeps what is old":              {func(b *room.Watched) { b.OldestUnsent = ago(3 * time.Hour) }, nil, noon, "unsent BR01 Riverside: keeps movements since 09:00 that the hub does not have"},
		"one waits for a person":         {func(b *room.Watched) { b.Exceptions, b.OldestException = 1, ago(25*time.Hour) }, nil, noon, "exceptions BR01 Riverside: 1 movement waits for a person, the oldest since 22 Nov 11:00"},
		"some wait, none for long":       {func(b *room.Watched) { b.Exceptions, b.OldestException = 5, ago(23*time.Hour) }, nil, noon, ""},
		"the clock is ahead":             {func(b *room.Watched) { b.ClockAhead = 6 * time.Minute }, nil, noon, "clock BR01 Riverside: its clock is 6 min ahead"},
		"the clock is behind, by a year": {func(b *room.Watched) { b.ClockAhead = -366 * 24 * time.Hour }, nil, noon, "clock BR01 Riverside: its clock is 366 d 0 h behind"},
		"it says something":              {func(b *room.Watched) { b.Said = []string{"b", "a"} }, nil, noon, "said BR01 Riverside: says: a; b"},
		"a copied disk":                  {func(b *room.Watched) { b.Identity = []string{"a copy of its disk"} }, nil, noon, "identity BR01 Riverside: a copy of its disk"},
		"otherwise in Odoo":              {func(b *room.Watched) { b.Differences, b.OtherwiseSince = 2, ago(25*time.Hour) }, nil, noon, "reconciliation BR01 Riverside: it and Odoo are not equal since 22 Nov 11:00: 2 differences, see the page Reconciliation"},
		"too little of five products": {func(b *room.Watched) {
			b.Low = []string{"A (1 of at least 4)", "B (0 of at least 1)", "C (2 of at least 3)", "D", "E"}
		}, nil, noon, "low_stock BR01 Riverside: runs low of A (1 of at least 4), B (0 of at least 1), C (2 of at least 3) and 2 more, see the page Replenishment"},
		"boxes did not come": {func(b *room.Watched) {
			b.Boxes = []ledger.OpenTransfer{{Ref: "BR02/BR01/T261101-090000", Since: ago(8 * 24 * time.Hour)}, {Ref: "BR02/BR01/T261120-090000", Since: ago(3 * 24 * time.Hour)}}
		}, nil, noon, "transfers BR01 Riverside: what was sent and what was taken in are not equal: BR02/BR01/T261101-090000; branchline-hub transfers tells the lines"},
		"boxes did not come, not looked at": {func(b *room.Watched) { b.Boxes = []ledger.OpenTransfer{{Ref: "x"}} }, func(r *Rules) { r.Transfers = 0 }, noon, ""},
		"too little, and not looked at":     {func(b *room.Watched) { b.Low = []string{"A"} }, func(r *Rules) { r.LowStock = 0 }, noon, ""},
		"expires soon, not looked at":       {func(b *room.Watched) { b.Expiring = []string{"A, lot 1 (2026-12-01)"} }, nil, noon, ""},
		"expires soon":                      {func(b *room.Watched) { b.Expiring = []string{"A, lot 1 (2026-12-01)"} }, func(r *Rules) { r.Expiring = time.Hour }, noon, "expiring BR01 Riverside: has stock that expires soon: A, lot 1 (2026-12-01), see the page Replenishment"},
		"otherwise, but not for long":       {func(b *room.Watched) { b.Differences, b.OtherwiseSince = 2, ago(23*time.Hour) }, nil, noon, ""},
	} {
		rules := DefaultRules()
		if c.rules != nil {
			c.rules(&rules)
		}
		b := calm()
		c.change(&b)
		var got []string
		for _, f := range rules.findings(&room.Watch{Branches: []room.Watched{b}}, -1, c.at) {
			got = append(got, f.rule+" "+f.text)
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestRulesOfTheHub(t *testing.T) {
	rules := DefaultRules()
	for want, w := range map[string]struct {
		watch room.Watch
		free  int64
	}{
		"": {room.Watch{OdooAway: noon.Add(-time.Minute)}, 3 << 30},
		"Odoo does not answer since 11:00; movements wait at the hub":                                        {room.Watch{OdooAway: noon.Add(-time.Hour)}, -1},
		"posting to Odoo stands still since 11:00: no rights":                                                {room.Watch{Halted: "no rights", HaltedSince: noon.Add(-time.Hour)}, -1},
		"only 1.5 GB are free on the disk of the ledger; when it is full the branches keep what they record": {room.Watch{}, 3 << 29},
	} {
		got := ""
		for _, f := range rules.findings(&w.watch, w.free, noon) {
			got += f.text
		}
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestConfig(t *testing.T) {
	for text, want := range map[string]string{
		"rules: {silent: 10m, disk_free: 500MB}":               "",
		"rules: {silent: 1ms}":                                 "rules.silent",
		"rules: {disk_free: plenty}":                           "is not a size",
		"rules: {disk_free: -1}":                               "is not a size",
		"gather: 2h":                                           "gather",
		"repeat: 1s":                                           "repeat",
		"webhook: {url: example.org}":                          "webhook.url",
		"webhook: {url: 'https://a:geheim@b'}":                 "webhook.url",
		"mail: {server: m, from: x, to: [a@b.c]}":              "mail.from",
		"mail: {server: m, from: a@b.c}":                       "mail.to",
		"mail: {server: m, from: a@b.c, to: [a@b.c, nobody]}":  "mail.to[1]",
		"mail: {server: m, from: a@b.c, to: [a@b.c], user: u}": "mail.password_file",
		"mail: {server: m, from: a@b.c, to: [a@b.c], port: 0}": "mail.port",
		"mail: {server: m, from: a@b.c, to: [a@b.c]}":          "",
	} {
		c := DefaultConfig()
		err := conf.Parse("hub.yaml", []byte(text), &c)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", text, err)
		}
		if err != nil && strings.Contains(err.Error(), "geheim") {
			t.Errorf("the password is told: %v", err)
		}
	}
}
