package movement

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Lane is one of the two queues of an outbox. Each has its own sequence, chain
// and cursor, so that what people wait for never queues behind files.
type Lane uint8

const (
	// Live carries what people do: receipts, scans.
	Live Lane = 1
	// Bulk carries imported files.
	Bulk Lane = 2
)

// Lanes lists both lanes in the order in which they are sent.
var Lanes = []Lane{Live, Bulk}

func (l Lane) String() string {
	switch l {
	case Live:
		return "live"
	case Bulk:
		return "bulk"
	}
	return "lane" + strconv.Itoa(int(l))
}

// Valid tells whether l is one of the two lanes.
func (l Lane) Valid() bool { return l == Live || l == Bulk }

// MarshalText gives "live" or "bulk".
func (l Lane) MarshalText() ([]byte, error) {
	if !l.Valid() {
		return nil, fmt.Errorf("lane %d does not exist", l)
	}
	return []byte(l.String()), nil
}

// UnmarshalText reads "live" or "bulk".
func (l *Lane) UnmarshalText(b []byte) error {
	switch string(b) {
	case "live":
		*l = Live
	case "bulk":
		*l = Bulk
	default:
		return fmt.Errorf("lane %q is neither live nor bulk", b)
	}
	return nil
}

// ID is where a movement stands: its identity everywhere, for ever.
type ID struct {
	Branch string
	Epoch  string
	Lane   Lane
	// Seq counts from 1 without gaps within branch, epoch and lane.
	Seq uint64
}

// String gives "BR01/3kq7x2m4p9ab/live/17".
func (id ID) String() string {
	return id.Branch + "/" + id.Epoch + "/" + id.Lane.String() + "/" + strconv.FormatUint(id.Seq, 10)
}

// ParseID reads what [ID.String] writes.
func ParseID(s string) (ID, error) {
	p := strings.Split(s, "/")
	if len(p) != 4 {
		return ID{}, fmt.Errorf("movement %q: want branch/epoch/lane/seq", s)
	}
	id := ID{Branch: p[0], Epoch: p[1]}
	if !ValidBranch(id.Branch) || !ValidEpoch(id.Epoch) {
		return ID{}, fmt.Errorf("movement %q: no such form of branch or epoch", s)
	}
	if err := id.Lane.UnmarshalText([]byte(p[2])); err != nil {
		return ID{}, fmt.Errorf("movement %q: %w", s, err)
	}
	seq, err := strconv.ParseUint(p[3], 10, 63)
	if err != nil || seq == 0 || strconv.FormatUint(seq, 10) != p[3] {
		return ID{}, fmt.Errorf("movement %q: seq %q is not a counting number", s, p[3])
	}
	id.Seq = seq
	return id, nil
}

var branchForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$`)

// ValidBranch tells whether s can name a branch: 1 to 32 letters, digits, "-"
// and "_", so that it is safe in an MQTT topic, a file name and a document.
func ValidBranch(s string) bool { return branchForm.MatchString(s) }

// ValidEpoch tells whether s has the form of [NewEpoch]. It is asked for every
// block that is read.
func ValidEpoch(s string) bool {
	if len(s) != 12 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}

// NewEpoch makes the random name of a new stream of an outbox: 12 characters
// of base32, 60 bits.
func NewEpoch() string { return strings.ToLower(rand.Text()[:12]) }

// ForkEpoch names the stream into which another one forks; after is the old
// chain's hash after the first record that goes there. All copies of an outbox
// that fork at the same record name it alike, so that the records they have in
// common arrive at the hub as one, and not once from each copy.
func ForkEpoch(after Hash) string {
	sum := sha256.Sum256(append([]byte("branchline/1/fork/"), after[:]...))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:12])
}
