package odoo

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"branchline/internal/fault"
)

// Client is one user of one Odoo database. It connects when it is first used,
// so that it can be made while Odoo is away, and is safe for concurrent use.
type Client struct {
	x *exchanger

	connecting chan struct{} // holds one token: who has it signs in
	makingLot  chan struct{} // the same for making lots
	mu         sync.Mutex
	caller     Caller
	fields     map[string]Fields
}

var _ Caller = (*Client)(nil)

// New makes a client. It checks the configuration and calls nothing.
func New(cfg Config) (*Client, error) {
	cfg, err := cfg.filled()
	if err != nil {
		return nil, fault.New(fault.Setup, "odoo_config", "odoo: %w", err)
	}
	c := &Client{x: newExchanger(cfg), connecting: make(chan struct{}, 1), makingLot: make(chan struct{}, 1), fields: map[string]Fields{}}
	c.connecting <- struct{}{}
	c.makingLot <- struct{}{}
	return c, nil
}

// Close drops idle connections. The client stays usable.
func (c *Client) Close() { c.x.client.CloseIdleConnections() }

// Call carries out one method; see [Caller].
func (c *Client) Call(ctx context.Context, model, method string, args Args) (any, error) {
	caller, err := c.connected(ctx)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	v, err := caller.Call(ctx, model, method, args)
	c.observe(model, method, start, err)
	if err != nil {
		c.learn(err)
	}
	return v, err
}

// learn drops what an error has shown to be out of date: after an upgrade of
// Odoo, fields differ (a defect) and the sign-in may be void (denied).
func (c *Client) learn(err error) {
	switch fault.CodeOf(err) {
	case CodeDefect:
		c.Forget()
	case CodeDenied, CodeAddress:
		c.mu.Lock()
		c.caller = nil
		c.mu.Unlock()
		c.Forget()
	}
}

// Forget drops what is remembered of Odoo's models, for instance after a module
// was installed there.
func (c *Client) Forget() {
	c.mu.Lock()
	c.fields = map[string]Fields{}
	c.mu.Unlock()
}

func (c *Client) observe(model, method string, start time.Time, err error) {
	if c.x.cfg.Observe != nil {
		c.x.cfg.Observe(model, method, time.Since(start), err)
	}
}

// Version is what a server says of itself.
type Version struct {
	Major int
	Text  string
}

// Version asks the server for its version, without signing in. For display
// only: what a server can do is asked of fields_get.
func (c *Client) Version(ctx context.Context) (Version, error) {
	start := time.Now()
	e := &Error{Model: "common", Method: "version"}
	v, err := c.x.xmlrpc(ctx, e, xmlrpcCommon, "version")
	c.observe("common", "version", start, err)
	if err != nil {
		return Version{}, err
	}
	m, _ := v.(map[string]any)
	out := Version{Text: clip(String(m["server_version"]), 40)}
	if info, ok := m["server_version_info"].([]any); ok && len(info) > 0 {
		out.Major = int(Int(info[0]))
		// Odoo Online says "saas~18" there.
		if s := String(info[0]); out.Major == 0 && strings.HasPrefix(s, "saas~") {
			out.Major, _ = strconv.Atoi(s[len("saas~"):])
		}
	}
	return out, nil
}

// Connect signs in now instead of at the first call, and gives the transport
// that was chosen.
func (c *Client) Connect(ctx context.Context) (Transport, error) {
	caller, err := c.connected(ctx)
	if err != nil {
		return "", err
	}
	if _, ok := caller.(*json2Caller); ok {
		return JSON2, nil
	}
	return XMLRPC, nil
}

func (c *Client) connected(ctx context.Context) (Caller, error) {
	if caller := c.current(); caller != nil {
		return caller, nil
	}
	select {
	case <-c.connecting:
	case <-ctx.Done():
		return nil, notSent("common", "authenticate", ctx.Err())
	}
	defer func() { c.connecting <- struct{}{} }()
	if caller := c.current(); caller != nil {
		return caller, nil
	}
	caller, err := c.connect(ctx)
	if err != nil {
		return nil, notDone(err)
	}
	c.mu.Lock()
	c.caller = caller
	c.mu.Unlock()
	return caller, nil
}

func (c *Client) current() Caller {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.caller
}

func (c *Client) connect(ctx context.Context) (Caller, error) {
	kind := c.x.cfg.Transport
	if kind == Auto {
		v, err := c.Version(ctx)
		if err != nil {
			return nil, err
		}
		kind = XMLRPC
		if v.Major >= 19 {
			caller, err := c.tryJSON2(ctx)
			if err == nil {
				return caller, nil
			}
			// A password instead of a key, or a proxy that lets only XML-RPC
			// through, shows as a setup fault: XML-RPC may still do.
			if fault.ClassOf(err) != fault.Setup {
				return nil, err
			}
		}
	}
	if kind == JSON2 {
		return c.tryJSON2(ctx)
	}
	start := time.Now()
	uid, err := c.x.authenticate(ctx)
	c.observe("common", "authenticate", start, err)
	if err != nil {
		return nil, err
	}
	return &xmlrpcCaller{x: c.x, uid: uid}, nil
}

func (c *Client) tryJSON2(ctx context.Context) (Caller, error) {
	caller := &json2Caller{x: c.x}
	start := time.Now()
	_, err := caller.Call(ctx, "res.users", "context_get", Args{})
	c.observe("res.users", "context_get", start, err)
	if err != nil {
		return nil, err
	}
	return caller, nil
}

// notSent is the fault for a call that was given up before it left.
func notSent(model, method string, err error) error {
	return &fault.Error{Class: fault.Transient, Code: CodeAway, Message: "the call to Odoo was given up", Err: &Error{Model: model, Method: method, Err: err}}
}

// notDone marks a failed sign-in: whatever became of it, the call that it was
// for was never sent.
func notDone(err error) error {
	if e, ok := errorsAs(err); ok {
		e.Outcome = NotDone
	}
	return err
}
