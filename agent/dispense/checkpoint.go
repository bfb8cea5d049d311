package dispense

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"branchline/agent/outbox"
	"branchline/internal/movement"
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
	// Moved is when the file was moved to where those that are done lie, and File
	// what it was told as before.
	Moved time.Time `json:"moved,omitzero"`
	File  string    `json:"file,omitempty"`
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

// loadCheckpoints reads them. Those that an earlier version has kept by names that
// are not told get the names that are.
func loadCheckpoints(store Store, adapter string, names *namer, now func() time.Time) (*checkpoints, error) {
	c := &checkpoints{adapter: adapter, now: now, byName: map[string]*checkpoint{}}
	var renamed []outbox.Note
	for n, err := range store.Notes(noteSpace, adapter+"/") {
		if err != nil {
			return nil, err
		}
		var k checkpoint
		if json.Unmarshal(n.Value, &k) != nil {
			continue // of a later version, say: the file is read again
		}
		name := strings.TrimPrefix(n.Key, adapter+"/")
		f := file{name: name, told: name, mark: name}
		if k.Moved.IsZero() {
			f.told = names.told(name)
			f.mark = f.told
		}
		c.byName[f.mark] = &k
		if f.mark == name {
			continue
		}
		k.position = k.at()
		note, err := c.note(f, &k)
		if err != nil {
			return nil, err
		}
		k.position = k.position.told(f)
		renamed = append(renamed, outbox.Note{Space: noteSpace, Key: n.Key}, note)
	}
	for part := range slices.Chunk(renamed, 1000) {
		if _, err := store.Append(context.Background(), outbox.Write{Lane: movement.Bulk, Notes: part}); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// recent are the files that were read last, the newest first.
func (c *checkpoints) recent() []FileStatus {
	list := make([]FileStatus, 0, len(c.byName))
	for name, k := range c.byName {
		if !k.Moved.IsZero() {
			continue
		}
		list = append(list, FileStatus{Name: name, Done: k.Done, At: k.At, Rows: k.Counts})
	}
	slices.SortFunc(list, func(a, b FileStatus) int { return b.At.Compare(a.At) })
	return list[:min(len(list), recentFiles)]
}

// note is the checkpoint of a file as the outbox keeps it.
func (c *checkpoints) note(f file, k *checkpoint) (outbox.Note, error) {
	k.Hash = hex.EncodeToString(k.Sum[:])
	kept := *k
	kept.position = k.position.told(f)
	value, err := json.Marshal(kept)
	return outbox.Note{Space: noteSpace, Key: c.adapter + "/" + f.mark, Value: value}, err
}

// told is a position as it is kept, and named as a reader has it: where no row with
// a key was seen yet, the anchor is about the name of the file.
func (p position) told(f file) position {
	p.Anchor = reanchored(p.Anchor, f.name, f.told)
	return p
}

func (p position) named(f file) position {
	p.Anchor = reanchored(p.Anchor, f.told, f.name)
	return p
}

func reanchored(anchor, from, to string) string {
	if date, ok := strings.CutPrefix(anchor, fileAnchor+from+"/"); ok {
		return fileAnchor + to + "/" + date
	}
	return anchor
}

// forget names the oldest checkpoints beyond the bound whose files are gone.
func (c *checkpoints) forget(present map[string]bool) []outbox.Note {
	if len(c.byName) <= maxCheckpoints {
		return nil
	}
	var gone []string
	for name, k := range c.byName {
		if !present[name] && k.Moved.IsZero() {
			gone = append(gone, name)
		}
	}
	slices.SortFunc(gone, func(a, b string) int { return c.byName[a].At.Compare(c.byName[b].At) })
	gone = gone[:min(len(gone), max(len(c.byName)-maxCheckpoints*9/10, 0))]
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
	if k := c.byName[f.mark]; k != nil {
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
	same, err := r.seek(k.at().named(f))
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
		if name != f.mark && k.Moved.IsZero() && k.Offset > 0 && k.Offset <= f.size && (k.Size == f.size || c.now().Sub(k.At) < 48*time.Hour) {
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
