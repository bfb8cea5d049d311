package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"branchline/agent/outbox"
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// line is a port that plays what it is given: codes, silence, faults.
type line struct {
	timeout time.Duration
	in      chan string
	mu      sync.Mutex
	fail    error // what reads end with at once
	away    bool
	written []string
}

func (l *line) Read(b []byte) (int, error) {
	l.mu.Lock()
	fail := l.fail
	l.mu.Unlock()
	if fail != nil {
		return 0, fail
	}
	t := time.NewTimer(l.timeout)
	defer t.Stop()
	select {
	case s := <-l.in:
		return copy(b, s), nil
	case <-t.C:
		return 0, io.EOF
	}
}

func (l *line) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.written = append(l.written, string(b))
	return len(b), nil
}

func (l *line) Close() error { return nil }
func (l *line) gone() bool   { l.mu.Lock(); defer l.mu.Unlock(); return l.away }

// diary is a store in memory that can be full.
type diary struct {
	mu   sync.Mutex
	list []*movement.Movement
	keys map[string]bool
	full error
}

func (d *diary) Append(_ context.Context, w outbox.Write) ([]outbox.Place, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full != nil {
		return nil, d.full
	}
	places := make([]outbox.Place, len(w.Movements))
	for i, m := range w.Movements {
		if err := checkMovement(m); err != nil {
			return nil, err
		}
		if places[i].Known = m.NaturalKey != "" && d.keys[m.NaturalKey]; !places[i].Known {
			d.keys[m.NaturalKey] = true
			d.list = append(d.list, m)
		}
	}
	return places, nil
}

func (d *diary) told() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []string
	for _, m := range d.list {
		if m.Problem != nil {
			list = append(list, "!"+m.Problem.Code)
		} else {
			list = append(list, string(m.Kind)+" "+m.Lot+m.Serial)
		}
	}
	return strings.Join(list, ", ")
}

type answers struct{ list []scan.Answer }

func (a *answers) Beep(_ string, b scan.Answer) { a.list = append(a.list, b) }

const (
	plain = "4012345678901"
	pack  = "]d20104012345678901" + "10A\x1d21S1"
)

// Each script is played to one scanner: codes, and pauses in milliseconds
// after a "+".
func TestScans(t *testing.T) {
	cases := map[string]struct {
		profile func(*Scanner)
		script  []string
		sounds  string // sound/reason of each answer
		told    string // what was recorded
	}{
		"one after the other": {nil, []string{plain, "+1500", plain}, "ok ok", "dispense , dispense "},
		"twice within a second": {nil, []string{plain, "+300", plain, "+800", plain, "+1100", plain},
			"ok warn/scanned_twice warn/scanned_twice ok", "dispense , dispense "},
		"twice, allowed":             {func(s *Scanner) { s.Repeat = RepeatAllow }, []string{plain, "+300", plain}, "ok ok", "dispense , dispense "},
		"twice, within nothing":      {func(s *Scanner) { s.RepeatWithin = new(time.Duration) }, []string{plain, "+1", plain}, "ok ok", "dispense , dispense "},
		"twice, kept":                {func(s *Scanner) { s.Repeat = RepeatKeep }, []string{plain, "+300", plain}, "ok warn/scanned_twice", "dispense , !scanned_twice"},
		"two codes in turn":          {nil, []string{plain, "4012345678918", plain}, "ok ok ok", "dispense , dispense , dispense "},
		"a serial twice, allowed":    {func(s *Scanner) { s.Repeat = RepeatAllow }, []string{pack, "+300", pack}, "ok warn/scanned_twice", "dispense AS1"},
		"a serial again much later":  {nil, []string{pack, "+90000", pack}, "ok warn/serial_again", "dispense AS1, !serial_again"},
		"unreadable":                 {nil, []string{"4012345678902", "+300", "4012345678902", "+2000", plain}, "warn/check_digit warn/scanned_twice ok", "!check_digit, dispense "},
		"not with certainty":         {nil, []string{"010401234567890110ABC21X"}, "warn/missing_separator", "!missing_separator"},
		"certain once it was proved": {nil, []string{pack, "+2000", "010401234567890110ABC21X"}, "ok ok", "dispense AS1, dispense ABC21X"},
		"about a person":             {nil, []string{"]C18018123456789012345675"}, "refused/personal_code", ""},
		"a command out of place":     {nil, []string{"BL-UNDO", "BL-UNDO"}, "refused/command_out_of_place refused/command_out_of_place", ""},
		"no product":                 {nil, []string{"]C100012345678901234560"}, "warn/not_trade_item", "!not_trade_item"},
		"half a code":                {nil, []string{"-40123456", "+900", plain}, "warn/half_code ok", "!half_code, dispense "},
		"a return":                   {func(s *Scanner) { s.For = scan.Return }, []string{pack}, "ok", "return AS1"},
		"a PPN":                      {nil, []string{"[)>\x1e06\x1d9N110375286414\x1d1TL1\x1dSX9\x1e\x04"}, "ok", "dispense L1X9"},
		"a PPN twice, allowed": {func(s *Scanner) { s.Repeat = RepeatAllow },
			[]string{"[)>\x1e06\x1d9N110375286414\x1dSX9\x1e\x04", "+300", "[)>\x1e06\x1d9N110375286414\x1dSX9\x1e\x04"}, "ok warn/scanned_twice", "dispense X9"},
		"a PZN":             {nil, []string{"]A0-03752864"}, "ok", "dispense "},
		"HIBC":              {nil, []string{"+A99912345/$$52001510X33"}, "ok", "dispense 10X3"},
		"HIBC of a patient": {nil, []string{"+/EO5232013"}, "refused/personal_code", ""},
		"a look-up":         {func(s *Scanner) { s.For = scan.LookUp }, []string{pack, "4012345678902"}, "ok refused/check_digit", ""},
		"wastage":           {func(s *Scanner) { s.For, s.Reason = scan.Wastage, "broken" }, []string{plain}, "ok", "wastage "},
		"a transfer":        {func(s *Scanner) { s.For, s.Counterpart = scan.TransferOut, "BR02" }, []string{plain}, "ok", "transfer_out "},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := Scanner{Name: "front", Port: "P", For: scan.Dispense}
				if c.profile != nil {
					c.profile(&s)
				}
				store, heard := &diary{keys: map[string]bool{}}, &answers{}
				l := play(t, s, store, heard)
				for _, step := range c.script {
					var pause int
					if n, _ := fmt.Sscanf(step, "+%d", &pause); n == 1 {
						time.Sleep(time.Duration(pause) * time.Millisecond) // of the bubble's clock
						continue
					}
					if half, ok := strings.CutPrefix(step, "-"); ok {
						l.in <- half
					} else {
						l.in <- step + "\r"
					}
					synctest.Wait()
				}
				var sounds []string
				for _, a := range heard.list {
					sound := a.Sound.String()
					if a.Code != "" {
						sound += "/" + a.Code
					}
					sounds = append(sounds, sound)
				}
				if got := strings.Join(sounds, " "); got != c.sounds {
					t.Errorf("heard %q, want %q", got, c.sounds)
				}
				if got := store.told(); got != c.told {
					t.Errorf("recorded %q, want %q", got, c.told)
				}
			})
		})
	}
}

// play runs a capture with one scanner on a line.
func play(t *testing.T, s Scanner, store *diary, heard Beeper) *line {
	t.Helper()
	l := &line{in: make(chan string)}
	c := start(t, s, store, heard, func(_ *Scanner, _ string, timeout time.Duration) (port, error) {
		l.timeout = timeout
		return l, nil
	})
	synctest.Wait()
	if !c.Status()[0].Up {
		t.Fatalf("status %+v", c.Status())
	}
	return l
}

func start(t *testing.T, s Scanner, store *diary, heard Beeper, open func(*Scanner, string, time.Duration) (port, error)) *Capture {
	t.Helper()
	c, err := New(Config{Scanners: []Scanner{s}}, Options{Handler: Direct{store}, Beeper: heard, Log: slog.New(slog.DiscardHandler), open: open})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); c.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return c
}

func TestNoBeepWhenTheOutboxIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, heard := &diary{keys: map[string]bool{}, full: fault.New(fault.Transient, "outbox_full", "the outbox is full")}, &answers{}
		l := play(t, Scanner{Name: "front", Port: "P", For: scan.Dispense, Sounds: Sounds{OK: "K", Refused: "R"}}, store, heard)
		l.in <- plain + "\r"
		synctest.Wait()
		store.mu.Lock()
		store.full = nil
		store.mu.Unlock()
		time.Sleep(2 * time.Second)
		l.in <- plain + "\r"
		synctest.Wait()
		if len(heard.list) != 2 || heard.list[0].Sound != scan.Refused || heard.list[0].Code != "outbox_full" || heard.list[1].Sound != scan.OK {
			t.Errorf("heard %+v", heard.list)
		}
		if got := strings.Join(l.written, ""); got != "RK" {
			t.Errorf("the scanner was sent %q", got)
		}
	})
}

// What a wrong speed makes of a busy scanner does not fill the outbox.
func TestNoiseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, heard := &diary{keys: map[string]bool{}}, &answers{}
		l := play(t, Scanner{Name: "front", Port: "P", For: scan.Dispense}, store, heard)
		for i := range 500 {
			l.in <- fmt.Sprintf("\xfe\x80%d\r", i)
			synctest.Wait()
		}
		if n := len(store.list); n != noise {
			t.Errorf("%d were recorded", n)
		}
		if a := heard.list[499]; a.Code != codeNoise || a.Sound != scan.Refused {
			t.Errorf("the last answer is %+v", a)
		}
		time.Sleep(time.Minute)
		l.in <- "4012345678902\r"
		l.in <- plain + "\r"
		synctest.Wait()
		if n := len(store.list); n != noise+2 {
			t.Errorf("%d were recorded after a minute", n)
		}
	})
}

// The three ways in which an unplugged scanner shows; and the pauses between
// the attempts to open it again grow, but never beyond the bound.
func TestUnpluggedScanner(t *testing.T) {
	cases := map[string]func(*line){
		"an error":                 func(l *line) { l.fail = errors.New("input/output error") },
		"end of file for ever":     func(l *line) { l.fail = io.EOF },
		"the path leads elsewhere": func(l *line) { l.away = true },
	}
	for name, unplug := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var opens []time.Time
				var lines []*line
				c := start(t, Scanner{Name: "front", Port: "P", For: scan.Dispense}, &diary{keys: map[string]bool{}}, &answers{},
					func(_ *Scanner, _ string, timeout time.Duration) (port, error) {
						opens = append(opens, time.Now())
						if n := len(opens); n > 1 && n < 12 {
							return nil, errors.New("not there")
						}
						l := &line{timeout: timeout, in: make(chan string)}
						lines = append(lines, l)
						return l, nil
					})
				synctest.Wait()
				lines[0].mu.Lock()
				unplug(lines[0])
				lines[0].mu.Unlock()
				time.Sleep(time.Second)
				s := c.Status()[0]
				if s.Up || s.Reason == "" || s.Code == "" {
					t.Errorf("status %+v", s)
				}
				time.Sleep(2 * time.Minute)
				if s := c.Status()[0]; !s.Up || len(lines) != 2 {
					t.Errorf("after %d attempts status %+v", len(opens), s)
				}
				for i := 2; i < len(opens); i++ {
					if pause := opens[i].Sub(opens[i-1]); pause < 100*time.Millisecond || pause > 5*time.Second+time.Millisecond {
						t.Errorf("pause %d was %s", i, pause)
					}
				}
			})
		})
	}
}

func TestValidateNamesSettingAndValue(t *testing.T) {
	good := func() Scanner { return Scanner{Name: "front", Port: "COM3", For: scan.Receive} }
	cases := map[string]struct {
		change func(*Scanner)
		want   string
	}{
		"good":                     {func(s *Scanner) {}, ""},
		"no name":                  {func(s *Scanner) { s.Name = "" }, `scanners[0].name: ""`},
		"no port":                  {func(s *Scanner) { s.Port = "" }, `scanners[0].port: ""`},
		"no pattern":               {func(s *Scanner) { s.Port = "/dev/tty[" }, `scanners[0].port: "/dev/tty["`},
		"no speed":                 {func(s *Scanner) { s.Speed = 9601 }, `scanners[0].speed: "9601"`},
		"data bits":                {func(s *Scanner) { s.DataBits = 9 }, `data_bits: "9"`},
		"parity":                   {func(s *Scanner) { s.Parity = "mark" }, `parity: "mark"`},
		"stop bits":                {func(s *Scanner) { s.StopBits = 3 }, `stop_bits: "3"`},
		"terminator":               {func(s *Scanner) { s.Terminator = "tab" }, `terminator: "tab"`},
		"idle gap":                 {func(s *Scanner) { s.IdleGap = time.Millisecond }, `idle_gap: "1ms"`},
		"purpose":                  {func(s *Scanner) { s.For = "fun" }, `for: "fun"`},
		"transfer to nowhere":      {func(s *Scanner) { s.For = scan.TransferIn }, `counterpart: ""`},
		"counterpart of no use":    {func(s *Scanner) { s.Counterpart = "BR02" }, `counterpart: "BR02"`},
		"repeat":                   {func(s *Scanner) { s.Repeat = "maybe" }, `repeat: "maybe"`},
		"substitute":               {func(s *Scanner) { s.GS1.Substitute = "12" }, `scanners[0].gs1`},
		"sound":                    {func(s *Scanner) { s.Sounds.OK = `\q` }, `sounds.ok`},
		"a sound that is too long": {func(s *Scanner) { s.Sounds.Warn = strings.Repeat("x", 65) }, `sounds.warn`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := good()
			c.change(&s)
			err := (&Config{Scanners: []Scanner{s}}).Validate()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	two := Config{Scanners: []Scanner{good(), good()}}
	if err := two.Validate(); err == nil || !strings.Contains(err.Error(), "scanners[1].name") {
		t.Errorf("two of one name: %v", err)
	}
	two.Scanners[1].Name = "back"
	if err := two.Validate(); err == nil || !strings.Contains(err.Error(), "scanners[1].port") {
		t.Errorf("two on one port: %v", err)
	}
	two.Scanners[0].Port, two.Scanners[1].Port = "COM*", "COM*"
	if err := two.Validate(); err != nil {
		t.Errorf("two that share a pattern: %v", err)
	}
}

// Two scanners that share a pattern get a port each.
func TestPortsAreSharedOut(t *testing.T) {
	p := &ports{used: map[string]string{}}
	find := func(string) ([]string, error) { return []string{"COM4", "COM3"}, nil }
	a, b, c := &Scanner{Name: "a", Port: "COM*"}, &Scanner{Name: "b", Port: "COM*"}, &Scanner{Name: "c", Port: "COM*"}
	for _, want := range []struct {
		s    *Scanner
		port string
	}{{a, "COM3"}, {b, "COM4"}} {
		if got, err := p.take(want.s, find); err != nil || got != want.port {
			t.Errorf("%s got %s, %v", want.s.Name, got, err)
		}
	}
	if _, err := p.take(c, find); fault.CodeOf(err) != "scanner_port_taken" {
		t.Errorf("a third got %v", err)
	}
	p.release("a")
	if got, err := p.take(c, find); err != nil || got != "COM3" {
		t.Errorf("after a was released c got %s, %v", got, err)
	}
}

// A test that nobody ends, ends by itself: what is scanned then is recorded.
func TestTestEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, heard := &diary{keys: map[string]bool{}}, &answers{}
		l := &line{in: make(chan string)}
		c := start(t, Scanner{Name: "front", Port: "P", For: scan.Dispense}, store, heard, func(_ *Scanner, _ string, timeout time.Duration) (port, error) {
			l.timeout = timeout
			return l, nil
		})
		synctest.Wait()
		if err := c.Test("front", true); err != nil {
			t.Fatal(err)
		}
		l.in <- plain + "\r"
		synctest.Wait()
		time.Sleep(testFor + time.Second) // of the bubble's clock
		if s := c.Status()[0]; !s.Testing.IsZero() || s.Test == nil || s.Codes != 0 {
			t.Errorf("status %+v", s)
		}
		l.in <- plain + "\r"
		synctest.Wait()
		if got := store.told(); got != "dispense " || heard.list[0].Code != "test" || heard.list[1].Sound != scan.OK {
			t.Errorf("recorded %q, heard %+v", got, heard.list)
		}
	})
}
