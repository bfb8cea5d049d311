package conf

import (
	"io"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxSecret bounds a secret file, in bytes.
const maxSecret = 4096

// Secret is a password or key, given in the configuration as the path of a
// file that only the service may read. It never prints what it holds.
type Secret struct {
	// File is the path of the file; relative paths are relative to the
	// process's working directory until [Secret.Resolve].
	File  string
	value string
	// exposed says who else may read the file; empty for nobody.
	exposed string
}

// NewSecret makes a secret that is held in memory only.
func NewSecret(value string) Secret { return Secret{value: value} }

// UnmarshalYAML reads the path.
func (s *Secret) UnmarshalYAML(n *yaml.Node) error { return n.Decode(&s.File) }

// IsZero tells whether neither a file nor a value was given.
func (s Secret) IsZero() bool { return s.File == "" && s.value == "" }

// Resolve reads the file, relative to dir, and keeps what stands in it without
// surrounding white space. Under systemd a credential of the file's name comes
// first: the service's user may not read the file itself.
func (s *Secret) Resolve(setting, dir string) error {
	if s.File == "" {
		return nil
	}
	path := s.File
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	s.exposed = exposure(path)
	if given := os.Getenv("CREDENTIALS_DIRECTORY"); given != "" {
		credential := filepath.Join(given, filepath.Base(path))
		if _, err := os.Stat(credential); err == nil {
			path = credential
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return Bad(setting, s.File, "cannot be read: "+err.Error())
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return Bad(setting, s.File, "cannot be read: "+err.Error())
	}
	if s.value = strings.TrimSpace(string(b)); s.value == "" || len(b) > maxSecret {
		return Bad(setting, s.File, "is empty or too large, put the secret alone into it")
	}
	if strings.ContainsAny(s.value, "\r\n") {
		return Bad(setting, s.File, "holds several lines, put the secret alone into it")
	}
	return nil
}

// Exposed says, after [Secret.Resolve], that others than the service may read the
// file, and what to do about it; empty when all is well. On Windows it is
// always empty ([NotLookedAt]).
func (s Secret) Exposed() string { return s.exposed }

// Reveal is the secret itself. Its result belongs into a protocol's
// credentials and nowhere else.
func (s Secret) Reveal() string { return s.value }

func (s Secret) String() string   { return "(secret)" }
func (s Secret) GoString() string { return "(secret)" }

// MarshalJSON, MarshalYAML keep the secret out of dumps.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"(secret)"`), nil }
func (s Secret) MarshalYAML() (any, error)    { return s.File, nil }
