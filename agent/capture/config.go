package capture

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"branchline/agent/scan"
	"branchline/internal/conf"
	"branchline/internal/gs1"
	"branchline/internal/movement"
)

// Config lists the branch's scanners.
type Config struct {
	Scanners []Scanner `yaml:"scanners"`
	// Keyboard is for scanners that type into the branch page, Keyboards for those
	// of them that are set otherwise than the rest.
	Keyboard  Keyboard   `yaml:"keyboard"`
	Keyboards []Keyboard `yaml:"keyboards"`
}

// Scanner is the profile of one serial or network scanner. It belongs to the scanner, not
// to the branch: two at one counter are often set differently.
type Scanner struct {
	// Name is how people call it: in the record of every scan, on the page.
	Name string `yaml:"name"`
	// Port is the device ("COM3", "/dev/ttyACM0"), a name that survives a
	// replug ("/dev/serial/by-id/usb-Honeywell_…"), or a pattern with * ? [ ]
	// for one that comes back under another name: of the device's path, on
	// Windows of the port ("COM*") or its driver's name ("USBSER*"). A pattern
	// takes the first port, by name, that no other scanner of the
	// configuration has.
	Port string `yaml:"port"`
	// Network is the line of a scanner on the network, in place of Port.
	Network Network `yaml:"network"`
	// Speed in baud; USB scanners ignore it. 9600 when left out.
	Speed    int    `yaml:"speed"`
	DataBits int    `yaml:"data_bits"`
	Parity   string `yaml:"parity"` // none, even or odd
	StopBits int    `yaml:"stop_bits"`

	// Terminator ends a code: cr, lf, crlf or idle (nothing sent for
	// idle_gap).
	Terminator Ending `yaml:"terminator"`
	// IdleGap of 100 ms to 5 s ends a code by silence; with another
	// terminator it is how long the rest of a half code is waited for.
	IdleGap time.Duration `yaml:"idle_gap"`

	GS1 gs1.Profile `yaml:"gs1"`
	// keys is how those of a scanner are read that types like a keyboard
	// ([Keyboard.Keys]); empty for all others.
	keys string

	// For is what its scans mean.
	For scan.Purpose `yaml:"for"`
	// Station joins scanners that work on the same delivery; the scanner's
	// own name when left out.
	Station string `yaml:"station"`
	// By, Reason and Counterpart stand in each movement of this scanner;
	// Counterpart is the other branch of a transfer.
	By          string `yaml:"by"`
	Reason      string `yaml:"reason"`
	Counterpart string `yaml:"counterpart"`

	// Repeat is what the same code again within RepeatWithin means: refuse
	// (not counted, and said so by sound), allow (counted each time), or keep
	// (recorded as a problem for a person).
	Repeat Repeat `yaml:"repeat"`
	// RepeatWithin is one second when left out; 0 is none at all.
	RepeatWithin *time.Duration `yaml:"repeat_within"`

	// Sounds are written back to the scanner after the commit, for those that
	// beep on command: text with \a (BEL), \r, \n and \xNN.
	Sounds Sounds `yaml:"sounds"`
}

// Repeat says what becomes of the same code again within a moment.
type Repeat string

const (
	RepeatRefuse Repeat = "refuse"
	RepeatAllow  Repeat = "allow"
	RepeatKeep   Repeat = "keep"
)

// Sounds are byte sequences, as text with escapes; empty for none.
type Sounds struct {
	OK      string `yaml:"ok"`
	Warn    string `yaml:"warn"`
	Refused string `yaml:"refused"`
}

// DefaultScanner is what a setting that is left out means: 9600 8N1, codes
// ended by CR, a second identical code within one second refused.
func DefaultScanner() Scanner {
	within := time.Second
	return Scanner{
		Speed: 9600, DataBits: 8, Parity: "none", StopBits: 1,
		Terminator: EndCR, IdleGap: 500 * time.Millisecond,
		Repeat: RepeatRefuse, RepeatWithin: &within,
	}
}

// speeds are those that tarm/serial sets on Linux and Windows alike.
var speeds = []int{300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400}

var nameForm = regexp.MustCompile(`^[\pL\pN][\pL\pN ._-]{0,63}$`)

// Validate fills in the defaults, checks every scanner, and names setting and
// value of the first that cannot be.
func (c *Config) Validate() error {
	if len(c.Scanners) > 32 {
		return conf.Bad("scanners", len(c.Scanners), "are more than 32")
	}
	c.Keyboard.fill()
	if err := conf.In("keyboard", c.Keyboard.validate(false)); err != nil {
		return err
	}
	seen := map[string]string{"name " + TypedName: "keyboard"}
	if err := c.validateKeyboards(seen); err != nil {
		return err
	}
	for i := range c.Scanners {
		s, at := &c.Scanners[i], fmt.Sprintf("scanners[%d]", i)
		s.fill()
		if err := s.validate(); err != nil {
			return conf.In(at, err)
		}
		for _, key := range []string{"name " + strings.ToLower(s.Name), "port " + s.where()} {
			if first, taken := seen[key]; taken && !(isPattern(s.Port) && strings.HasPrefix(key, "port ")) {
				field, value, _ := strings.Cut(key, " ")
				return conf.Bad(at+"."+field, value, "is the same as in "+first)
			}
			seen[key] = at
		}
	}
	return nil
}

func (c *Config) validateKeyboards(seen map[string]string) error {
	if len(c.Keyboards) > 16 {
		return conf.Bad("keyboards", len(c.Keyboards), "are more than 16")
	}
	for i := range c.Keyboards {
		k, at := &c.Keyboards[i], fmt.Sprintf("keyboards[%d]", i)
		k.fill()
		if err := conf.In(at, k.validate(true)); err != nil {
			return err
		}
		if first, taken := seen["name "+strings.ToLower(k.Name)]; taken {
			return conf.Bad(at+".name", k.Name, "is the same as in "+first)
		}
		seen["name "+strings.ToLower(k.Name)] = at
		for j, o := range c.Keyboards[:i] {
			if strings.HasPrefix(k.StartsWith, o.StartsWith) || strings.HasPrefix(o.StartsWith, k.StartsWith) {
				return conf.Bad(at+".starts_with", k.StartsWith, fmt.Sprintf("cannot be told from that of keyboards[%d]", j))
			}
		}
	}
	return nil
}

func (s *Scanner) fill() {
	d := DefaultScanner()
	s.Speed = cmp.Or(s.Speed, d.Speed)
	s.DataBits = cmp.Or(s.DataBits, d.DataBits)
	s.Parity = cmp.Or(s.Parity, d.Parity)
	s.StopBits = cmp.Or(s.StopBits, d.StopBits)
	s.Terminator = cmp.Or(s.Terminator, d.Terminator)
	s.IdleGap = cmp.Or(s.IdleGap, d.IdleGap)
	s.Repeat = cmp.Or(s.Repeat, d.Repeat)
	s.RepeatWithin = cmp.Or(s.RepeatWithin, d.RepeatWithin)
	s.Station = cmp.Or(s.Station, s.Name)
}

func (s *Scanner) validate() error {
	switch {
	case !nameForm.MatchString(s.Name):
		return conf.Bad("name", s.Name, "must be 1 to 64 letters, digits, spaces, dots, - and _")
	case !nameForm.MatchString(s.Station):
		return conf.Bad("station", s.Station, "must be 1 to 64 letters, digits, spaces, dots, - and _")
	case s.Port != "" && s.Network.used():
		return conf.Bad("port", s.Port, "cannot be together with network")
	case s.Port == "" && !s.Network.used():
		return conf.Bad("port", s.Port, "must name a port, such as COM3 or /dev/serial/by-id/usb-*")
	case !slices.Contains(speeds, s.Speed):
		return conf.Bad("speed", s.Speed, "is not one of "+strings.Trim(fmt.Sprint(speeds), "[]"))
	case s.DataBits != 7 && s.DataBits != 8:
		return conf.Bad("data_bits", s.DataBits, "must be 7 or 8")
	case s.Parity != "none" && s.Parity != "even" && s.Parity != "odd":
		return conf.Bad("parity", s.Parity, "must be none, even or odd")
	case s.StopBits != 1 && s.StopBits != 2:
		return conf.Bad("stop_bits", s.StopBits, "must be 1 or 2")
	case s.Terminator != EndCR && s.Terminator != EndLF && s.Terminator != EndCRLF && s.Terminator != EndIdle:
		return conf.Bad("terminator", s.Terminator, "must be cr, lf, crlf or idle")
	case s.IdleGap < 100*time.Millisecond || s.IdleGap > 5*time.Second:
		return conf.Bad("idle_gap", s.IdleGap, "must be 100ms to 5s")
	case !s.For.Valid():
		return conf.Bad("for", s.For, "must be one of "+strings.Trim(fmt.Sprint(scan.Purposes), "[]"))
	case len(s.By) > 32:
		return conf.Bad("by", s.By, "is longer than 32 bytes")
	case len(s.Reason) > 200:
		return conf.Bad("reason", s.Reason, "is longer than 200 bytes")
	case s.Repeat != RepeatRefuse && s.Repeat != RepeatAllow && s.Repeat != RepeatKeep:
		return conf.Bad("repeat", s.Repeat, "must be refuse, allow or keep")
	case *s.RepeatWithin < 0 || *s.RepeatWithin > time.Minute:
		return conf.Bad("repeat_within", *s.RepeatWithin, "must be 0 to 1m")
	}
	transfer := s.For == scan.TransferIn || s.For == scan.TransferOut
	if transfer && !movement.ValidBranch(s.Counterpart) {
		return conf.Bad("counterpart", s.Counterpart, "must name the other branch of the transfers")
	}
	if !transfer && s.Counterpart != "" {
		return conf.Bad("counterpart", s.Counterpart, "belongs to scanners for transfers only")
	}
	if isPattern(s.Port) {
		if _, err := filepath.Match(s.Port, ""); err != nil {
			return conf.Bad("port", s.Port, "is not a pattern that can be read")
		}
	}
	if s.Network.used() {
		if err := s.Network.validate(); err != nil {
			return err
		}
	}
	if err := s.GS1.Validate(); err != nil {
		return fmt.Errorf("gs1: %w", err)
	}
	for _, f := range []struct{ name, text string }{
		{"sounds.ok", s.Sounds.OK}, {"sounds.warn", s.Sounds.Warn}, {"sounds.refused", s.Sounds.Refused},
	} {
		if _, err := unescape(f.text); err != nil {
			return conf.Bad(f.name, f.text, `must be text with \a, \r, \n and \xNN, at most 64 bytes`)
		}
	}
	return nil
}

// sequence is what is written back for a sound; nil for none.
func (s *Sounds) sequence(sound scan.Sound) []byte {
	text := s.Refused
	switch sound {
	case scan.OK:
		text = s.OK
	case scan.Warn:
		text = s.Warn
	}
	b, _ := unescape(text)
	return b
}

func unescape(s string) ([]byte, error) {
	if s == "" {
		return nil, nil
	}
	var b []byte
	for s != "" {
		c, wide, rest, err := strconv.UnquoteChar(s, 0)
		if err != nil {
			return nil, err
		}
		if wide {
			b = append(b, string(c)...)
		} else {
			b = append(b, byte(c))
		}
		s = rest
	}
	if len(b) > 64 {
		return nil, strconv.ErrRange
	}
	return b, nil
}

// where is the line that the scanner is looked for at.
func (s *Scanner) where() string { return cmp.Or(s.Port, s.Network.Connect, s.Network.Listen) }

func isPattern(port string) bool { return strings.ContainsAny(port, "*?[") }
