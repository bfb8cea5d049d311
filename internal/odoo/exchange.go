package odoo

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"branchline/internal/fault"
)

// exchanger posts one body and brings the answer back, with all bounds kept.
type exchanger struct {
	client *http.Client
	cfg    Config
}

func newExchanger(cfg Config) *exchanger {
	rt := cfg.HTTP
	if rt == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConns, t.MaxIdleConnsPerHost = 64, 64
		// Shorter than the 60 to 75 s after which usual proxies close.
		t.IdleConnTimeout = 45 * time.Second
		t.TLSHandshakeTimeout = 15 * time.Second
		if t.TLSClientConfig == nil {
			t.TLSClientConfig = &tls.Config{}
		}
		t.TLSClientConfig.MinVersion = tls.VersionTLS12
		rt = t
	}
	return &exchanger{cfg: cfg, client: &http.Client{
		Transport: rt,
		// A redirected POST would arrive as a GET without its body.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

type answer struct {
	status      int
	contentType string
	body        []byte
}

// post sends body to path. Its errors are faults; e names the call for them.
// Go's client never repeats a POST of which anything was written, so one post
// is at most one execution.
func (x *exchanger) post(ctx context.Context, e *Error, path, contentType string, body []byte, header http.Header) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, x.cfg.Timeout)
	defer cancel()
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { sent.Store(true) },
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, x.cfg.URL+path, bytes.NewReader(body))
	if err != nil {
		e.Err = err
		return nil, &fault.Error{Class: fault.Setup, Code: CodeAddress, Message: "Odoo's address cannot be used", Err: e}
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("User-Agent", "branchline")
	resp, err := x.client.Do(req)
	if err != nil {
		return nil, x.broken(e, err, sent.Load())
	}
	defer resp.Body.Close()
	e.Status = resp.StatusCode
	b, err := readAll(resp.Body, x.cfg.MaxResponse, resp.ContentLength)
	if err != nil {
		if errors.Is(err, errTooLarge) {
			e.Outcome, e.Err = Perhaps, err
			return nil, &fault.Error{Class: fault.Defect, Code: CodeTooLarge, Err: e,
				Message: fmt.Sprintf("Odoo's answer to %s.%s is larger than %d bytes", e.Model, e.Method, x.cfg.MaxResponse)}
		}
		return nil, x.broken(e, err, true)
	}
	return &answer{status: resp.StatusCode, contentType: resp.Header.Get("Content-Type"), body: b}, nil
}

// broken is the fault for a call that got no whole answer.
func (x *exchanger) broken(e *Error, err error, sent bool) error {
	e.Err = err
	e.Outcome = NotDone
	if sent {
		e.Outcome = Perhaps
	}
	f := &fault.Error{Class: fault.Transient, Code: CodeAway, Err: e}
	switch {
	case errors.Is(err, context.Canceled):
		f.Message = "the call to Odoo was given up"
	case !sent:
		f.Message = "Odoo cannot be reached at " + x.cfg.URL + ": " + unreached(err)
	case errors.Is(err, context.DeadlineExceeded):
		f.Message = "Odoo did not answer in time"
	default:
		f.Message = "the connection to Odoo broke before its answer was whole"
	}
	var cert *tls.CertificateVerificationError
	if errors.As(err, &cert) {
		f.Class, f.Code = fault.Setup, CodeAddress
		f.Message = "Odoo's certificate is not accepted: " + clip(cert.Err.Error(), 300)
		f.Hint = "mend the certificate, or add its authority to this machine"
	}
	return f
}

var errTooLarge = errors.New("answer too large")

// readAll reads up to limit bytes; announced is the Content-Length or -1.
func readAll(r io.Reader, limit, announced int64) ([]byte, error) {
	if announced > limit {
		return nil, errTooLarge
	}
	var buf bytes.Buffer
	if announced > 0 {
		buf.Grow(int(announced) + bytes.MinRead)
	}
	n, err := buf.ReadFrom(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if n > limit {
		return nil, errTooLarge
	}
	if announced >= 0 && n < announced {
		return nil, io.ErrUnexpectedEOF
	}
	return buf.Bytes(), nil
}

// strange is the fault for an answer that did not come from Odoo's API: a
// proxy's page, a redirect, a portal. It is nil for an answer worth decoding.
func (x *exchanger) strange(e *Error, a *answer, wanted string) error {
	isWanted := strings.Contains(a.contentType, wanted)
	if a.status == http.StatusOK && isWanted {
		return nil
	}
	e.Outcome = Perhaps
	e.Text = pageText(a)
	page := fmt.Sprintf("HTTP %d", a.status)
	switch {
	case a.status == http.StatusOK:
		return &fault.Error{Class: fault.Transient, Code: CodeAway, Err: e,
			Message: fmt.Sprintf("something else than Odoo answered at %s (%s)", x.cfg.URL, clip(a.contentType, 60))}
	case a.status >= 300 && a.status < 400:
		e.Outcome = NotDone
		return &fault.Error{Class: fault.Setup, Code: CodeAddress, Err: e,
			Message: fmt.Sprintf("%s sends on to another address (%s)", x.cfg.URL, page), Hint: "enter Odoo's final address, usually with https"}
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden, a.status == http.StatusProxyAuthRequired:
		e.Outcome = NotDone
		return &fault.Error{Class: fault.Setup, Code: CodeDenied, Err: e,
			Message: fmt.Sprintf("%s refuses the hub (%s)", x.cfg.URL, page), Hint: "check the key, and what the proxy before Odoo lets through"}
	case a.status == http.StatusNotFound, a.status == http.StatusMethodNotAllowed, a.status == http.StatusGone:
		e.Outcome = NotDone
		return &fault.Error{Class: fault.Setup, Code: CodeAddress, Err: e,
			Message: fmt.Sprintf("no Odoo with database %s answers at %s (%s)", x.cfg.DB, x.cfg.URL, page), Hint: "check url and db of Odoo in the hub's configuration"}
	case a.status == http.StatusRequestEntityTooLarge:
		e.Outcome = NotDone
		return &fault.Error{Class: fault.Setup, Code: CodeAddress, Err: e,
			Message: "the proxy before Odoo refuses large requests (HTTP 413)", Hint: "raise its body limit (nginx: client_max_body_size) to 32 MB"}
	case a.status == http.StatusTooManyRequests:
		e.Outcome = NotDone
		return &fault.Error{Class: fault.Transient, Code: CodeAway, Err: e, Message: "Odoo or its proxy asks for fewer calls (HTTP 429)"}
	case a.status >= 500 || a.status == http.StatusRequestTimeout:
		return &fault.Error{Class: fault.Transient, Code: CodeAway, Err: e,
			Message: fmt.Sprintf("Odoo's proxy or server is out of order (%s)", page)}
	}
	return &fault.Error{Class: fault.Defect, Code: CodeDefect, Err: e,
		Message: fmt.Sprintf("Odoo's server did not understand the request (%s)", page)}
}

// pageText is the readable beginning of an HTML page, for the log.
func pageText(a *answer) string {
	b := a.body
	if len(b) > maxText {
		b = b[:maxText]
	}
	var out strings.Builder
	in := false
	for _, r := range string(b) {
		switch {
		case r == '<':
			in = true
		case r == '>':
			in = false
			out.WriteByte(' ')
		case !in:
			out.WriteRune(r)
		}
	}
	return oneLine(out.String())
}
