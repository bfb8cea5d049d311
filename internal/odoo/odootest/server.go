package odootest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Options say what server to simulate.
type Options struct {
	// Version is the major version of Odoo: 17, 18 or 19; 19 if zero.
	Version int
	// DB, User and Key are what clients must sign in with; DefaultDB,
	// DefaultUser and DefaultKey if empty. That user may do everything.
	DB, User, Key string
	// StockUser and StockKey are a second user, who has the group Inventory /
	// User and nothing else.
	StockUser, StockKey string
	// Costs are counted, and slept if they say so.
	Costs Costs
	// SplitQuants spreads stock over several rows, as concurrent writers leave it.
	SplitQuants bool
	// Watch is told when a call arrives and when its work has been done or
	// refused, before the answer leaves; may be nil. It may be called in parallel.
	Watch func(stage Stage, model, method string)
	// Clock is time.Now if nil.
	Clock func() time.Time
	// Control opens the path /_control, by which another process can cause
	// mischief. For tests and demonstrations only.
	Control bool
}

// Stage is how far a call has come.
type Stage string

const (
	Arrived Stage = "arrived"
	Worked  Stage = "worked"
)

// What a server takes that is not told otherwise.
const (
	DefaultDB       = "odoo"
	DefaultUser     = "admin"
	DefaultKey      = "simulated-admin-key"
	DefaultStock    = "branchline"
	DefaultStockKey = "simulated-stock-key"
)

const (
	adminUID = 2
	stockUID = 7
	maxBody  = 64 << 20
)

// Server is a simulated Odoo. It is an http.Handler, and can listen by itself.
type Server struct {
	options Options

	mu sync.Mutex // held for one transaction
	db *database

	mischief mischiefs
	meter    meter

	listening sync.Mutex
	http      *http.Server
	address   string
}

// New makes a server with a fresh database of one warehouse, "WH".
func New(o Options) *Server {
	if o.Version == 0 {
		o.Version = 19
	}
	for _, d := range []struct {
		value *string
		std   string
	}{{&o.DB, DefaultDB}, {&o.User, DefaultUser}, {&o.Key, DefaultKey}, {&o.StockUser, DefaultStock}, {&o.StockKey, DefaultStockKey}} {
		if *d.value == "" {
			*d.value = d.std
		}
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	s := &Server{options: o, db: newDatabase(o.Version, o.Clock)}
	s.db.install()
	s.db.splitQuants = o.SplitQuants
	return s
}

// Options gives the options with their defaults filled in.
func (s *Server) Options() Options { return s.options }

// ServeHTTP answers as Odoo does. Requests may come in parallel.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	switch path := r.URL.Path; {
	case path == "/xmlrpc/2/common" || path == "/xmlrpc/2/object":
		s.serveXMLRPC(w, r, path == "/xmlrpc/2/object")
	case s.options.Version >= 19 && isJSON2(path):
		s.serveJSON2(w, r)
	case s.options.Control && isControl(path):
		s.serveControl(w, r)
	default:
		notFound(w)
	}
}

func notFound(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	fmt.Fprint(w, "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL was not found on the server.</p>\n")
}

// Listen begins to serve at an address such as "127.0.0.1:0" and gives the URL.
func (s *Server) Listen(address string) (string, error) {
	s.listening.Lock()
	defer s.listening.Unlock()
	if s.http != nil {
		return "", errors.New("the simulated Odoo listens already")
	}
	return s.listen(address)
}

func (s *Server) listen(address string) (string, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return "", fmt.Errorf("the simulated Odoo cannot listen: %w", err)
	}
	s.address = l.Addr().String()
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 30 * time.Second}
	go func(h *http.Server) {
		if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic(fmt.Sprintf("odootest: serve: %v", err))
		}
	}(s.http)
	return "http://" + s.address, nil
}

// Down stops listening and breaks all connections; what was answered stays
// done. Clients are refused until Up.
func (s *Server) Down() {
	s.listening.Lock()
	defer s.listening.Unlock()
	if s.http != nil {
		_ = s.http.Close()
		s.http = nil
	}
}

// Up listens again at the address of before.
func (s *Server) Up() error {
	s.listening.Lock()
	defer s.listening.Unlock()
	if s.http != nil || s.address == "" {
		return nil
	}
	_, err := s.listen(s.address)
	return err
}

// Close ends the server, waiting for running calls as long as ctx allows.
func (s *Server) Close(ctx context.Context) error {
	s.listening.Lock()
	defer s.listening.Unlock()
	if s.http == nil {
		return nil
	}
	h := s.http
	s.http = nil
	if err := h.Shutdown(ctx); err != nil {
		return h.Close()
	}
	return nil
}

// execute runs one call with its mischief and its costs. A nil reply with
// broken set means that the connection must break without an answer.
func (s *Server) execute(ctx context.Context, c *call) (result any, broken *Mischief, err error) {
	m := s.mischief.next(s, c)
	s.watch(Arrived, c)
	if m != nil {
		switch m.Kind {
		case Slow:
			// Like Odoo, it does not notice that the client has gone.
			wait(context.WithoutCancel(ctx), m.Delay)
		case Dropped, Gateway:
			return nil, m, nil
		case Hang:
			<-ctx.Done()
			return nil, m, nil
		case Serialization:
			return nil, nil, serializationFailure()
		case Refusal:
			return nil, nil, userError("%s", m.words())
		case Outage:
			return nil, nil, raise("psycopg2.OperationalError", 1, http.StatusInternalServerError, "connection to server at \"db\", port 5432 failed: FATAL:  the database system is starting up")
		}
	}
	s.mu.Lock()
	result, err = s.db.run(c)
	lines := s.db.lines
	s.mu.Unlock()
	s.watch(Worked, c)
	if spent := s.meter.count(s.options.Costs, c, lines); s.options.Costs.Sleep {
		wait(ctx, spent)
	}
	if m != nil {
		switch m.Kind {
		case Late:
			wait(ctx, m.Delay)
		case Lost, GatewayAfter:
			return nil, m, nil
		case HangAfter:
			<-ctx.Done()
			return nil, m, nil
		}
	}
	return result, nil, err
}

func (s *Server) watch(stage Stage, c *call) {
	if s.options.Watch != nil {
		s.options.Watch(stage, c.model, c.method)
	}
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// breakOff ends a request without the answer that a client waits for.
func breakOff(w http.ResponseWriter, m *Mischief) {
	if m.Kind == Gateway || m.Kind == GatewayAfter {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		fmt.Fprint(w, "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>")
		return
	}
	panic(http.ErrAbortHandler)
}

// roleOf gives the role for a user's key, by user id (XML-RPC) or by key alone.
func (s *Server) roleOf(uid int64, key string) (role, bool) {
	switch {
	case key == s.options.Key && (uid == adminUID || uid == 0):
		return admin, true
	case key == s.options.StockKey && (uid == stockUID || uid == 0):
		return stockUser, true
	}
	return 0, false
}
