// Package webserver is the HTTP server of both pages: bounded in time and
// size, closed against other sites, with /healthz and /metrics.
package webserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"branchline/internal/conf"
	"branchline/internal/fault"
	"branchline/internal/ui"
)

// Config is where a page listens.
type Config struct {
	// Listen is host and port; port 0 takes any free one.
	Listen string `yaml:"listen"`
	// Hosts are further names under which a browser may ask for the page,
	// without port. Loopback and the listening address always may.
	Hosts []string `yaml:"hosts"`
}

// Validate checks the address.
func (c *Config) Validate() error {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return conf.Bad("listen", c.Listen, "is not host:port")
	}
	return nil
}

// Health is what /healthz answers, in sentences.
type Health struct {
	// Problems make the program unfit for its work: the answer's status is 503.
	Problems []string
	// Warnings are for a person to look at while all goes on.
	Warnings []string
}

// Check answers /healthz, at once.
type Check func() Health

// Server is a bound, not yet serving page.
type Server struct {
	listener net.Listener
	http     *http.Server
}

// New binds the address and puts pages, assets, /healthz and /metrics
// together. A port that is taken is a fault of class Setup.
func New(cfg Config, pages http.Handler, check Check, metrics http.Handler, log *slog.Logger) (*Server, error) {
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, fault.New(fault.Setup, "page_address", "the page cannot listen on %s: %w", cfg.Listen, err).
			WithHint("free the port or change web.listen")
	}
	mux := http.NewServeMux()
	mux.Handle("/", pages)
	mux.Handle("GET /ui/", ui.Assets("/ui/"))
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answerHealth(w, check()) })
	return &Server{listener: l, http: &http.Server{
		Handler:           guard(cfg, l.Addr(), mux),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}, nil
}

// URL is where a browser on this machine finds the page.
func (s *Server) URL() string {
	a := s.listener.Addr().(*net.TCPAddr)
	if a.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d/", a.Port)
	}
	return "http://" + a.String() + "/"
}

// Run serves until ctx ends, then lets running requests finish for a moment.
func (s *Server) Run(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(s.listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("page: %w", err)
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if err := s.http.Shutdown(end); errors.Is(err, context.DeadlineExceeded) {
		return s.http.Close()
	}
	return nil
}

// Close frees the address of a server that never ran.
func (s *Server) Close() error { return s.listener.Close() }

func answerHealth(w http.ResponseWriter, h Health) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if len(h.Problems) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"ok": len(h.Problems) == 0,
		"problems": append([]string{}, h.Problems...), "warnings": append([]string{}, h.Warnings...)})
}

// guard closes the page against other sites: a name that a foreign page made
// to point here (DNS rebinding), requests that another site sends, framing.
func guard(cfg Config, addr net.Addr, next http.Handler) http.Handler {
	own, _, _ := net.SplitHostPort(addr.String())
	known := append([]string{"localhost", own}, cfg.Hosts...)
	cross := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		host = strings.ToLower(strings.Trim(host, "[]"))
		ip, err := netip.ParseAddr(host)
		listening, _ := netip.ParseAddr(own)
		anyAddress := err == nil && listening.IsUnspecified() // an address cannot be rebound
		if !slices.Contains(known, host) && !(err == nil && ip.IsLoopback()) && !anyAddress {
			http.Error(w, "This page does not answer to the name "+host+". Add it to web.hosts.", http.StatusMisdirectedRequest)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		cross.Handler(next).ServeHTTP(w, r)
	})
}
