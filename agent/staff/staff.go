// Package staff knows the people who may sign at the branch's page: by their
// initials and a PIN, where the configuration lists any. It needs no network.
package staff

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"branchline/agent/outbox"
	"branchline/internal/conf"
	"branchline/internal/fault"
	"branchline/internal/password"
)

// Config lists the people; without any, initials alone are enough.
type Config struct {
	Users []User `yaml:"users"`
}

// User is one of them.
type User struct {
	Initials string `yaml:"initials"`
	// PIN is what [Hash] made of it.
	PIN string `yaml:"pin"`
}

// Bounds of a PIN, in characters, and of initials, in bytes.
const (
	minPIN, maxPIN = 4, 32
	maxInitials    = 16
	maxUsers       = 200
)

// Validate names the setting and its value; of a PIN's hash it names no part.
func (c *Config) Validate() error {
	if len(c.Users) > maxUsers {
		return conf.Bad("users", len(c.Users), fmt.Sprintf("are more than %d", maxUsers))
	}
	seen := map[string]bool{}
	for i, u := range c.Users {
		at, key := fmt.Sprintf("users[%d]", i), fold(u.Initials)
		switch {
		case key == "" || len(u.Initials) > maxInitials || strings.ContainsFunc(u.Initials, notPrinted):
			return conf.Bad(at+".initials", u.Initials, fmt.Sprintf("must be 1 to %d letters or digits", maxInitials))
		case seen[key]:
			return conf.Bad(at+".initials", u.Initials, "are there twice")
		}
		seen[key] = true
		if _, err := password.Parse(u.PIN); err != nil {
			return conf.Bad(at+".pin", "", `must be the line that "branchline-agent pin" prints`)
		}
	}
	return nil
}

func notPrinted(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

func fold(initials string) string { return strings.ToUpper(strings.TrimSpace(initials)) }

// Hash makes of a PIN what the configuration holds.
func Hash(pin string) (string, error) {
	if n := utf8.RuneCountInString(pin); n < minPIN || n > maxPIN || strings.ContainsFunc(pin, unicode.IsControl) {
		return "", fault.New(fault.Data, "bad_pin", "a PIN has %d to %d characters", minPIN, maxPIN)
	}
	return password.New(pin, password.Small).String(), nil
}

// After so many wrong PINs in a row nobody signs by these initials for a while.
const (
	maxWrong = 5
	pause    = 5 * time.Minute
)

// Codes of what is refused.
const (
	WrongPIN = "wrong_pin"
	Locked   = "pin_locked"
)

// Memory keeps how often a PIN was wrong beyond a restart, so that nobody tries
// again by one.
type Memory interface {
	Append(ctx context.Context, w outbox.Write) ([]outbox.Place, error)
	Notes(space, prefix string) iter.Seq2[outbox.Note, error]
}

const space = "signing"

// Staff checks who signs. Safe for concurrent use; one PIN is looked at after
// the other, so that many at once cost no memory.
type Staff struct {
	now    func() time.Time
	memory Memory
	mu     sync.Mutex
	known  map[string]*person
	// strangers stands for all initials that are not known.
	strangers person
}

type person struct {
	key   string
	hash  password.Hash
	tries tries
}

// tries is what is kept of a person.
type tries struct {
	Wrong int `json:"wrong"`
	// Until is when somebody may sign again.
	Until time.Time `json:"until,omitzero"`
}

// strange is the key of all initials that are not known; no initials are that.
const strange = "?"

// New takes a configuration that was validated; memory may be nil, which forgets
// at the end, and now is nil for time.Now.
func New(c Config, memory Memory, now func() time.Time) (*Staff, error) {
	if now == nil {
		now = time.Now
	}
	s := &Staff{now: now, memory: memory, known: map[string]*person{}, strangers: person{key: strange}}
	for _, u := range c.Users {
		h, err := password.Parse(u.PIN)
		if err == nil {
			key := fold(u.Initials)
			s.known[key] = &person{key: key, hash: h}
			s.strangers.hash = password.Decoy(h.Cost)
		}
	}
	if memory == nil || !s.Needed() {
		return s, nil
	}
	for n, err := range memory.Notes(space, "") {
		if err != nil {
			return nil, fmt.Errorf("who signed: %w", err)
		}
		if err := json.Unmarshal(n.Value, &s.of(n.Key).tries); err != nil {
			return nil, fmt.Errorf("who signed as %q: %w", n.Key, err)
		}
	}
	return s, nil
}

func (s *Staff) of(key string) *person {
	if p := s.known[key]; p != nil {
		return p
	}
	return &s.strangers
}

// Needed tells whether people sign with a PIN.
func (s *Staff) Needed() bool { return len(s.known) > 0 }

// Check tells whether the PIN is that of the initials; always where none is
// needed. What is wrong is a fault of class Data, [WrongPIN] or [Locked].
func (s *Staff) Check(initials, pin string) error {
	if !s.Needed() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.of(fold(initials))
	now := s.now()
	// A moment further away was told by a clock that was wrong.
	if now.Before(p.tries.Until) && p.tries.Until.Sub(now) <= pause {
		return fault.New(fault.Data, Locked, "too many wrong PINs: nobody signs as %.16q before %s", initials, p.tries.Until.Format("15:04:05")).
			WithHint("wait, or let a colleague sign")
	}
	if utf8.RuneCountInString(pin) <= maxPIN && p.hash.Fits(pin) {
		return s.keep(p, tries{})
	}
	wrong := tries{Wrong: p.tries.Wrong + 1}
	if wrong.Wrong >= maxWrong {
		wrong = tries{Until: now.Add(pause)}
	}
	if err := s.keep(p, wrong); err != nil {
		return err
	}
	return fault.New(fault.Data, WrongPIN, "these initials and this PIN do not belong together").
		WithHint("type both again; IT makes a new PIN with branchline-agent pin")
}

// keep writes down how it went, before anybody is told.
func (s *Staff) keep(p *person, t tries) error {
	if t == p.tries {
		return nil
	}
	if s.memory != nil {
		note := outbox.Note{Space: space, Key: p.key}
		if t != (tries{}) {
			var err error
			if note.Value, err = json.Marshal(t); err != nil {
				return err
			}
		}
		if _, err := s.memory.Append(context.Background(), outbox.Write{Notes: []outbox.Note{note}}); err != nil {
			return err
		}
	}
	p.tries = t
	return nil
}
