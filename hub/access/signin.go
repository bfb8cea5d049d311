package access

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/password"
)

// Login is a login as it is compared: without spaces around it, in lower case.
func Login(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// maxSecret bounds what is looked at, in bytes.
const maxSecret = 512

// SignIn gives the secret of a new session. What is wrong is a fault of class
// Data, [CodeWrong] or [CodeTooMany]; it does not tell whether there is such a
// person. It may wait for others that sign in.
func (a *Access) SignIn(ctx context.Context, login, pass, address string) (cookie string, err error) {
	if err := a.tries.allowed(address); err != nil {
		return "", err
	}
	login = Login(login)
	u, err := a.ledger.UserNamed(ctx, login)
	known := err == nil
	if err != nil && fault.CodeOf(err) != ledger.CodeNoUser {
		return "", err
	}
	now := a.now()
	if known && now.Before(u.LockedUntil) && u.LockedUntil.Sub(now) <= lockedFor {
		a.tries.wrong(address)
		return "", errWrong()
	}
	fits, err := a.fits(ctx, u.Password, pass)
	if err != nil {
		return "", err
	}
	ended := u.OneTime && !u.PasswordEnds.IsZero() && now.After(u.PasswordEnds)
	if !known || !fits || u.Disabled || ended {
		a.tries.wrong(address)
		if known && !u.Disabled {
			a.countWrong(ctx, login, address, now)
		}
		return "", errWrong()
	}
	return a.begin(ctx, u.Login, address, "password")
}

// errWrong is the same whatever was wrong, so that nobody learns who is here.
func errWrong() error {
	return fault.New(fault.Data, CodeWrong, "this name and this password do not belong together").
		WithHint(fmt.Sprintf("type both again. After %d wrong ones a name is closed for ten minutes; a one-time password holds for a week; IT sets a new one", wrongOfUser))
}

// begin opens a session of a person who has proved who they are.
func (a *Access) begin(ctx context.Context, login, address, how string) (cookie string, err error) {
	cookie, hash := secret()
	now := a.now()
	err = a.ledger.Write(ctx, func(tx *ledger.Tx) error {
		u, err := tx.UserNamed(login) // as it is now
		if err != nil {
			return err
		}
		if u.Disabled {
			return fault.New(fault.Data, CodeWrong, "%q may not sign in any more", login)
		}
		u.Wrong, u.LockedUntil, u.SignedInAt = 0, time.Time{}, now
		if err := tx.SetUser(u); err != nil {
			return err
		}
		if err := tx.AddSession(ledger.Session{Hash: hash, UserID: u.ID, CreatedAt: now, SeenAt: now, Address: address}); err != nil {
			return err
		}
		return tx.Audit(audit(now, login, "signed in", "user "+login, how+" from "+address))
	})
	if err != nil {
		return "", err
	}
	return cookie, nil
}

// countWrong locks the person out when it was one too many. Beyond the lock wrong
// ones are not written down, so that nobody fills the ledger by guessing.
func (a *Access) countWrong(ctx context.Context, login, address string, now time.Time) {
	if err := a.ledger.Write(ctx, func(tx *ledger.Tx) error {
		u, err := tx.UserNamed(login)
		if err != nil {
			return err
		}
		if u.Wrong++; u.Wrong < wrongOfUser {
			return errors.Join(tx.SetUser(u), tx.Audit(audit(now, "hub", "wrong password", "user "+login, "from "+address)))
		}
		u.Wrong, u.LockedUntil = 0, now.Add(lockedFor)
		if err := tx.SetUser(u); err != nil {
			return err
		}
		return tx.Audit(audit(now, "hub", "locked out", "user "+login, "too many wrong passwords, the last from "+address))
	}); err != nil {
		a.log.Warn("a wrong password is not counted", "err", err)
	}
}

// fits looks at a password; one that is not there takes as long.
func (a *Access) fits(ctx context.Context, hash, pass string) (bool, error) {
	select {
	case a.looks <- struct{}{}:
		defer func() { <-a.looks }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	h, err := password.Parse(hash)
	if err != nil {
		h = password.Decoy(a.cost)
	}
	return len(pass) <= maxSecret && h.Fits(pass), nil
}

// seenEvery is how often it is written down that a session or token is in use.
const seenEvery = time.Minute

// Session gives the person of a cookie's secret; nobody where it does not hold.
// A request that the page makes by itself is no sign that a person is there:
// used is false for it.
func (a *Access) Session(ctx context.Context, cookie string, used bool) (Person, error) {
	hash := sha256.Sum256([]byte(cookie))
	s, u, found, err := a.ledger.Session(ctx, hash)
	now := a.now()
	if err != nil || !found || u.Disabled || now.Sub(s.CreatedAt) >= a.cfg.Session || now.Sub(s.SeenAt) >= a.cfg.Idle {
		return Person{}, err
	}
	if used && now.Sub(s.SeenAt) >= seenEvery {
		if err := a.ledger.Write(ctx, func(tx *ledger.Tx) error { return tx.SawSession(hash, now) }); err != nil {
			return Person{}, err
		}
	}
	p := personOf(&u)
	p.MustChange, p.session = u.OneTime, hash
	return p, nil
}

// SignOut ends the person's session.
func (a *Access) SignOut(ctx context.Context, p Person) error {
	now := a.now()
	return a.ledger.Write(ctx, func(tx *ledger.Tx) error {
		if err := tx.EndSession(p.session); err != nil {
			return err
		}
		return tx.Audit(audit(now, p.Login, "signed out", "user "+p.Login, ""))
	})
}
