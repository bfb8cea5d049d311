package reference

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"branchline/internal/fault"
	"branchline/internal/feed"
)

// Config says where the copy is kept.
type Config struct {
	// Path is the file, Branch whose it is: a file of another branch is thrown
	// away.
	Path   string
	Branch string
}

// Store is the branch's copy of what the hub has sent. Its questions may be
// asked from any goroutine, also while something new comes; none takes longer
// for it. [Store.Run] must run for anything to come.
type Store struct {
	cfg     Config
	log     *slog.Logger
	metrics *metrics
	fetch   fetcher
	inbox   chan []byte
	// broken gets a word when the file turns out to be damaged.
	broken chan error

	// mu is held for reading while the file is asked, for writing while a
	// version takes the place of another one, or the file that of a damaged one.
	mu         sync.RWMutex
	db         *bolt.DB
	tables     map[feed.Kind]*table
	deliveries []Delivery // by due
	branches   []feed.Branch
	waiting    Waiting
}

// form is raised when the file's content has another meaning: an older file is
// then thrown away.
const form = "1"

var (
	metaBucket    = []byte("meta")    // "form", "branch"
	currentBucket = []byte("current") // kind: the version; kind + "@": its moment
	partsBucket   = []byte("parts")   // kind, id: number and count of rows
	rowsBucket    = []byte("rows")    // number, row: the row
	indexBucket   = []byte("index")   // number: see index
	buckets       = [][]byte{metaBucket, currentBucket, partsBucket, rowsBucket, indexBucket}
)

// Open opens or makes the file. One that cannot be used is thrown away. Where
// none can be made, as on a full disk, nothing is known, and Run tries again: an
// agent must not stay away for a copy.
func Open(cfg Config, log *slog.Logger, reg prometheus.Registerer) *Store {
	s := &Store{cfg: cfg, log: log, inbox: make(chan []byte, maxInbox), broken: make(chan error, 1)}
	s.fetch.init()
	if err := s.open(); err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			log.Warn("what is known of Odoo cannot be read; it is thrown away and asked for again", "file", cfg.Path, "err", err)
		}
		if err := s.renew(); err != nil {
			log.Error("nothing can be kept of Odoo for now", "err", err)
		}
	}
	s.metrics = newMetrics(reg, s)
	return s
}

// Close closes the file. What is asked afterwards is not known.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shut()
}

func (s *Store) shut() error {
	db := s.db
	s.db, s.tables, s.deliveries, s.branches, s.waiting = nil, map[feed.Kind]*table{}, nil, nil, Waiting{}
	if db == nil {
		return nil
	}
	return db.Close()
}

// open opens the file that is there.
func (s *Store) open() (err error) {
	s.tables = map[feed.Kind]*table{}
	if _, err := os.Stat(s.cfg.Path); err != nil {
		return err
	}
	if s.db, err = openFile(s.cfg.Path); err != nil {
		return err
	}
	err = s.view(func(tx *bolt.Tx) error {
		for _, name := range buckets {
			if tx.Bucket(name) == nil {
				return fmt.Errorf("it has no %s", name)
			}
		}
		meta := tx.Bucket(metaBucket)
		if f, b := string(meta.Get([]byte("form"))), string(meta.Get([]byte("branch"))); f != form || b != s.cfg.Branch {
			return fmt.Errorf("it has form %q and belongs to branch %q", f, b)
		}
		for _, k := range feed.Kinds {
			t, err := loadTable(tx, k)
			if err != nil {
				return err
			}
			if t != nil {
				s.tables[k] = t
			}
		}
		var err error
		if s.deliveries, err = allDeliveries(tx, s.tables[feed.Deliveries]); err == nil {
			s.waiting, err = allWaiting(tx, s.tables[feed.Outcomes])
		}
		if err == nil {
			s.branches, err = s.allBranches(tx, s.tables[feed.Branches])
		}
		return err
	})
	if err != nil {
		_ = s.shut() // what matters is the error
	}
	return err
}

// renew makes an empty file in the place of the one that is there.
func (s *Store) renew() error {
	fail := func(err error) error {
		return fault.New(fault.Setup, "reference_unusable", "the file %s cannot be made: %w", s.cfg.Path, err).
			WithHint("check that the service may write in " + filepath.Dir(s.cfg.Path))
	}
	_ = s.shut()
	fresh := s.cfg.Path + ".new"
	for _, path := range []string{fresh, s.cfg.Path} {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fail(err)
		}
	}
	db, err := openFile(fresh)
	if err != nil {
		return fail(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range buckets {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		meta := tx.Bucket(metaBucket)
		return errors.Join(meta.Put([]byte("form"), []byte(form)), meta.Put([]byte("branch"), []byte(s.cfg.Branch)))
	})
	if err = errors.Join(err, db.Close()); err == nil {
		err = os.Rename(fresh, s.cfg.Path)
	}
	if err == nil {
		s.db, err = openFile(s.cfg.Path)
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

func openFile(path string) (db *bolt.DB, err error) {
	defer caught(&err)
	db, err = bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second, FreelistType: bolt.FreelistMapType})
	if err == nil {
		db.AllocSize = 1 << 20
	}
	return db, err
}

// errDamaged is what a damaged file shows itself by.
var errDamaged = errors.New("the file is damaged")

// caught turns a panic of bbolt, which meets damage by one, into an error.
func caught(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%w: %v", errDamaged, r)
	}
}

// view reads the file. The caller holds mu, or is the only one to know s.
func (s *Store) view(f func(*bolt.Tx) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer caught(&err)
	if s.db == nil {
		return bolterrors.ErrDatabaseNotOpen
	}
	return s.db.View(f)
}

// update writes to the file. Only Run's goroutine does.
func (s *Store) update(f func(*bolt.Tx) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer caught(&err)
	if s.db == nil {
		return bolterrors.ErrDatabaseNotOpen
	}
	return s.db.Update(f)
}

// ask answers a question from the file; what cannot be read is not known.
func (s *Store) ask(f func(tx *bolt.Tx) error) {
	if err := s.view(f); err != nil && !errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		select {
		case s.broken <- err:
		default:
		}
	}
}

// version is what stands in the current bucket.
type version struct {
	Version feed.ID        `json:"version"`
	Parts   []feed.PartRef `json:"parts"`
}

// table is the current version of one kind, with its index in memory.
type table struct {
	version feed.ID
	asOf    time.Time
	parts   []part
	rows    int
}

type part struct {
	id     feed.ID
	number uint32
	rows   int
	index
}

func loadTable(tx *bolt.Tx, k feed.Kind) (*table, error) {
	current := tx.Bucket(currentBucket)
	raw := current.Get([]byte(k))
	if raw == nil {
		return nil, nil
	}
	var v version
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	t := &table{version: v.Version}
	if err := t.asOf.UnmarshalText(current.Get(asOfKey(k))); err != nil {
		return nil, err
	}
	t.asOf = t.asOf.Local()
	for _, ref := range v.Parts {
		number, rows, ok := partAt(tx, k, ref.ID)
		if !ok {
			return nil, fmt.Errorf("part %s is missing", ref.ID)
		}
		x, err := loadIndex(tx.Bucket(indexBucket).Get(numberKey(number)))
		if err != nil {
			return nil, err
		}
		t.parts = append(t.parts, part{id: ref.ID, number: number, rows: rows, index: x})
		t.rows += rows
	}
	return t, nil
}

func asOfKey(k feed.Kind) []byte { return []byte(k + "@") }

func partKey(k feed.Kind, id feed.ID) []byte { return append([]byte(k[:1]), id[:]...) }

func numberKey(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

func rowKey(number uint32, row int) []byte {
	return binary.BigEndian.AppendUint16(numberKey(number), uint16(row))
}

// partAt finds a part that is there, current or not.
func partAt(tx *bolt.Tx, k feed.Kind, id feed.ID) (number uint32, rows int, ok bool) {
	v := tx.Bucket(partsBucket).Get(partKey(k, id))
	if len(v) != 6 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint32(v), int(binary.BigEndian.Uint16(v[4:])), true
}
