package access

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/password"
)

// Bounds of a password that a person chooses, in characters (NIST SP 800-63B asks
// for length, and for no mixture), of a login and of a name, in bytes.
const (
	minPassword, maxPassword = 12, 128
	maxLogin, maxName        = 64, 100
	oneTimeHolds             = 7 * 24 * time.Hour
)

// Codes of what is refused about people.
const (
	CodeBadLogin    = "bad_login"
	CodeBadRole     = "bad_role"
	CodeBadPassword = "bad_password"
	CodeLastIT      = "last_it"
)

// admin is the first person's login.
const admin = "admin"

// First makes the administrator of a hub that has no people, and leaves the
// one-time password in a file that only the hub's own user may read. made is
// false where there are people; the file goes when one of them has chosen a
// password.
func (a *Access) First(ctx context.Context, file string) (made bool, err error) {
	users, err := a.ledger.Users(ctx)
	if err != nil {
		return false, err
	}
	a.first = file
	if len(users) > 0 {
		if !slices.ContainsFunc(users, func(u ledger.User) bool { return u.Login == admin && u.OneTime }) {
			a.forgetFirst()
		}
		return false, nil
	}
	pass, err := a.Add(ctx, "hub", admin, "Administrator", Roles)
	if err != nil {
		return false, err
	}
	text := "The control room's first person signs in as " + admin + " with this one-time password:\n" + pass + "\n"
	if err := writePrivate(file, text); err != nil {
		return true, fault.New(fault.Setup, "first_password", "the first password cannot be written: %w", err).
			WithHint("mend that, then set one by branchline-hub user password " + admin)
	}
	return true, nil
}

// writePrivate writes a new file that only its owner may read.
func writePrivate(path, text string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// forgetFirst takes the file away that is worth nothing any more.
func (a *Access) forgetFirst() {
	if a.first == "" {
		return
	}
	if err := os.Remove(a.first); err != nil && !errors.Is(err, os.ErrNotExist) {
		a.log.Warn("the file of the first password is still there; it opens nothing any more", "err", err)
	}
}

// Add makes a person and gives a one-time password, which holds for a week.
func (a *Access) Add(ctx context.Context, who, login, name string, roles []Role) (pass string, err error) {
	login = Login(login)
	if err := checkLogin(login); err != nil {
		return "", err
	}
	if err := checkRoles(roles); err != nil {
		return "", err
	}
	pass = oneTimePassword()
	now := a.now()
	u := ledger.User{Login: login, Name: shorten(strings.TrimSpace(name)), Roles: words(roles), OneTime: true,
		Password: password.New(pass, a.cost).String(), PasswordEnds: now.Add(oneTimeHolds), CreatedAt: now}
	return pass, a.ledger.Write(ctx, func(tx *ledger.Tx) error {
		if _, err := tx.AddUser(u); err != nil {
			return err
		}
		return tx.Audit(audit(now, who, "user added", "user "+login, "roles: "+strings.Join(u.Roles, ", ")))
	})
}

// notPeople are what the audit trail calls those who are none.
var notPeople = []string{"hub", "unknown", "odoo", "agent", "planner", "poster", ledger.Schedule}

func checkLogin(login string) error {
	bad := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-@", r)
	}
	if login == "" || len(login) > maxLogin || strings.ContainsFunc(login, bad) || slices.Contains(notPeople, login) {
		return fault.New(fault.Data, CodeBadLogin, "%.64q cannot be the name to sign in with", login).
			WithHint("take letters, digits and . _ - @")
	}
	return nil
}

func checkRoles(roles []Role) error {
	if len(roles) == 0 {
		return fault.New(fault.Data, CodeBadRole, "without a role a person may do nothing").WithHint(fmt.Sprintf("choose of %v", Roles))
	}
	for _, r := range roles {
		if !slices.Contains(Roles, r) {
			return fault.New(fault.Data, CodeBadRole, "%.32q is no role", r).WithHint(fmt.Sprintf("choose of %v", Roles))
		}
	}
	return nil
}

// SetRoles gives a person other roles. The last one who looks after people keeps
// that role: [CodeLastIT].
func (a *Access) SetRoles(ctx context.Context, who, login string, roles []Role) error {
	if err := checkRoles(roles); err != nil {
		return err
	}
	return a.change(ctx, who, "roles changed", login, func(tx *ledger.Tx, u *ledger.User) (string, error) {
		if err := ownPassword(u); err != nil {
			return "", err
		}
		was := strings.Join(u.Roles, ", ")
		u.Roles = words(roles)
		return was + " → " + strings.Join(u.Roles, ", "), nil
	})
}

// Disable keeps a person from signing in, ends their sessions and tokens.
func (a *Access) Disable(ctx context.Context, who, login string) error {
	return a.change(ctx, who, "user disabled", login, func(tx *ledger.Tx, u *ledger.User) (string, error) {
		u.Disabled = true
		return "", nil
	})
}

// ResetPassword gives a one-time password to a person, who may sign in again with
// it even if disabled or locked out before; their sessions end.
func (a *Access) ResetPassword(ctx context.Context, who, login string) (pass string, err error) {
	pass = oneTimePassword()
	hash := password.New(pass, a.cost).String()
	now := a.now()
	return pass, a.change(ctx, who, "password reset", login, func(tx *ledger.Tx, u *ledger.User) (string, error) {
		if err := ownPassword(u); err != nil {
			return "", err
		}
		u.Password, u.OneTime, u.PasswordEnds = hash, true, now.Add(oneTimeHolds)
		u.Disabled, u.Wrong, u.LockedUntil = false, 0, time.Time{}
		return "one-time, for a week", tx.EndSessions(u.ID, [32]byte{})
	})
}

// change alters a person in one transaction with its entry in the audit trail.
func (a *Access) change(ctx context.Context, who, action, login string, do func(*ledger.Tx, *ledger.User) (detail string, err error)) error {
	login = Login(login)
	now := a.now()
	return a.ledger.Write(ctx, func(tx *ledger.Tx) error {
		u, err := tx.UserNamed(login)
		if err != nil {
			return err
		}
		did := keeps(&u)
		detail, err := do(tx, &u)
		if err != nil {
			return err
		}
		if did && !keeps(&u) {
			if err := anotherKeeper(tx, &u); err != nil {
				return err
			}
		}
		if u.Disabled {
			if err := tx.EndSessions(u.ID, [32]byte{}); err != nil {
				return err
			}
		}
		if err := tx.SetUser(u); err != nil {
			return err
		}
		return tx.Audit(audit(now, who, action, "user "+login, detail))
	})
}

// keeps tells whether the person looks after people, also when a provider is away or
// takes their role.
func keeps(u *ledger.User) bool {
	return !u.Disabled && u.Elsewhere == "" && slices.Contains(u.Roles, string(IT))
}

func anotherKeeper(tx *ledger.Tx, but *ledger.User) error {
	others := 0
	if err := tx.EachUser(func(u *ledger.User) {
		if u.ID != but.ID && keeps(u) {
			others++
		}
	}); err != nil || others > 0 {
		return err
	}
	return fault.New(fault.Data, CodeLastIT, "%q is the last one who looks after people", but.Login).
		WithHint("give the role it to somebody else with a password here first")
}

// ChangePassword has a person choose another password. All their other sessions
// end.
func (a *Access) ChangePassword(ctx context.Context, p Person, old, next, address string) error {
	if err := a.tries.allowed(address); err != nil {
		return err
	}
	u, err := a.ledger.UserNamed(ctx, p.Login)
	if err != nil {
		return err
	}
	if err := ownPassword(&u); err != nil {
		return err
	}
	if fits, err := a.fits(ctx, u.Password, old); err != nil {
		return err
	} else if !fits {
		a.tries.wrong(address)
		return fault.New(fault.Data, CodeWrong, "that is not your password until now").WithHint("type it again")
	}
	switch n := utf8.RuneCountInString(next); {
	case n < minPassword || n > maxPassword || len(next) > maxSecret || strings.ContainsFunc(next, unicode.IsControl):
		return fault.New(fault.Data, CodeBadPassword, "a password has %d to %d characters", minPassword, maxPassword).
			WithHint("four or five words that do not belong together are easy to keep and hard to guess")
	case next == old:
		return fault.New(fault.Data, CodeBadPassword, "that is the password you had")
	case len(p.Login) > 3 && strings.Contains(strings.ToLower(next), p.Login), strings.Contains(strings.ToLower(next), "branchline"):
		return fault.New(fault.Data, CodeBadPassword, "a password with your name, or this program's, in it is guessed first")
	case len(distinct(next)) < 5:
		return fault.New(fault.Data, CodeBadPassword, "a password of so few different characters is guessed first")
	}
	hash := password.New(next, a.cost).String()
	err = a.change(ctx, p.Who(), "password changed", p.Login, func(tx *ledger.Tx, u *ledger.User) (string, error) {
		u.Password, u.OneTime, u.PasswordEnds = hash, false, time.Time{}
		return "", tx.EndSessions(u.ID, p.session)
	})
	if err == nil && p.Login == admin {
		a.forgetFirst()
	}
	return err
}

func distinct(s string) map[rune]bool {
	all := map[rune]bool{}
	for _, r := range s {
		all[r] = true
	}
	return all
}

func words(roles []Role) (all []string) {
	for _, r := range Roles { // in one order, each once
		if slices.Contains(roles, r) {
			all = append(all, string(r))
		}
	}
	return all
}

func shorten(name string) string {
	if len(name) > maxName {
		return strings.ToValidUTF8(name[:maxName], "")
	}
	return name
}
