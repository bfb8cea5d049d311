package rig

import (
	"fmt"
	"os"

	"github.com/creack/pty"
)

// Scanner is a pseudo-terminal that looks like a serial scanner: the agent
// opens Port, and what Scan writes arrives there.
type Scanner struct {
	Port   string
	master *os.File
	slave  *os.File
}

// NewScanner plugs one in. It needs an operating system with pseudo-terminals.
func NewScanner() (*Scanner, error) {
	master, slave, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("no pseudo-terminal for a scanner: %w", err)
	}
	return &Scanner{Port: slave.Name(), master: master, slave: slave}, nil
}

// Scan sends one code and the return that ends it.
func (s *Scanner) Scan(code string) error {
	_, err := s.master.WriteString(code + "\r")
	return err
}

// Heard reads what the agent sends back (its beeps), blocking.
func (s *Scanner) Heard(b []byte) (int, error) { return s.master.Read(b) }

// Unplug closes both ends.
func (s *Scanner) Unplug() {
	_ = s.slave.Close()
	_ = s.master.Close()
}
