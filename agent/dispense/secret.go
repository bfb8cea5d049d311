package dispense

import (
	"context"
	"crypto/rand"

	"branchline/agent/outbox"
	"branchline/internal/movement"
)

// secretSpace holds one note: the key of the hashes of lines of which nothing
// is kept. It never leaves the outbox.
const secretSpace = "dispense-secret"

// loadSecret gives the store's secret, made when it has none.
func loadSecret(store Store) ([]byte, error) {
	for n, err := range store.Notes(secretSpace, "") {
		if err != nil {
			return nil, err
		}
		return n.Value, nil
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	_, err := store.Append(context.Background(), outbox.Write{Lane: movement.Bulk, Notes: []outbox.Note{{Space: secretSpace, Key: "lines", Value: secret}}})
	return secret, err
}
