package outbox

import (
	"bytes"
	"iter"

	bolt "go.etcd.io/bbolt"

	"branchline/internal/fault"
)

func noteKey(space, key string) []byte {
	return append(append(append(make([]byte, 0, len(space)+1+len(key)), space...), 0), key...)
}

func putNote(tx *bolt.Tx, n Note) error {
	b, key := tx.Bucket(notesBucket), noteKey(n.Space, n.Key)
	if n.Value == nil {
		return b.Delete(key)
	}
	return b.Put(key, enclose(kindNote, key, commitNumber(tx), n.Value))
}

// noteValue copies the content of a stored note.
func noteValue(key, stored []byte) ([]byte, error) {
	e, ok := disclose(kindNote, key, stored)
	if !ok {
		return nil, fault.New(fault.Setup, "outbox_damaged", "the note %q is damaged", key).
			WithHint("restart the agent; it carries over what can be read")
	}
	return append([]byte{}, e.content...), nil
}

// Note reads one note; nil where there is none.
func (o *Outbox) Note(space, key string) (value []byte, err error) {
	err = o.view(func(tx *bolt.Tx) error {
		k := noteKey(space, key)
		if v := tx.Bucket(notesBucket).Get(k); v != nil {
			value, err = noteValue(k, v)
		}
		return err
	})
	return value, err
}

// Notes reads the notes of a space whose keys begin with prefix, in the order
// of their keys, as they were at one moment. The loop may write notes. An
// error comes last, with an empty note.
func (o *Outbox) Notes(space, prefix string) iter.Seq2[Note, error] {
	return func(yield func(Note, error) bool) {
		var found []Note
		start := noteKey(space, prefix)
		err := o.view(func(tx *bolt.Tx) error {
			c := tx.Bucket(notesBucket).Cursor()
			for k, v := c.Seek(start); k != nil && bytes.HasPrefix(k, start); k, v = c.Next() {
				value, err := noteValue(k, v)
				if err != nil {
					return err
				}
				found = append(found, Note{space, string(k[len(space)+1:]), value})
			}
			return nil
		})
		yieldNotes(found, err, yield)
	}
}

func yieldNotes(found []Note, err error, yield func(Note, error) bool) {
	for _, n := range found {
		if !yield(n, nil) {
			return
		}
	}
	if err != nil {
		yield(Note{}, err)
	}
}
