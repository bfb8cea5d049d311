package reference

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"branchline/internal/fault"
	"branchline/internal/feed"
	"branchline/internal/killpoint"
	"branchline/internal/mapped"
	"branchline/internal/wire"
)

// Bounds of what is taken in.
const (
	// maxInbox is how many messages may wait; more than one request brings.
	maxInbox = feed.MaxWanted + 16
	// maxRows and maxBytes bound a document, all kinds alike.
	maxRows  = 500_000
	maxBytes = 64 << 20
	// together is how many messages are written in one commit.
	together = 16
)

// Begin is called when a line to the hub is up, before anything is heard.
func (s *Store) Begin() { s.fetch.begin() }

// Hear takes what the hub says in one of the channels of [feed.Kinds]. It only
// enqueues; what finds no room is asked for again.
func (s *Store) Hear(c wire.Channel, payload []byte) {
	if _, ok := feed.KindOf(c); !ok || len(payload) > feed.MaxPayload {
		return
	}
	select {
	case s.inbox <- payload:
	default:
		s.metrics.dropped.Inc()
	}
}

// Ready has a value when Next may have something.
func (s *Store) Ready() <-chan struct{} { return s.fetch.ready }

// Next is what to say to the hub in the want channel now; nil for nothing. busy
// tells that movements are on their way up: then little is asked for.
func (s *Store) Next(busy bool) []byte {
	w, ok := s.fetch.next(time.Now(), busy)
	if !ok {
		return nil
	}
	payload, err := w.Marshal()
	if err != nil {
		s.log.Error("a request to the hub cannot be written", "err", err)
		return nil
	}
	return payload
}

// Run takes in what comes until ctx ends.
func (s *Store) Run(ctx context.Context) error {
	s.verify()
	s.trim()
	tick, again := time.NewTicker(5*time.Second), time.NewTicker(time.Minute)
	defer tick.Stop()
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-s.broken:
			s.startAgain(err)
		case <-tick.C:
			s.fetch.overdue(time.Now())
		case <-again.C:
			if s.db == nil { // only this goroutine changes it
				s.startAgain(bolterrors.ErrDatabaseNotOpen)
			}
			s.trim()
		case payload := <-s.inbox:
			list := [][]byte{payload}
			for len(list) < together && len(s.inbox) > 0 {
				list = append(list, <-s.inbox)
			}
			s.take(list)
		}
	}
}

// trim lets go of the file's pages, which questions and changes have touched.
func (s *Store) trim() {
	s.mu.RLock()
	defer s.mu.RUnlock()
	s.ask(func(tx *bolt.Tx) error { mapped.GiveBack(tx); return nil })
}

// startAgain throws a damaged file away. The hub sends everything again when
// the next report shows that nothing is here.
func (s *Store) startAgain(why error) {
	s.log.Error("what is known of Odoo cannot be read; it is thrown away and asked for again", "file", s.cfg.Path, "err", why)
	s.metrics.renewed.Inc()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fetch.begin()
	if err := s.renew(); err != nil {
		s.log.Error("nothing can be kept of Odoo for now", "err", err)
	}
}

// verify compares the rows with the names of their parts.
func (s *Store) verify() {
	s.mu.RLock()
	defer s.mu.RUnlock()
	s.ask(func(tx *bolt.Tx) error {
		for _, k := range feed.Kinds {
			t := s.tables[k]
			if t == nil {
				continue
			}
			for i := range t.parts {
				var body []byte
				for row := range t.parts[i].rows {
					body = append(append(body, tx.Bucket(rowsBucket).Get(rowKey(t.parts[i].number, row))...), '\n')
				}
				if feed.PartID(body) != t.parts[i].id {
					return errDamaged
				}
			}
		}
		return nil
	})
}

// incoming is a part that is to be written.
type incoming struct {
	kind  feed.Kind
	id    feed.ID
	rows  [][]byte
	index index
}

// take takes in some messages in their order; parts that follow each other are
// written together.
func (s *Store) take(payloads [][]byte) {
	var parts []incoming
	for _, payload := range payloads {
		m, err := feed.Open(payload)
		if err != nil {
			s.metrics.refused.Inc()
			s.log.Warn("what the hub sent cannot be read", "code", fault.CodeOf(err), "err", err)
			continue
		}
		s.metrics.messages.Inc()
		s.metrics.bytes.Add(float64(len(payload)))
		if m.Branch != "" && m.Branch != s.cfg.Branch {
			s.metrics.refused.Inc()
			s.log.Warn("what the hub sent is for another branch", "for", m.Branch)
			continue
		}
		if m.Part.IsZero() {
			parts = s.write(parts)
			s.handle(m)
			continue
		}
		if in, ok := s.read(m); ok {
			parts = append(parts, in)
		}
	}
	s.write(parts)
}

// read prepares a part that is wanted.
func (s *Store) read(m *feed.Message) (incoming, bool) {
	if !s.fetch.lacks(m.Kind, m.Part) {
		return incoming{}, false // came twice, or is no longer wanted
	}
	rows := bytes.Split(bytes.TrimSuffix(m.Body, []byte{'\n'}), []byte{'\n'})
	if len(rows) > feed.MaxPartRows {
		s.unusable(m.Kind, errors.New("a part has too many rows"))
		return incoming{}, false
	}
	x, err := indexOf(m.Kind, rows)
	if err != nil {
		s.unusable(m.Kind, err)
		return incoming{}, false
	}
	return incoming{m.Kind, m.Part, rows, x}, true
}

func (s *Store) unusable(k feed.Kind, err error) {
	s.metrics.refused.Inc()
	s.fetch.hold(k, time.Now())
	s.log.Warn("a version that the hub sent cannot be used", "document", string(k), "err", err)
}

// write commits parts, which are current only once their version is; it gives
// an empty list.
func (s *Store) write(parts []incoming) []incoming {
	if len(parts) == 0 {
		return nil
	}
	err := s.update(func(tx *bolt.Tx) error {
		for i := range parts {
			if err := put(tx, &parts[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.failed(err)
		return nil
	}
	killpoint.Here("reference.part")
	s.trim()
	now := time.Now()
	kinds := map[feed.Kind]bool{}
	for _, p := range parts {
		s.fetch.came(p.kind, p.id, now)
		kinds[p.kind] = true
	}
	for k := range kinds {
		if t, ok := s.fetch.target(k); ok && t.listed && len(t.missing) == 0 {
			s.adopt(k, t)
		}
	}
	return nil
}

func put(tx *bolt.Tx, p *incoming) error {
	if _, _, there := partAt(tx, p.kind, p.id); there {
		return nil
	}
	all := tx.Bucket(rowsBucket)
	n, err := all.NextSequence()
	if err != nil {
		return err
	}
	number := uint32(n)
	all.FillPercent = 0.95 // they come in order
	for i, row := range p.rows {
		if err := all.Put(rowKey(number, i), row); err != nil {
			return err
		}
	}
	if err := tx.Bucket(indexBucket).Put(numberKey(number), p.index.marshal()); err != nil {
		return err
	}
	return tx.Bucket(partsBucket).Put(partKey(p.kind, p.id),
		binary.BigEndian.AppendUint16(numberKey(number), uint16(len(p.rows))))
}

// failed deals with an error of the file: damage makes a new one, anything else,
// such as a full disk, is tried again.
func (s *Store) failed(err error) {
	s.metrics.failed.Inc()
	if errors.Is(err, errDamaged) {
		s.startAgain(err)
		return
	}
	s.log.Error("what the hub sent cannot be kept", "file", s.cfg.Path, "err", err)
}

// handle takes in a notice or a manifest.
func (s *Store) handle(m *feed.Message) {
	s.mu.RLock()
	t := s.tables[m.Kind]
	s.mu.RUnlock()
	if m.IsManifest {
		s.list(m)
		return
	}
	have := t != nil && t.version == m.Version
	s.fetch.aim(m.Kind, m.Version, m.AsOf, have)
	if !have || !m.AsOf.After(t.asOf) {
		return
	}
	if err := s.update(func(tx *bolt.Tx) error { return putAsOf(tx, m.Kind, m.AsOf) }); err != nil {
		s.failed(err)
		return
	}
	s.mu.Lock()
	t.asOf = m.AsOf.Local()
	s.mu.Unlock()
}

func putAsOf(tx *bolt.Tx, k feed.Kind, at time.Time) error {
	text, err := at.UTC().MarshalText()
	if err != nil {
		return err
	}
	return tx.Bucket(currentBucket).Put(asOfKey(k), text)
}

// list finds out what of a manifest is not here.
func (s *Store) list(m *feed.Message) {
	t, ok := s.fetch.target(m.Kind)
	if !ok || t.version != m.Version || t.listed {
		return
	}
	rows, size := 0, 0
	for _, p := range m.Parts {
		rows, size = rows+p.Rows, size+p.Bytes
	}
	if rows > maxRows || size > maxBytes {
		s.unusable(m.Kind, errors.New("it is too large"))
		return
	}
	if err := s.tidy(m.Kind, m.Parts); err != nil {
		s.failed(err)
		return
	}
	var missing []feed.PartRef
	err := s.view(func(tx *bolt.Tx) error {
		for _, p := range m.Parts {
			if _, _, there := partAt(tx, m.Kind, p.ID); !there {
				missing = append(missing, p)
			}
		}
		return nil
	})
	if err != nil {
		s.failed(err)
		return
	}
	s.fetch.listed(m.Kind, m.Version, m.Parts, missing)
	if t, ok = s.fetch.target(m.Kind); ok && len(missing) == 0 {
		s.adopt(m.Kind, t)
	}
}

// adopt makes a version current of which all parts are here. What is asked
// before sees the old one, what is asked after the new one.
func (s *Store) adopt(k feed.Kind, to target) {
	var fresh *table
	var deliveries []Delivery
	var waiting Waiting
	var branches []feed.Branch
	err := s.update(func(tx *bolt.Tx) error {
		raw, err := json.Marshal(version{to.version, to.parts})
		if err != nil {
			return err
		}
		if err := errors.Join(tx.Bucket(currentBucket).Put([]byte(k), raw), putAsOf(tx, k, to.asOf)); err != nil {
			return err
		}
		if fresh, err = loadTable(tx, k); err != nil {
			return err
		}
		switch k {
		case feed.Deliveries:
			deliveries, err = allDeliveries(tx, fresh)
		case feed.Outcomes:
			waiting, err = allWaiting(tx, fresh)
		case feed.Branches:
			branches, err = s.allBranches(tx, fresh)
		}
		return err
	})
	if err != nil {
		s.fetch.hold(k, time.Now())
		s.failed(err)
		return
	}
	killpoint.Here("reference.adopted")
	s.mu.Lock()
	s.tables[k] = fresh
	switch k {
	case feed.Deliveries:
		s.deliveries = deliveries
	case feed.Outcomes:
		s.waiting = waiting
	case feed.Branches:
		s.branches = branches
	}
	s.mu.Unlock()
	s.fetch.aim(k, to.version, to.asOf, true)
	s.metrics.adopted.WithLabelValues(string(k)).Inc()
	s.log.Info("known of Odoo", "document", string(k), "rows", fresh.rows, "as_of", fresh.asOf)
	if err := s.tidy(k, to.parts); err != nil {
		s.failed(err)
		return
	}
	s.trim()
}

// tidy deletes the parts of a kind that are neither current nor in keep, some in
// a commit.
func (s *Store) tidy(k feed.Kind, keep []feed.PartRef) error {
	kept := map[feed.ID]bool{}
	for _, p := range keep {
		kept[p.ID] = true
	}
	s.mu.RLock()
	if t := s.tables[k]; t != nil {
		for i := range t.parts {
			kept[t.parts[i].id] = true
		}
	}
	s.mu.RUnlock()
	var gone [][]byte
	err := s.view(func(tx *bolt.Tx) error {
		c := tx.Bucket(partsBucket).Cursor()
		prefix := []byte(k[:1])
		for key, _ := c.Seek(prefix); bytes.HasPrefix(key, prefix); key, _ = c.Next() {
			if len(key) != 1+len(feed.ID{}) || !kept[feed.ID(key[1:])] {
				gone = append(gone, bytes.Clone(key))
			}
		}
		return nil
	})
	for len(gone) > 0 && err == nil {
		some := gone[:min(together, len(gone))]
		gone = gone[len(some):]
		err = s.update(func(tx *bolt.Tx) error {
			for _, key := range some {
				if err := remove(tx, key); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return err
}

func remove(tx *bolt.Tx, key []byte) error {
	v := tx.Bucket(partsBucket).Get(key)
	if len(v) == 6 {
		number, rows := binary.BigEndian.Uint32(v), int(binary.BigEndian.Uint16(v[4:]))
		for i := range rows {
			if err := tx.Bucket(rowsBucket).Delete(rowKey(number, i)); err != nil {
				return err
			}
		}
		if err := tx.Bucket(indexBucket).Delete(numberKey(number)); err != nil {
			return err
		}
	}
	return tx.Bucket(partsBucket).Delete(key)
}
