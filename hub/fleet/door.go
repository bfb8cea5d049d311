package fleet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"branchline/internal/trust"
)

// maxGuests bounds the connections to the door.
const maxGuests = 256

// Run serves the door and has the connections looked at every minute, until ctx
// ends.
func (f *Fleet) Run(ctx context.Context) error {
	cfg := f.Authority.TLS(tls.RequestClientCert)
	cfg.NextProtos = []string{"http/1.1"}
	server := &http.Server{Handler: f.handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 20 * time.Second, IdleTimeout: 15 * time.Second, MaxHeaderBytes: 8 << 10,
		ErrorLog: slog.NewLogLogger(f.Log.Handler(), slog.LevelDebug)}
	failed := make(chan error, 1)
	go func() {
		failed <- server.Serve(tls.NewListener(&bounded{Listener: f.listener, free: make(chan struct{}, maxGuests)}, cfg))
	}()
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case err := <-failed:
			return fmt.Errorf("the door of the fleet: %w", err)
		case <-tick.C:
			f.tellChanged()
		case <-ctx.Done():
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
			defer cancel()
			if err := server.Shutdown(end); errors.Is(err, context.DeadlineExceeded) {
				return server.Close()
			}
			return nil
		}
	}
}

func (f *Fleet) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+trust.PathEnrol, f.answer(func(r *http.Request, body []byte, from netip.Addr) (any, error) {
		if !f.limits.may(from) {
			return nil, refuse(trust.CodeTooMany, "try again in a few minutes", "too many wrong enrolment codes came from this address")
		}
		ask, key, err := trust.ParseAsk(body)
		if err != nil {
			return nil, err
		}
		g, err := f.Enrol(r.Context(), ask, key, from.String())
		var no *refused
		if errors.As(err, &no) {
			f.wrong(no.Code, ask.Branch, from)
		}
		return g, err
	}))
	mux.HandleFunc("POST "+trust.PathRenew, f.answer(func(r *http.Request, body []byte, from netip.Addr) (any, error) {
		leaf, err := proved(r)
		if err != nil {
			return nil, err
		}
		ask, key, err := trust.ParseAsk(body)
		if err != nil {
			return nil, err
		}
		return f.Renew(r.Context(), leaf, ask, key, from.String())
	}))
	mux.HandleFunc("POST "+trust.PathStatus, f.answer(func(r *http.Request, _ []byte, from netip.Addr) (any, error) {
		leaf, err := proved(r)
		if err != nil {
			return nil, err
		}
		return f.Standing(r.Context(), leaf, from.String())
	}))
	return mux
}

// wrong counts a code that was refused, where it can be a try to guess one.
func (f *Fleet) wrong(code, branch string, from netip.Addr) {
	f.metrics.refused.WithLabelValues(code).Inc()
	f.Log.Warn("an enrolment is refused", "remote", from, "code", code, "wanted", branch)
	if slices.Contains([]string{trust.CodeUnknownCode, trust.CodeOtherBranch, trust.CodeCodeUsed}, code) {
		f.limits.wrongTry(from)
	}
}

// proved is the certificate whose key the other end has proved to hold; by whom it
// was signed is looked at later.
func proved(r *http.Request) (*x509.Certificate, error) {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil, refuse(trust.CodeForeign, "enrol the PC", "the connection is proved by no certificate")
	}
	return r.TLS.PeerCertificates[0], nil
}

// answer reads a bounded body and writes what comes of it.
func (f *Fleet) answer(do func(r *http.Request, body []byte, from netip.Addr) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		from, _ := netip.ParseAddrPort(r.RemoteAddr)
		ctx, cancel := context.WithTimeout(r.Context(), 15*time.Second)
		defer cancel()
		var v any
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, trust.MaxMessage))
		switch {
		case err != nil:
			err = refuse(codeMalformed, "", "the request is too large or was cut short")
		case !f.limits.all.AllowN(f.Now(), 1):
			err = refuse(trust.CodeTooMany, "the branch tries again by itself", "too many requests come at a time")
		default:
			v, err = do(r.WithContext(ctx), body, from.Addr().Unmap())
		}
		status := http.StatusOK
		if err != nil {
			no := f.refusalOf(err)
			switch no.Code {
			case trust.CodeTooMany:
				status = http.StatusTooManyRequests
			case codeMalformed:
				status = http.StatusBadRequest
			case codeBusy:
				status = http.StatusServiceUnavailable
				f.Log.Error("the fleet's door cannot answer", "remote", from, "err", err)
			default:
				status = http.StatusForbidden
			}
			v = no
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v) // who asked may be gone
	}
}

// bounded is a listener with a most of open connections; what comes above is
// closed at once.
type bounded struct {
	net.Listener
	free chan struct{}
}

func (b *bounded) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case b.free <- struct{}{}:
			return &counted{Conn: c, leave: sync.OnceFunc(func() { <-b.free })}, nil
		default:
			_ = c.Close()
		}
	}
}

type counted struct {
	net.Conn
	leave func()
}

func (c *counted) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
