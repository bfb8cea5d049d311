package outbox_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"branchline/agent/outbox"
	"branchline/internal/movement"
)

// model is what an outbox must look like, in lists.
type model struct {
	t     *testing.T
	cfg   outbox.Config
	box   *outbox.Outbox
	clock *watch
	n     int

	streams []*modelStream
	keys    map[string]outbox.Place
	notes   map[string]string
}

type modelStream struct {
	epoch   string
	lane    movement.Lane
	refs    []string // what identifies each record
	acked   uint64
	forked  bool
	common  uint64
	current bool
}

func (m *model) current(lane movement.Lane) *modelStream {
	return m.streams[slices.IndexFunc(m.streams, func(s *modelStream) bool { return s.lane == lane && s.current })]
}

// grown adds the streams that have come to grow.
func (m *model) grown(r *rapid.T) {
	v, err := outbox.Inspect(m.box)
	if err != nil {
		r.Fatal(err)
	}
	for _, st := range v.Streams {
		if st.Grows && !slices.ContainsFunc(m.streams, func(s *modelStream) bool { return s.epoch == st.Epoch && s.lane == st.Lane }) {
			m.streams = append(m.streams, &modelStream{epoch: st.Epoch, lane: st.Lane, current: true})
		}
	}
}

func (s *modelStream) end() uint64 {
	if s.forked {
		return s.common
	}
	return uint64(len(s.refs))
}

func TestOutboxBehavesLikeLists(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := &model{t: t, cfg: config(t), clock: &watch{t: start}, keys: map[string]outbox.Place{}, notes: map[string]string{}}
		m.box = openAt(t, m.cfg, m.clock)
		defer func() { m.box.Close() }()
		m.grown(r)
		r.Repeat(map[string]func(*rapid.T){
			"append": m.append,
			"ack":    m.ack,
			"read":   m.read,
			"fork":   m.fork,
			"reopen": func(*rapid.T) {
				if err := m.box.Close(); err != nil {
					r.Fatal(err)
				}
				m.box = openAt(t, m.cfg, m.clock)
			},
			"fold": func(*rapid.T) {
				if err := outbox.Fold(m.box); err != nil {
					r.Fatal(err)
				}
			},
			"tend": func(*rapid.T) {
				m.clock.pass(time.Hour)
				if err := outbox.Tend(m.box); err != nil {
					r.Fatal(err)
				}
				m.streams = slices.DeleteFunc(m.streams, func(s *modelStream) bool { return !s.current && len(s.refs) == 0 })
			},
			"": m.check,
		})
	})
}

func (m *model) append(r *rapid.T) {
	lane := rapid.SampledFrom(movement.Lanes).Draw(r, "lane")
	s := m.current(lane)
	w := outbox.Write{Lane: lane}
	var want []outbox.Place
	for range rapid.IntRange(0, 40).Draw(r, "movements") {
		m.n++
		mv := dispensed(m.n)
		key := ""
		if rapid.IntRange(0, 2).Draw(r, "with key") > 0 {
			key = fmt.Sprint("key ", rapid.IntRange(0, 60).Draw(r, "key"))
			mv.NaturalKey = key
		}
		w.Movements = append(w.Movements, mv)
		if p, ok := m.keys[key]; ok && key != "" {
			p.Known = true
			want = append(want, p)
			continue
		}
		s.refs = append(s.refs, mv.Document.Ref)
		p := outbox.Place{Epoch: s.epoch, Lane: lane, Seq: uint64(len(s.refs))}
		if key != "" {
			known := p
			known.Print = mv.Print()
			m.keys[key] = known
		}
		want = append(want, p)
	}
	for range rapid.IntRange(0, 2).Draw(r, "notes") {
		n := outbox.Note{Space: "s", Key: fmt.Sprint(rapid.IntRange(0, 5).Draw(r, "note")), Value: []byte(fmt.Sprint(m.n))}
		if rapid.Bool().Draw(r, "delete") {
			n.Value = nil
			delete(m.notes, n.Key)
		} else {
			m.notes[n.Key] = string(n.Value)
		}
		w.Notes = append(w.Notes, n)
	}
	got, err := m.box.Append(m.t.Context(), w)
	if err != nil {
		r.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(outbox.Place{}, "By")); diff != "" {
		r.Fatal(diff)
	}
}

func (m *model) pick(r *rapid.T) *modelStream {
	return m.streams[rapid.IntRange(0, len(m.streams)-1).Draw(r, "stream")]
}

func (m *model) ack(r *rapid.T) {
	s := m.pick(r)
	through := uint64(rapid.IntRange(0, len(s.refs)+3).Draw(r, "through"))
	if err := m.box.Ack(s.epoch, s.lane, through); err != nil {
		r.Fatal(err)
	}
	s.acked = max(s.acked, min(through, s.end()))
}

func (m *model) read(r *rapid.T) {
	s := m.pick(r)
	from := uint64(rapid.IntRange(0, len(s.refs)+1).Draw(r, "from"))
	count := rapid.IntRange(1, 100).Draw(r, "count")
	b, err := m.box.Read(s.epoch, s.lane, from, count, 1<<20)
	if err != nil {
		r.Fatal(err)
	}
	from = max(from, 1)
	if from > s.end() {
		if b != nil {
			r.Fatalf("read %d to %d of %d", b.First, b.Through(), s.end())
		}
		return
	}
	want := s.refs[from-1 : min(from-1+uint64(count), s.end())]
	if b.First != from || b.Gone != 0 || len(b.Records) != len(want) {
		r.Fatalf("read %+v, want %d from %d", b.Header, len(want), from)
	}
	for i, raw := range b.Records {
		mv, err := movement.Decode(raw)
		if err != nil || mv.Document.Ref != want[i] {
			r.Fatalf("record %d is %s, want %s", b.First+uint64(i), raw, want[i])
		}
	}
}

func (m *model) fork(r *rapid.T) {
	s := m.pick(r)
	if s.forked || rapid.IntRange(0, 3).Draw(r, "really") > 0 {
		r.Skip("not now")
	}
	s.common = uint64(rapid.IntRange(0, len(s.refs)).Draw(r, "common"))
	if err := m.box.Fork(s.epoch, s.lane, s.common); err != nil {
		r.Fatal(err)
	}
	m.current(s.lane).current = false
	m.grown(r)
	next := m.current(s.lane)
	next.refs = slices.Clone(s.refs[s.common:])
	s.forked, s.acked = true, s.common
	for k, p := range m.keys {
		if p.Epoch == s.epoch && p.Lane == s.lane && p.Seq > s.common {
			m.keys[k] = outbox.Place{Epoch: next.epoch, Lane: s.lane, Seq: p.Seq - s.common, Print: p.Print}
		}
	}
}

func (m *model) check(r *rapid.T) {
	for _, st := range m.box.Streams() {
		i := slices.IndexFunc(m.streams, func(s *modelStream) bool { return s.epoch == st.Epoch && s.lane == st.Lane })
		if i < 0 {
			r.Fatalf("stream %+v came from nowhere", st)
		}
		s := m.streams[i]
		if st.Last != s.end() || st.Acked != s.acked || st.Oldest != 1 {
			r.Fatalf("stream %+v, want last %d and acked %d", st, s.end(), s.acked)
		}
	}
	notes := make(map[string]string)
	for n, err := range m.box.Notes("s", "") {
		if err != nil {
			r.Fatal(err)
		}
		notes[n.Key] = string(n.Value)
	}
	if diff := cmp.Diff(m.notes, notes); diff != "" {
		r.Fatal(diff)
	}
	v, err := outbox.Verify(m.t.Context(), m.box)
	if err != nil || !v.Sound() {
		r.Fatalf("%+v, %v", v, err)
	}
}
