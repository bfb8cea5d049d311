package outbox

import (
	"bytes"
	"iter"

	bolt "go.etcd.io/bbolt"
)

func noteKey(space, key string) []byte {
	return append(append(append(make([]byte, 0, len(space)+1+len(key)), space...), 0), key...)
}

func putNote(tx *bolt.Tx, n Note) error {
	b := tx.Bucket(notesBucket)
	if _, err := b.NextSequence(); err != nil {
		return err
	}
	if n.Value == nil {
		return b.Delete(noteKey(n.Space, n.Key))
	}
	return b.Put(noteKey(n.Space, n.Key), n.Value)
}

// Note reads one note; nil where there is none.
func (o *Outbox) Note(space, key string) (value []byte, err error) {
	err = o.view(func(tx *bolt.Tx) error {
		if v := tx.Bucket(notesBucket).Get(noteKey(space, key)); v != nil {
			value = append([]byte{}, v...)
		}
		return nil
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
				found = append(found, Note{space, string(k[len(space)+1:]), append([]byte{}, v...)})
			}
			return nil
		})
		for _, n := range found {
			if !yield(n, nil) {
				return
			}
		}
		if err != nil {
			yield(Note{}, err)
		}
	}
}
