package dispense

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"branchline/internal/fault"
)

// strayAfter is how long a file that no export reads may lie in a folder before it
// is told: a system may write under one name and rename.
const strayAfter = 2 * time.Minute

// strays watches a folder for files that look like exports and that nothing reads,
// as when a system has been told to name them otherwise: dispensings would stop and
// all would look well.
type strays struct {
	// exports are all that read the folder, of which the first one tells.
	exports []*Export
	since   map[string]time.Time
}

func newStrays(e *Export, all []Export) *strays {
	s := &strays{since: map[string]time.Time{}}
	for i := range all {
		if filepath.Clean(all[i].Folder) == filepath.Clean(e.Folder) {
			s.exports = append(s.exports, &all[i])
		}
	}
	if s.exports[0] != e {
		return nil
	}
	return s
}

// look gives the names of files that have been there for a while, in order.
func (s *strays) look(entries []os.DirEntry, now time.Time) (names []string) {
	there := map[string]time.Time{}
	for _, entry := range entries {
		name := entry.Name()
		if !entry.Type().IsRegular() || passing(name) || slices.ContainsFunc(s.exports, func(e *Export) bool { return e.Reads(name) || e.ignores(name) }) ||
			!slices.ContainsFunc(s.exports, func(e *Export) bool { return e.sameEnding(name) }) {
			continue
		}
		since, ok := s.since[name]
		if !ok {
			since = now
		}
		if there[name] = since; now.Sub(since) >= strayAfter {
			names = append(names, name)
		}
	}
	s.since = there
	return names
}

// sameEnding tells whether a name ends like the export's files.
func (e *Export) sameEnding(name string) bool {
	ending := filepath.Ext(e.Pattern)
	return ending == "" || strings.ContainsAny(ending, "*?[") || strings.EqualFold(ending, filepath.Ext(name))
}

func (e *Export) ignores(name string) bool {
	return slices.ContainsFunc(e.Ignore, func(pattern string) bool {
		ok, _ := filepath.Match(strings.ToLower(pattern), strings.ToLower(name)) // checked by Validate
		return ok
	})
}

// strays tells of files that nothing reads; nil for none.
func (a *adapter) strayFiles(entries []os.DirEntry) error {
	if a.strays == nil {
		return nil
	}
	names := a.strays.look(entries, a.Now())
	if len(names) == 0 {
		return nil
	}
	others := ""
	if n := len(names) - 1; n > 0 {
		others = fmt.Sprintf(" and %d more", n)
	}
	var patterns []string
	for _, e := range a.strays.exports {
		patterns = append(patterns, e.Pattern)
	}
	return fault.New(fault.Setup, "unread_file", "%s%s in %s is read by no export: its name does not fit %s", a.names.told(names[0]), others, a.e.Folder, strings.Join(patterns, ", ")).
		WithHint("mend the setting pattern if the system names its files otherwise now, or list the name under ignore")
}
