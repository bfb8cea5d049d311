package dispense

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"branchline/agent/outbox"
)

// A file's name is kept with each of its rows, logged and sent, and can be about a
// patient. So it is told as it is only where it is made of digits, signs, single
// letters and words that say nothing of anybody: those of the configuration (the
// literal part of the pattern, the export's name) and [plainWords]. Any other is
// told as "withheld-" and a keyed hash of it, which is the same whenever the file
// comes; the branch's own page finds the file that has it.

func wordSet(text string) map[string]bool {
	set := map[string]bool{}
	for _, w := range lettersOf(strings.ToLower(text)) {
		set[w] = true
	}
	return set
}

// lettersOf are the runs of letters.
func lettersOf(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) })
}

// namer tells the files of one export. It is safe for concurrent use.
type namer struct {
	secret []byte
	words  map[string]bool // of its configuration
	ext    string          // that all its files have

	mu    sync.Mutex
	names map[string]string // as they are told, by name
	real  map[string]string // those that are told otherwise, by how
}

// maxNames bounds what a namer remembers; the names are found again in the folders.
const maxNames = 20_000

func newNamer(e *Export, secret []byte) *namer {
	n := &namer{names: map[string]string{}, real: map[string]string{}, secret: secret, words: wordSet(e.Name + " " + literal(e.Pattern))}
	if ext := filepath.Ext(e.Pattern); !strings.ContainsAny(ext, `*?[\`) {
		n.ext = strings.ToLower(ext)
	}
	return n
}

// withheld lists the files that are told by another name.
func (n *namer) withheld() (list []Withheld) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for told, name := range n.real {
		list = append(list, Withheld{Name: name, Told: told})
	}
	slices.SortFunc(list, func(a, b Withheld) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// local is the name that a file has at the branch, where it is told by another and
// lies in one of the folders; else told.
func (n *namer) local(told string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return cmp.Or(n.real[told], told)
}

// literal is what a pattern asks for as it stands.
func literal(pattern string) string {
	return regexp.MustCompile(`\[[^\]]*\]|[*?\\]`).ReplaceAllString(pattern, " ")
}

// told is what a file of this name is called in all that is kept, logged and sent.
func (n *namer) told(name string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if told, ok := n.names[name]; ok {
		return told
	}
	if len(n.names) == maxNames {
		clear(n.names)
		clear(n.real)
	}
	told := n.find(name)
	n.names[name] = told
	if told != name {
		n.real[told] = name
	}
	return told
}

func (n *namer) find(name string) string {
	if n.harmless(name) {
		return name
	}
	return n.hidden(name)
}

// hidden is what a file is told as where its name is not, and was by versions that knew
// fewer words.
func (n *namer) hidden(name string) string {
	h := hmac.New(sha256.New, n.secret)
	h.Write([]byte("file name\x00" + name))
	return "withheld-" + hex.EncodeToString(h.Sum(nil)[:8]) + n.ext
}

func (n *namer) harmless(name string) bool {
	if toldForm.MatchString(name) {
		return true
	}
	name = withoutStamps(name)
	for _, w := range lettersOf(strings.ToLower(name)) {
		if utf8.RuneCountInString(w) > 1 && !n.words[w] && !standalone(w) {
			return false
		}
	}
	return !personalNumber.MatchString(name)
}

// toldForm is the form of what a file is told as.
var toldForm = regexp.MustCompile(`^withheld-[0-9a-f]{16}(\.[a-z0-9]{1,8})?$`)

// personalNumber finds what a person can be known by: a letter with nine digits
// behind it or more than that without a date of this century in front, as numbers of
// insurances have it, and years and dates of the one before, as of births.
var personalNumber = regexp.MustCompile(`(^|\D)(19\d\d|19\d\d[01]\d[0-3]\d|[0-3]\d[01]\d19\d\d)(\D|$)|(^|\D)([013-9]\d{8,}|2[1-9]\d{7,})|\pL\d{9,}`)

// Withholds tells whether the name of a file of the export is told to nobody.
func Withholds(e *Export, name string) bool { return !newNamer(e, nil).harmless(name) }

// ToldAs is what a file of this name, without its folder, is called in all that is kept,
// logged and sent. Store is the outbox of the agent that reads it, which need not be a
// running one; told is empty where no agent has read an export into it.
func ToldAs(e *Export, store interface {
	Notes(space, prefix string) iter.Seq2[outbox.Note, error]
}, name string) (told string, err error) {
	n := newNamer(e, nil)
	if n.harmless(name) {
		return name, nil
	}
	for note, err := range store.Notes(secretSpace, "") {
		if err != nil {
			return "", err
		}
		n.secret = note.Value
		return n.hidden(name), nil
	}
	return "", nil
}

// cause is an error without the path that it happened to.
func cause(err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	}
	return err
}
