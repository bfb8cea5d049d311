package room

import "context"

// Build puts the board together anew, as it is for the first who looks at it.
func (m *Room) Build(ctx context.Context) error {
	_, err := m.build(ctx, nil)
	return err
}
