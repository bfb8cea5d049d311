package outbox

import (
	"bufio"
	"context"
	"encoding/json"
	"io"

	"branchline/internal/movement"
)

// exported is one line of an export.
type exported struct {
	ID    string        `json:"id"`
	Epoch string        `json:"epoch"`
	Lane  movement.Lane `json:"lane"`
	Seq   uint64        `json:"seq"`
	Acked bool          `json:"acked"`
	// Hash is the chain's hash after the record. Sound is false where it does
	// not follow from the hash before and the record.
	Hash  movement.Hash `json:"hash"`
	Sound bool          `json:"sound"`
	// Record is the record as it is stored. One that damage has made something
	// else than JSON is in Raw.
	Record json.RawMessage `json:"record,omitempty"`
	Raw    []byte          `json:"raw,omitempty"`
}

// Export writes every record that is kept as NDJSON: one object a line with
// its identity, the hash and the record itself, stream after stream. It
// returns how many it wrote. A running outbox goes on meanwhile.
func Export(ctx context.Context, src Source, w io.Writer) (int, error) {
	s, err := src.survey()
	if err != nil {
		return 0, err
	}
	out := bufio.NewWriterSize(w, 64<<10)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	n := 0
	for _, st := range s.streams {
		err := src.blocks(st.epoch, st.lane, func(_, value []byte) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			b, err := parseBlock(value)
			if err != nil {
				return nil // Verify says so
			}
			b.entries(func(e entry) bool {
				id := movement.ID{Branch: s.store.Branch, Epoch: st.epoch, Lane: st.lane, Seq: e.seq}
				x := exported{ID: id.String(), Epoch: st.epoch, Lane: st.lane, Seq: e.seq,
					Acked: e.seq <= st.state.Acked, Hash: e.after, Sound: e.sound()}
				if json.Valid(e.record()) {
					x.Record = e.record()
				} else {
					x.Raw = e.record()
				}
				if err = enc.Encode(x); err == nil {
					n++
				}
				return err == nil
			})
			return err
		})
		if err != nil {
			return n, err
		}
	}
	return n, out.Flush()
}
