package capture

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tarm/serial"

	"branchline/internal/fault"
)

// port is an open line to a scanner. A Read without bytes ends after the
// timeout it was opened with: (0, io.EOF) on Linux, (0, nil) on Windows.
type port interface {
	io.ReadWriteCloser
	// gone tells whether the name under which it was opened no longer leads
	// to it. It is asked while the line is idle.
	gone() bool
}

// openSerial opens the device. The read timeout is in steps of 100 ms on
// Linux.
func openSerial(s *Scanner, name string, timeout time.Duration) (port, error) {
	c := &serial.Config{Name: name, Baud: s.Speed, ReadTimeout: timeout, Size: byte(s.DataBits), StopBits: serial.StopBits(s.StopBits)}
	switch s.Parity {
	case "even":
		c.Parity = serial.ParityEven
	case "odd":
		c.Parity = serial.ParityOdd
	default:
		c.Parity = serial.ParityNone
	}
	hold, err := claim(name)
	if err != nil {
		return nil, err
	}
	p, err := serial.OpenPort(c)
	if err != nil {
		hold.release()
		return nil, err
	}
	hold.exclude()
	return &serialPort{Port: p, hold: hold}, nil
}

type serialPort struct {
	*serial.Port
	hold *hold
}

func (p *serialPort) gone() bool { return p.hold.gone() }

func (p *serialPort) Close() error {
	err := p.Port.Close()
	p.hold.release()
	return err
}

// errTaken says that another program, or another of our scanners, has the
// port.
var errTaken = errors.New("the port is taken")

// ports shares the devices out among the scanners of one agent: no two have
// the same one. Safe for concurrent use.
type ports struct {
	mu   sync.Mutex
	used map[string]string // port: scanner
}

// take finds the port of a scanner and reserves it.
func (p *ports) take(s *Scanner, find func(pattern string) ([]string, error)) (string, error) {
	names := []string{s.Port}
	if isPattern(s.Port) {
		var err error
		if names, err = find(s.Port); err != nil {
			return "", fault.New(fault.Transient, "scanner_ports_unknown", "cannot list the serial ports: %w", err)
		}
		slices.Sort(names)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range names {
		real := resolve(name)
		if by, taken := p.used[real]; taken && by != s.Name {
			continue
		}
		p.used[real] = s.Name
		return name, nil
	}
	if len(names) == 0 {
		return "", fault.New(fault.Transient, "scanner_absent", "no port matches %s", s.Port).
			WithHint("plug the scanner in")
	}
	return "", fault.New(fault.Transient, "scanner_port_taken", "%s is used by another scanner of this agent", strings.Join(names, ", ")).
		WithHint("plug the scanner in, or correct its port")
}

// release gives back what the scanner has.
func (p *ports) release(scanner string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, by := range p.used {
		if by == scanner {
			delete(p.used, name)
		}
	}
}

// unopened words why a port could not be opened.
func unopened(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.Transient, "scanner_absent", "%s is not there", name).WithHint("plug the scanner in")
	case errors.Is(err, errTaken) || busy(err):
		return fault.New(fault.Transient, "scanner_port_taken", "%s is used by another program", name).
			WithHint("end the other program")
	case errors.Is(err, fs.ErrPermission):
		return fault.New(fault.Setup, "scanner_no_permission", "the agent may not open %s", name).
			WithHint("end another program that has it, or give the agent's account the right to it (on Linux the group dialout)")
	}
	return fault.New(fault.Transient, "scanner_unopened", "%s cannot be opened: %w", name, err)
}
