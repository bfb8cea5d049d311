package outbox

import bolt "go.etcd.io/bbolt"

// Recorded tells for each natural key whether a movement with it was recorded
// before, and where; Known is false in the place of one that was not. It waits for
// the commit under way. What another goroutine records at the same time, it may or
// may not tell.
func (o *Outbox) Recorded(keys ...string) ([]Place, error) {
	places := make([]Place, len(keys))
	err := o.job(func() error {
		return o.view(func(tx *bolt.Tx) (err error) {
			find := keyLookup{m: o.keys, tx: tx}
			for i, key := range keys {
				if places[i], err = find.find(hashKey(key)); err != nil {
					return err
				}
			}
			return nil
		})
	})
	return places, err
}
