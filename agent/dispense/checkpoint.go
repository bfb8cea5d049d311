package dispense

import (
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"branchline/agent/outbox"
)

// noteSpace is where the outbox keeps the checkpoints, by adapter and name of
// the file.
const noteSpace = "dispense"

// maxCheckpoints bounds what is remembered of one adapter's files. A file
// whose checkpoint was forgotten is read again, and known by its rows.
const maxCheckpoints = 10_000

// checkpoint says how far a file was read.
type checkpoint struct {
	position
	Hash string `json:"hash"` // position.Sum
	// Size and Changed are those of the file when Done was set: everything up
	// to there is recorded.
	Size    int64     `json:"size"`
	Changed time.Time `json:"changed"`
	Done    bool      `json:"done"`
	Counts
	At time.Time `json:"at"`
}

// Counts are rows by what became of them.
type Counts struct {
	// Good were recorded, Bad kept for a person, Known recorded before.
	Good  int64 `json:"good"`
	Bad   int64 `json:"bad"`
	Known int64 `json:"known"`
}

func (c *Counts) add(o Counts) {
	c.Good += o.Good
	c.Bad += o.Bad
	c.Known += o.Known
}

func (c *checkpoint) at() position {
	p := c.position
	if sum, err := hex.DecodeString(c.Hash); err == nil && len(sum) == len(p.Sum) {
		copy(p.Sum[:], sum)
	}
	return p
}

// unchanged tells that the file is as it was when all of it was recorded.
func (c *checkpoint) unchanged(f file) bool {
	return c.Done && c.Size == f.size && c.Changed.Equal(f.changed)
}

// checkpoints are those of one adapter. Only its goroutine uses them.
type checkpoints struct {
	adapter string
	now     func() time.Time
	byName  map[string]*checkpoint
}

func loadCheckpoints(store Store, adapter string, now func() time.Time) (*checkpoints, error) {
	c := &checkpoints{adapter: adapter, now: now, byName: map[string]*checkpoint{}}
	for n, err := range store.Notes(noteSpace, adapter+"/") {
		if err != nil {
			return nil, err
		}
		var k checkpoint
		if json.Unmarshal(n.Value, &k) != nil {
			continue // of a later version, say: the file is read again
		}
		c.byName[strings.TrimPrefix(n.Key, adapter+"/")] = &k
	}
	return c, nil
}

// recent are the files that were read last, the newest first.
func (c *checkpoints) recent() []FileStatus {
	list := make([]FileStatus, 0, len(c.byName))
	for name, k := range c.byName {
		list = append(list, FileStatus{Name: name, Done: k.Done, At: k.At, Rows: k.Counts})
	}
	slices.SortFunc(list, func(a, b FileStatus) int { return b.At.Compare(a.At) })
	return list[:min(len(list), recentFiles)]
}

// note is the checkpoint as the outbox keeps it.
func (c *checkpoints) note(name string, k *checkpoint) (outbox.Note, error) {
	k.Hash = hex.EncodeToString(k.Sum[:])
	value, err := json.Marshal(k)
	return outbox.Note{Space: noteSpace, Key: c.adapter + "/" + name, Value: value}, err
}

// forget names the oldest checkpoints beyond the bound whose files are gone.
func (c *checkpoints) forget(present map[string]bool) []outbox.Note {
	if len(c.byName) <= maxCheckpoints {
		return nil
	}
	var gone []string
	for name := range c.byName {
		if !present[name] {
			gone = append(gone, name)
		}
	}
	slices.SortFunc(gone, func(a, b string) int { return c.byName[a].At.Compare(c.byName[b].At) })
	gone = gone[:min(len(gone), len(c.byName)-maxCheckpoints*9/10)]
	notes := make([]outbox.Note, len(gone))
	for i, name := range gone {
		notes[i] = outbox.Note{Space: noteSpace, Key: c.adapter + "/" + name}
		delete(c.byName, name)
	}
	return notes
}

// start opens a reader at the place up to which the file was read before:
// under its name, or under another that it had.
func (c *checkpoints) start(e *Export, f file) (*reader, checkpoint, error) {
	if k := c.byName[f.name]; k != nil {
		if r, err := startAt(e, f, k); r != nil || err != nil {
			return r, *k, err
		}
	}
	for _, k := range c.candidates(f) {
		r, err := startAt(e, f, k)
		if err != nil {
			return nil, checkpoint{}, err
		}
		if r != nil {
			copied := *k
			copied.Done, copied.Counts = false, Counts{Known: k.Good + k.Bad + k.Known}
			return r, copied, nil
		}
	}
	r, err := newReader(e, f)
	return r, checkpoint{}, err
}

func startAt(e *Export, f file, k *checkpoint) (*reader, error) {
	if k.Offset > f.size {
		return nil, nil
	}
	r, err := newReader(e, f)
	if err != nil {
		return nil, err
	}
	same, err := r.seek(k.at())
	if err != nil || !same {
		return nil, err
	}
	return r, nil
}

// candidates are the checkpoints of other files that this one can be under a
// new name: of the same size, or, where it was rotated or is still growing,
// of those that last changed. They are few, as each costs reading the file.
func (c *checkpoints) candidates(f file) []*checkpoint {
	var list []*checkpoint
	for name, k := range c.byName {
		if name != f.name && k.Offset > 0 && k.Offset <= f.size && (k.Size == f.size || c.now().Sub(k.At) < 48*time.Hour) {
			list = append(list, k)
		}
	}
	slices.SortFunc(list, func(a, b *checkpoint) int {
		if same := boolOrder(a.Size == f.size, b.Size == f.size); same != 0 {
			return same
		}
		return b.At.Compare(a.At)
	})
	return list[:min(len(list), 4)]
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}
