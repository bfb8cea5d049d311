package rig

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Process is one of Branchline's programs, started, killed and started again.
// Not for concurrent use, but for Wait.
type Process struct {
	Name string
	// Program and Args are what is run, Env is added to the environment.
	Program string
	Args    []string
	Env     []string
	// Health is the URL that answers 2xx or 503 once the process serves.
	Health string
	// LogFile gets everything that the process says, over all starts.
	LogFile string

	cmd  *exec.Cmd
	done chan struct{}
	err  error
	tail *tail
}

// Start runs the program and returns once it serves or has ended.
func (p *Process) Start(ctx context.Context) error {
	f, err := os.OpenFile(p.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	p.tail = new(tail)
	p.cmd = exec.Command(p.Program, p.Args...)
	p.cmd.Env = append(os.Environ(), p.Env...)
	p.cmd.Stdout = io.MultiWriter(f, p.tail)
	p.cmd.Stderr = p.cmd.Stdout
	if err := p.cmd.Start(); err != nil {
		f.Close()
		return fmt.Errorf("starting %s: %w", p.Name, err)
	}
	done := make(chan struct{})
	p.done = done
	cmd := p.cmd
	go func() {
		p.err = cmd.Wait()
		f.Close()
		close(done)
	}()
	return p.awaitServing(ctx)
}

// awaitServing asks the health URL until there is an answer. A process that
// died by a kill point has ended, and that is no error here: see Ended.
func (p *Process) awaitServing(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	return Until(ctx, p.Name+" serves", func() (bool, error) {
		if p.Ended() {
			if p.Killed() {
				return true, nil
			}
			return false, fmt.Errorf("%s ended: %v\n%s", p.Name, p.err, p.tail)
		}
		req, err := http.NewRequestWithContext(ctx, "GET", p.Health, nil)
		if err != nil {
			return false, err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return false, nil
		}
		res.Body.Close()
		return true, nil
	})
}

// Ended tells whether the process is gone.
func (p *Process) Ended() bool {
	select {
	case <-p.Done():
		return true
	default:
		return false
	}
}

var ended = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Done is closed when the process is gone.
func (p *Process) Done() <-chan struct{} {
	if p.done == nil {
		return ended
	}
	return p.done
}

// PID is the number of the process that was started last.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Killed tells whether the process ended by SIGKILL.
func (p *Process) Killed() bool {
	if !p.Ended() || p.cmd == nil {
		return false
	}
	ws, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && ws.Signaled() && ws.Signal() == syscall.SIGKILL
}

// Kill ends the process at once, as a power cut would.
func (p *Process) Kill() {
	if p.cmd != nil && p.cmd.Process != nil {
		_ = p.cmd.Process.Kill()
		<-p.Done()
	}
}

// Stop asks the process to end and kills it after 20 s.
func (p *Process) Stop() error {
	if p.Ended() {
		return nil
	}
	_ = p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.Done():
	case <-time.After(20 * time.Second):
		p.Kill()
		return fmt.Errorf("%s did not stop within 20 s", p.Name)
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w\n%s", p.Name, p.err, p.tail)
	}
	return nil
}

// Until asks done every 20 ms until it says so, fails, or ctx ends.
func Until(ctx context.Context, what string, done func() (bool, error)) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := done()
		if err != nil {
			return err
		}
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
}

// FreePort names a loopback port that was free a moment ago.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// tail keeps the last few kilobytes that were written.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if len(t.b) > 8<<10 {
		t.b = append([]byte(nil), t.b[len(t.b)-(4<<10):]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}

func portFree(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	l.Close()
	return true
}
