// Package control lets the command line speak to the running service of the
// same machine: HTTP over a socket in the service's own folder, so that
// whoever may read that folder, and nobody else, may use it.
package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"branchline/internal/fault"
)

// socketName is the socket's name in the data folder.
const socketName = "control.sock"

// maxAnswer bounds an answer that is read at once, in bytes.
const maxAnswer = 64 << 20

// Server is a bound control socket.
type Server struct {
	listener net.Listener
	http     *http.Server
}

// Listen binds the socket in dir, in the place of one that a killed process has
// left. Only one process may serve a dir; its own lock must have told so.
func Listen(dir string, h http.Handler) (*Server, error) {
	path := filepath.Join(dir, socketName)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fault.New(fault.Setup, "control_socket", "the control socket %s cannot be made: %w", path, err).
			WithHint("choose a data_dir with a shorter path on a local disk")
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return &Server{l, &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10}}, nil
}

// Run serves until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { s.http.Close() })
	defer stop()
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("control socket: %w", err)
	}
	return nil
}

// Close frees the socket of a server that never ran.
func (s *Server) Close() error { return s.listener.Close() }

// ErrNotRunning says that no service answers in the folder.
var ErrNotRunning = errors.New("the service is not running")

// Call asks the running service. in is sent as JSON unless nil; out is read as
// JSON, or copied as it is where it is an io.Writer. What the service answers
// as an error comes back as the same fault. [ErrNotRunning] where nobody
// answers.
func Call(ctx context.Context, dir, method, path string, in, out any) error {
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, socketName))
		},
		DisableKeepAlives: true,
	}}
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://control"+path, body)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" && !errors.Is(err, os.ErrPermission) {
			return ErrNotRunning
		}
		return fault.New(fault.Setup, "control_socket", "asking the running service: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return remoteFault(res)
	}
	switch out := out.(type) {
	case nil:
		return nil
	case io.Writer:
		_, err = io.Copy(out, res.Body)
		return err
	}
	return json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(out)
}

// failure is an error on its way to the command line.
type failure struct {
	Class   fault.Class `json:"class"`
	Code    string      `json:"code"`
	Message string      `json:"message"`
	Hint    string      `json:"hint"`
}

func remoteFault(res *http.Response) error {
	var f failure
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&f); err != nil || f.Message == "" {
		return fmt.Errorf("the running service answered %s", res.Status)
	}
	return &fault.Error{Class: f.Class, Code: f.Code, Message: f.Message, Hint: f.Hint}
}

// Handle makes a handler of a function that takes the request and gives what
// is to be sent as JSON.
func Handle(fn func(r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		v, err := fn(r)
		if err != nil {
			Fail(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
}

// Fail answers with an error that [Call] gives back as the same fault.
func Fail(w http.ResponseWriter, err error) {
	f := failure{Class: fault.ClassOf(err), Code: fault.CodeOf(err), Message: err.Error()}
	if e, ok := errors.AsType[*fault.Error](err); ok {
		f.Message, f.Hint = e.Message, e.Hint
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnprocessableEntity)
	_ = json.NewEncoder(w).Encode(f)
}
