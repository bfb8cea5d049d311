package trust

import (
	"net/url"
	"strconv"
)

// validBroker tells whether s is mqtts://host:port.
func validBroker(s string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= 300 && u.Scheme == "mqtts" && u.Hostname() != "" && port(u) && u.Path == "" && u.RawQuery == "" && u.User == nil
}

// ValidDoor tells whether s is https://host:port, where branches enrol.
func ValidDoor(s string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= 300 && u.Scheme == "https" && u.Hostname() != "" && port(u) &&
		(u.Path == "" || u.Path == "/") && u.RawQuery == "" && u.User == nil
}

func port(u *url.URL) bool {
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && n > 0
}
