package outbox

import (
	"context"
	"crypto/sha256"
	"fmt"

	"branchline/internal/movement"
)

// Finding is what is wrong with a record.
type Finding struct {
	Epoch string        `json:"epoch"`
	Lane  movement.Lane `json:"lane"`
	// First and Last are the seqs that it is about.
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
	// What is "altered", "missing", "inserted", "unreadable" or "broken": two
	// neighbours are each sound, but do not follow from one another.
	What string `json:"what"`
	Text string `json:"text"`
}

// VerifyReport is what [Verify] has found.
type VerifyReport struct {
	// Records is how many records were checked, Streams in how many streams.
	Records uint64 `json:"records"`
	Streams int    `json:"streams"`
	// Findings are at most 1,000; More says that there are others.
	Findings []Finding `json:"findings"`
	More     bool      `json:"more"`
	// Damage is what is wrong with the file around the records.
	Damage []string `json:"damage"`
}

// Sound tells whether nothing is wrong.
func (r *VerifyReport) Sound() bool { return len(r.Findings) == 0 && len(r.Damage) == 0 }

const maxFindings = 1000

// Verify walks every chain from its oldest record to its newest. What was
// deleted after its retention is no finding. Whoever alters a record and all
// hashes after it is found by the hub, which has the hashes, too.
func Verify(ctx context.Context, src Source) (VerifyReport, error) {
	s, err := src.survey()
	if err != nil {
		return VerifyReport{}, err
	}
	rep := VerifyReport{Damage: s.wrong}
	for _, st := range s.streams {
		rep.Streams++
		v := verifier{rep: &rep, st: st, genesis: movement.Genesis(s.store.Branch, st.epoch, st.lane)}
		err := src.blocks(st.epoch, st.lane, func(key, value []byte) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			v.block(key, value)
			return nil
		})
		if err != nil {
			return rep, err
		}
		v.end()
	}
	return rep, nil
}

// verifier walks one stream.
type verifier struct {
	rep     *VerifyReport
	st      surveyed
	genesis movement.Hash

	any      bool
	seq      uint64        // the last one seen
	after    movement.Hash // the hash after it, as stored
	computed movement.Hash // the hash after it, as its bytes and the hash before say
	accused  bool          // it was found altered
}

func (v *verifier) find(first, last uint64, what, format string, args ...any) {
	if len(v.rep.Findings) == maxFindings {
		v.rep.More = true
		return
	}
	v.rep.Findings = append(v.rep.Findings, Finding{v.st.epoch, v.st.lane, first, last, what, fmt.Sprintf(format, args...)})
}

func (v *verifier) block(key, value []byte) {
	first, err := keySeq(key)
	if err != nil {
		v.find(0, 0, "inserted", "the key %x is no seq", key)
		return
	}
	b, err := parseBlock(value)
	if err != nil {
		v.find(first, first, "unreadable", "the block that begins with %d is not readable", first)
		return
	}
	switch {
	case b.first != first || b.epoch != v.st.epoch || b.lane != v.st.lane:
		v.find(first, first, "inserted", "the block at %d says that it is %s/%s/%d", first, b.epoch, b.lane, b.first)
		return
	case v.any && first <= v.seq:
		v.find(first, b.last(), "inserted", "the records %d to %d are there twice", first, min(v.seq, b.last()))
		return
	case v.any && first > v.seq+1:
		v.find(v.seq+1, first-1, "missing", "the records %d to %d are missing", v.seq+1, first-1)
	case !v.any && first > 1 && first > v.st.state.Acked+1:
		v.find(v.st.state.Acked+1, first-1, "missing", "the records %d to %d are missing, which the hub has not confirmed",
			v.st.state.Acked+1, first-1)
	}
	joined := !v.any && first == 1 || v.any && first == v.seq+1
	if !v.any && first == 1 {
		v.after, v.computed = v.genesis, v.genesis
	}
	v.any = true
	b.entries(func(e entry) bool {
		v.record(e, joined)
		joined = true
		return true
	})
}

// record checks one record against its neighbours' hashes; joined says that
// the one before it is the one before in the chain.
func (v *verifier) record(e entry, joined bool) {
	v.rep.Records++
	before, computed, accused := v.after, v.computed, v.accused
	v.seq, v.after, v.computed, v.accused = e.seq, e.after, sha256.Sum256(e.chained), false
	switch {
	case e.sound():
		if joined && !accused && e.before() != before {
			v.find(e.seq, e.seq, "broken", "the record %d does not follow from the one before it", e.seq)
		}
	case joined && (e.after == before || e.after == computed):
		// The chain goes on as if this one were not there; then it was this
		// one, too, that made the one before it look altered.
		if n := len(v.rep.Findings); accused && e.after == computed && n > 0 {
			v.rep.Findings = v.rep.Findings[:n-1]
		}
		v.find(e.seq, e.seq, "inserted", "the record %d was put in: the chain goes on without it", e.seq)
		v.computed = computed
	default:
		v.accused = true
		v.find(e.seq, e.seq, "altered", "the record %d is not what was recorded", e.seq)
	}
}

// end notes records that the stream once had after the newest one there is.
func (v *verifier) end() {
	if v.st.last > v.seq && v.st.last > v.st.state.Acked {
		first := max(v.seq, v.st.state.Acked) + 1
		v.find(first, v.st.last, "missing", "the records %d to %d, the newest, are missing", first, v.st.last)
	}
}
