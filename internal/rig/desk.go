package rig

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// Admin is who the control room knows first, and AdminPassword what the rig
// chooses for it.
const (
	Admin         = "admin"
	AdminPassword = "a horse without a hat"
)

// FirstPassword is the one-time password that the hub has left for [Admin]; it is
// there until another was chosen.
func (r *Rig) FirstPassword() (string, error) {
	text, err := os.ReadFile(filepath.Join(r.Dir, "hub", "first-password.txt"))
	if err != nil {
		return "", err
	}
	_, password, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(password), nil
}

// Desk is a browser at the control room, as [Admin]. It signs in by itself
// whenever it has to, and chooses [AdminPassword] the first time.
type Desk struct {
	r      *Rig
	client *http.Client
}

// Desk opens a browser.
func (r *Rig) Desk() *Desk {
	jar, _ := cookiejar.New(nil) // never fails
	return &Desk{r, &http.Client{Jar: jar}}
}

// Get gives a page of the control room; path begins with a slash.
func (d *Desk) Get(ctx context.Context, path string) (status int, body string, err error) {
	for range 2 {
		status, body, at, err := d.ask(ctx, path, nil)
		if err != nil || !strings.HasPrefix(at, "/sign-in") && at != "/me" || at == path {
			return status, body, err
		}
		if err := d.signIn(ctx); err != nil {
			return 0, "", err
		}
	}
	return 0, "", fmt.Errorf("the control room lets nobody to %s", path)
}

// Post sends a form, from a browser that has signed in before.
func (d *Desk) Post(ctx context.Context, path string, form url.Values) (status int, body string, err error) {
	status, body, _, err = d.ask(ctx, path, form)
	return status, body, err
}

func (d *Desk) signIn(ctx context.Context) error {
	sign := func(password string) (at string, err error) {
		_, _, at, err = d.ask(ctx, "/sign-in", url.Values{"login": {Admin}, "password": {password}, "next": {"/"}})
		return at, err
	}
	at, err := sign(AdminPassword)
	if err != nil || at == "/" {
		return err
	}
	first, err := d.r.FirstPassword()
	if err != nil {
		return fmt.Errorf("signing in to the control room: %w", err)
	}
	if at, err = sign(first); err != nil || at != "/me" {
		return fmt.Errorf("the first password leads to %s: %w", at, err)
	}
	_, _, at, err = d.ask(ctx, "/me/password", url.Values{"old": {first}, "next": {AdminPassword}, "again": {AdminPassword}})
	if err == nil && at != "/" {
		err = fmt.Errorf("choosing a password leads to %s", at)
	}
	return err
}

// ask gives what a request came to, and the path where it ended.
func (d *Desk) ask(ctx context.Context, path string, form url.Values) (status int, body, at string, err error) {
	method, content := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, content = http.MethodPost, strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(d.r.HubPage, "/")+path, content)
	if err != nil {
		return 0, "", "", err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := d.client.Do(req)
	if err != nil {
		return 0, "", "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), res.Request.URL.Path, err
}
