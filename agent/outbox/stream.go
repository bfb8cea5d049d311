package outbox

import (
	"encoding/json"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"branchline/internal/movement"
	"branchline/internal/wire"
)

// Names of the buckets beside those of the streams; all of them are always
// there.
var (
	stateBucket = []byte("state")
	notesBucket = []byte("notes")
	keysBucket  = []byte("keys")
	acksBucket  = []byte("acks")
	storeKey    = []byte("store")

	partBuckets = [][]byte{stateBucket, notesBucket, keysBucket, acksBucket, tailBucket}
)

const streamPrefix = "stream/"

// format is the version of the file's layout.
const format = 1

// storeState is the value of "store" in the bucket "state".
type storeState struct {
	Format  int       `json:"format"`
	Branch  string    `json:"branch"`
	Created time.Time `json:"created"`
	// Live and Bulk are the epochs of the streams that grow.
	Live string `json:"live"`
	Bulk string `json:"bulk"`
	// Alarms are those that nobody has dismissed.
	Alarms []Alarm `json:"alarms,omitempty"`
}

func (st *storeState) epoch(l movement.Lane) *string {
	if l == movement.Live {
		return &st.Live
	}
	return &st.Bulk
}

// streamState is the value under a stream's name in the bucket "state". It
// changes seldom: what changes with each record is told by the blocks.
type streamState struct {
	// Order counts the streams of the store as they were made.
	Order uint64 `json:"order"`
	Acked uint64 `json:"acked"`
	// Folded is the seq through which natural keys are in the key memory's
	// runs.
	Folded uint64 `json:"folded"`
	// Fork is set once the hub has called the stream forked.
	Fork *forkState `json:"fork,omitempty"`
}

// stream is a stream in memory. Guarded by Outbox.mu.
type stream struct {
	epoch string
	lane  movement.Lane
	streamState

	oldest, last uint64
	head         movement.Hash // after last
	tail         int           // bytes in the tail
	dirty        bool          // streamState is to be written down
}

func (s *stream) forked() bool { return s.Fork != nil }

func (s *stream) name() []byte { return streamName(s.epoch, s.lane) }

func streamName(epoch string, lane movement.Lane) []byte {
	return []byte(streamPrefix + epoch + "/" + lane.String())
}

func parseStreamName(name []byte) (epoch string, lane movement.Lane, ok bool) {
	const at = len(streamPrefix)
	if len(name) < at+13 || string(name[:at]) != streamPrefix || name[at+12] != '/' {
		return "", 0, false
	}
	epoch = string(name[at : at+12])
	if lane.UnmarshalText(name[at+13:]) != nil || !movement.ValidEpoch(epoch) {
		return "", 0, false
	}
	return epoch, lane, true
}

// end is the last seq that is there to be sent.
func (s *stream) end() uint64 {
	if s.forked() {
		return min(s.last, s.Fork.Common)
	}
	return s.last
}

func (s *stream) wire() wire.Stream {
	return wire.Stream{Epoch: s.epoch, Lane: s.lane, Oldest: s.oldest, Last: s.end(), Acked: s.Acked}
}

// loadStream reads what is known of a stream from its blocks and its state.
func loadStream(tx *bolt.Tx, branch, epoch string, lane movement.Lane) (*stream, error) {
	s := &stream{epoch: epoch, lane: lane, head: movement.Genesis(branch, epoch, lane)}
	c := cursorOf(tx, s.name())
	for _, v := range c.tail {
		s.tail += len(v)
	}
	if err := getState(tx, s.name(), &s.streamState); err != nil {
		return nil, err
	}
	if v := c.first(); v != nil {
		first, err := parseBlock(v)
		if err != nil {
			return nil, fmt.Errorf("first block of stream %s/%s: %w", epoch, lane, err)
		}
		s.oldest = first.first
	}
	if v := c.last(); v != nil {
		last, err := parseBlock(v)
		if err != nil {
			return nil, fmt.Errorf("last block of stream %s/%s: %w", epoch, lane, err)
		}
		s.last, s.head = last.last(), last.head()
	}
	s.Acked = min(s.Acked, s.last)
	return s, nil
}

func (s *stream) saveState(tx *bolt.Tx) error { return putState(tx, s.name(), &s.streamState) }

func loadStore(tx *bolt.Tx) (st storeState, err error) {
	if tx.Bucket(stateBucket) == nil {
		return st, fmt.Errorf("the file holds no state of an outbox")
	}
	return st, getState(tx, storeKey, &st)
}

func (st *storeState) save(tx *bolt.Tx) error { return putState(tx, storeKey, st) }

func putState(tx *bolt.Tx, key []byte, state any) error {
	raw, err := json.Marshal(state)
	if err != nil {
		return err
	}
	return tx.Bucket(stateBucket).Put(key, enclose(kindState, key, commitNumber(tx), raw))
}

func getState(tx *bolt.Tx, key []byte, state any) error {
	return decodeState(key, tx.Bucket(stateBucket).Get(key), state)
}

func decodeState(key, value []byte, state any) error {
	e, ok := disclose(kindState, key, value)
	if !ok {
		return fmt.Errorf("the state %q is damaged", key)
	}
	if err := json.Unmarshal(e.content, state); err != nil {
		return fmt.Errorf("the state %q: %w", key, err)
	}
	return nil
}

// forkState says what became of a stream that the hub has called forked.
type forkState struct {
	// Common is the last seq that the hub has, too.
	Common uint64 `json:"common"`
	// Epoch is the stream of the same lane into which the rest was copied.
	Epoch string `json:"epoch"`
	// Copied is the last seq that has been copied; Done says that all have.
	Copied uint64 `json:"copied"`
	Done   bool   `json:"done"`
	// Dense says that no record was missing, so that the copies' seqs are the
	// old ones less Common.
	Dense bool `json:"dense"`
	// At is when it happened: the rest is kept as evidence for the retention.
	At time.Time `json:"at"`
}
