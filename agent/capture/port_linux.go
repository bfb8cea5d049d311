package capture

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// findPorts lists the paths that match.
func findPorts(pattern string) ([]string, error) { return filepath.Glob(pattern) }

// resolve gives the device behind a link, so that two links to one device are
// seen as the same port.
func resolve(name string) string {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		return real
	}
	return name
}

func busy(err error) bool { return errors.Is(err, unix.EBUSY) }

// inUse tells whether another program listens at a network port.
func inUse(err error) bool { return errors.Is(err, unix.EADDRINUSE) }

// hold keeps other programs from reading half of our codes: Linux lets
// everybody open a serial port at once. flock is what picocom, pyserial and
// others ask for; TIOCEXCL also keeps out those that do not ask, but not root.
type hold struct {
	f    *os.File
	name string
	real string
}

func claim(name string) (*hold, error) {
	f, err := os.OpenFile(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errTaken
		}
		return nil, err
	}
	return &hold{f: f, name: name, real: resolve(name)}, nil
}

func (h *hold) exclude() { _ = unix.IoctlSetInt(int(h.f.Fd()), unix.TIOCEXCL, 0) }

func (h *hold) gone() bool {
	now, err := os.Stat(h.name)
	if err != nil {
		return true
	}
	then, err := h.f.Stat()
	return err != nil || !os.SameFile(now, then)
}

func (h *hold) release() {
	_ = unix.IoctlSetInt(int(h.f.Fd()), unix.TIOCNXCL, 0)
	h.f.Close()
}
