package wire

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

func TestAnswerComesBackAsItWas(t *testing.T) {
	for name, a := range map[string]Answer{
		"taken":               {Of: NameOf([]byte("x")), Epoch: epoch, Lane: movement.Bulk, Verdict: Taken, Through: 17},
		"resend, not asked":   {Epoch: epoch, Lane: movement.Live, Verdict: Resend},
		"refused, unreadable": {Of: NameOf(nil), Verdict: Refused, Code: "malformed_batch", Text: "the payload is not a zstd frame"},
		"a long text":         {Of: NameOf(nil), Verdict: Refused, Code: "x", Text: strings.Repeat("ä", 2000)},
	} {
		t.Run(name, func(t *testing.T) {
			payload, err := a.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			got, err := ParseAnswer(payload)
			a.V = AnswerVersion
			a.Text = strings.ToValidUTF8(a.Text[:min(len(a.Text), maxText)], "")
			if diff := cmp.Diff(a, got); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

func TestUnreadableAnswer(t *testing.T) {
	for name, payload := range map[string]string{
		"nothing":        ``,
		"no JSON":        `taken`,
		"no version":     `{"verdict":"taken","epoch":"abcdefgh2345","lane":"live","through":1}`,
		"version 2":      `{"v":2,"verdict":"taken","epoch":"abcdefgh2345","lane":"live","through":1}`,
		"no verdict":     `{"v":1,"epoch":"abcdefgh2345","lane":"live","through":1}`,
		"no stream":      `{"v":1,"verdict":"taken","through":1}`,
		"no such lane":   `{"v":1,"verdict":"taken","epoch":"abcdefgh2345","lane":"fast","through":1}`,
		"negative":       `{"v":1,"verdict":"taken","epoch":"abcdefgh2345","lane":"live","through":-1}`,
		"beyond all":     `{"v":1,"verdict":"taken","epoch":"abcdefgh2345","lane":"live","through":18446744073709551615}`,
		"an endless one": `{"v":1,"verdict":"refused","text":"` + strings.Repeat("x", 8000) + `"}`,
		"an endless of":  `{"v":1,"verdict":"refused","of":"` + strings.Repeat("x", 80) + `"}`,
	} {
		if a, err := ParseAnswer([]byte(payload)); fault.CodeOf(err) != "malformed_answer" {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

func FuzzParseAnswer(f *testing.F) {
	f.Add([]byte(`{"v":1,"of":"00","verdict":"taken","epoch":"abcdefgh2345","lane":"live","through":1}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		a, err := ParseAnswer(payload)
		if err != nil {
			return
		}
		if a.Verdict != Refused && (!movement.ValidEpoch(a.Epoch) || !a.Lane.Valid()) {
			t.Errorf("accepted without a stream: %+v", a)
		}
	})
}

func TestStateComesBackAsItWas(t *testing.T) {
	s := State{Version: "1.2", At: time.Unix(1_700_000_000, 0).UTC(), Started: time.Unix(1_600_000_000, 0).UTC(), Unsent: 3,
		Streams:   []StreamState{{Epoch: epoch, Lane: movement.Live, Oldest: 1, Last: 9, Acked: 6, Hash: movement.Hash{1}}},
		Documents: []DocumentState{{Kind: Catalogue, Version: "00ff", AsOf: time.Unix(1_700_000_000, 0).UTC(), Missing: 3}, {Kind: Stock}},
		Alarms:    []Alarm{{"disk_full", "the disk is full"}},
		Scanners:  []ScannerState{{Name: "goods-in", Up: true}, {Name: "counter", Since: time.Unix(1_650_000_000, 0).UTC(), Reason: "unplugged"}},
		Open:      OpenWork{Deliveries: 2, Counts: 1, Lines: 40, Oldest: time.Unix(1_650_000_000, 0).UTC()}}
	payload, err := s.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseState(payload)
	s.V = StateVersion
	if diff := cmp.Diff(s, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestStateIsBounded(t *testing.T) {
	var s State
	for range 1000 {
		s.Streams = append(s.Streams, StreamState{Epoch: epoch, Lane: movement.Bulk, Last: 1 << 60, Acked: 1 << 60, Hash: movement.Hash{1}})
		s.Alarms = append(s.Alarms, Alarm{"x", strings.Repeat("x", 10_000)})
		s.Scanners = append(s.Scanners, ScannerState{Name: strings.Repeat("x", 10_000), Reason: strings.Repeat("x", 10_000)})
	}
	payload, err := s.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseState(payload); err != nil {
		t.Errorf("the largest report that is made cannot be read: %v", err)
	}
}

func FuzzParseState(f *testing.F) {
	f.Add([]byte(`{"v":1,"streams":[{"epoch":"abcdefgh2345","lane":"live","oldest":1,"last":2,"acked":1}]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		s, err := ParseState(payload)
		for _, st := range s.Streams {
			if err == nil && st.Acked > st.Last {
				t.Errorf("accepted %+v", st)
			}
		}
	})
}

func TestTopics(t *testing.T) {
	for _, c := range Channels {
		branch, got, ok := ParseTopic(Topic("BR01", c))
		if branch != "BR01" || got != c || !ok {
			t.Errorf("%s: %s %s %v", c, branch, got, ok)
		}
	}
	for _, topic := range []string{"", "branchline/1/", "branchline/1/BR01", "branchline/1/BR01/", "branchline/1//ack",
		"branchline/1/+/ack", "branchline/1/BR01/#", "branchline/1/BR01/ack/", "branchline/2/BR01/ack", "/branchline/1/BR01/ack"} {
		if branch, c, ok := ParseTopic(topic); ok {
			t.Errorf("%q is read as %s %s", topic, branch, c)
		}
	}
}
