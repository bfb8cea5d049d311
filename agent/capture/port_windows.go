package capture

import (
	"errors"
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// findPorts lists the ports whose name (COM7) or whose driver's name
// (USBSER000) matches. The registry lists those that are there now.
func findPorts(pattern string) ([]string, error) {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, `HARDWARE\DEVICEMAP\SERIALCOMM`, registry.QUERY_VALUE)
	if errors.Is(err, registry.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer k.Close()
	devices, err := k.ReadValueNames(0)
	if err != nil {
		return nil, err
	}
	pattern = strings.ToUpper(pattern)
	var names []string
	for _, device := range devices {
		name, _, err := k.GetStringValue(device)
		if err != nil {
			continue // unplugged in between
		}
		driver := device[strings.LastIndexByte(device, '\\')+1:]
		for _, s := range []string{name, driver} {
			if ok, _ := filepath.Match(pattern, strings.ToUpper(s)); ok {
				names = append(names, name)
				break
			}
		}
	}
	return names, nil
}

func resolve(name string) string { return strings.ToUpper(name) }

// busy: Windows opens a serial port once only, and says "access denied" to the
// second.
func busy(err error) bool {
	return errors.Is(err, windows.ERROR_ACCESS_DENIED) || errors.Is(err, windows.ERROR_SHARING_VIOLATION)
}

// inUse tells whether another program listens at a network port.
func inUse(err error) bool {
	return errors.Is(err, windows.WSAEADDRINUSE) || errors.Is(err, windows.WSAEACCES)
}

// hold has nothing to do on Windows: the port is ours alone, and an unplugged
// one fails to read.
type hold struct{}

func claim(string) (*hold, error) { return &hold{}, nil }
func (*hold) exclude()            {}
func (*hold) gone() bool          { return false }
func (*hold) release()            {}
