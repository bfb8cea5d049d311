package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"branchline/internal/fault"
)

// User is a person who may use the control room.
type User struct {
	ID int64
	// Login is in lower case, and unique.
	Login, Name string
	Roles       []string
	// Password is its hash; empty for one who signs in elsewhere.
	Password string
	// OneTime tells that the password must be changed at the next sign-in, and
	// PasswordEnds until when that may be; zero for no end.
	OneTime      bool
	PasswordEnds time.Time
	Disabled     bool
	// Wrong counts passwords that were wrong since the last right one;
	// LockedUntil is until when none is looked at.
	Wrong       int64
	LockedUntil time.Time
	CreatedAt   time.Time
	SignedInAt  time.Time
	// Elsewhere is the issuer and the subject, with a space between, of one who signs
	// in there.
	Elsewhere string
}

// Session is a browser that a person has signed in with. Its hash is over the
// secret that the browser holds.
type Session struct {
	Hash              [sha256.Size]byte
	UserID            int64
	CreatedAt, SeenAt time.Time
	Address           string
}

// Token lets a program use the API in a person's name.
type Token struct {
	ID     int64
	Hash   [sha256.Size]byte
	UserID int64
	// Owner is the login of the person.
	Owner, Name string
	Scopes      []string
	CreatedAt   time.Time
	// EndsAt, UsedAt and RevokedAt are zero for never.
	EndsAt, UsedAt, RevokedAt time.Time
}

// Codes of what is wrong with people and tokens.
const (
	CodeNoUser    = "no_user"
	CodeLoginUsed = "login_taken"
	CodeNoToken   = "no_token"
)

const userColumns = `u.id, u.login, u.name, u.roles, u.password, u.one_time, u.password_ends, u.disabled, u.wrong, u.locked_until, u.created_at, u.signed_in_at, u.elsewhere`

// dest are the places of a user's columns; set takes over what needs a turn.
func (u *User) dest() (places []any, set func()) {
	var roles string
	var oneTime, ends, disabled, locked, created, signedIn int64
	return []any{&u.ID, &u.Login, &u.Name, &roles, &u.Password, &oneTime, &ends, &disabled, &u.Wrong, &locked, &created, &signedIn, &u.Elsewhere},
		func() {
			u.Roles, u.OneTime, u.Disabled = strings.Fields(roles), oneTime != 0, disabled != 0
			u.PasswordEnds, u.LockedUntil, u.CreatedAt, u.SignedInAt = timeOf(ends), timeOf(locked), timeOf(created), timeOf(signedIn)
		}
}

// Users lists all people by login.
func (l *Ledger) Users(ctx context.Context) ([]User, error) {
	var all []User
	err := l.reader(ctx).Rows(`SELECT `+userColumns+` FROM users u ORDER BY u.login`, nil, func(row Row) error {
		var u User
		places, set := u.dest()
		err := row.Scan(places...)
		set()
		all = append(all, u)
		return err
	})
	return all, classify(err)
}

// UserNamed gives a person by login, as a fault of class Data, [CodeNoUser],
// where there is none.
func (l *Ledger) UserNamed(ctx context.Context, login string) (User, error) {
	return userNamed(l.reader(ctx), login)
}

// UserNamed is [Ledger.UserNamed] inside the transaction.
func (t *Tx) UserNamed(login string) (User, error) { return userNamed(t, login) }

func userNamed(r rower, login string) (u User, err error) {
	places, set := u.dest()
	err = r.Row(`SELECT `+userColumns+` FROM users u WHERE u.login = $1`, login).Scan(places...)
	set()
	if errors.Is(err, errNoRows) {
		return u, fault.New(fault.Data, CodeNoUser, "nobody here signs in as %q", login)
	}
	return u, classify(err)
}

// AddUser makes a person and gives its id. A login that is taken is a fault of
// class Data, [CodeLoginUsed].
func (t *Tx) AddUser(u User) (id int64, err error) {
	var n int64
	if err := t.Row(`SELECT COUNT(*) FROM users WHERE login = $1`, u.Login).Scan(&n); err != nil {
		return 0, err
	}
	if n > 0 {
		return 0, fault.New(fault.Data, CodeLoginUsed, "somebody signs in as %q already", u.Login)
	}
	err = t.Row(`INSERT INTO users (login, name, roles, password, one_time, password_ends, disabled, wrong, locked_until, created_at, signed_in_at, elsewhere)
		VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0, $7, 0, $8) RETURNING id`,
		u.Login, storable(u.Name), strings.Join(u.Roles, " "), u.Password, flag(u.OneTime), millis(u.PasswordEnds), millis(u.CreatedAt), storable(u.Elsewhere)).Scan(&id)
	return id, err
}

// UserElsewhere gives the person who signs in elsewhere by an issuer and subject; found
// is false where there is none.
func (t *Tx) UserElsewhere(elsewhere string) (u User, found bool, err error) {
	places, set := u.dest()
	err = t.Row(`SELECT `+userColumns+` FROM users u WHERE u.elsewhere = $1 AND u.elsewhere <> ''`, storable(elsewhere)).Scan(places...)
	set()
	if errors.Is(err, errNoRows) {
		return User{}, false, nil
	}
	return u, err == nil, err
}

// SetUser writes all of a person but the login and where they sign in.
func (t *Tx) SetUser(u User) error {
	n, err := t.Exec(`UPDATE users SET name = $2, roles = $3, password = $4, one_time = $5, password_ends = $6, disabled = $7,
		wrong = $8, locked_until = $9, signed_in_at = $10 WHERE id = $1`,
		u.ID, storable(u.Name), strings.Join(u.Roles, " "), u.Password, flag(u.OneTime), millis(u.PasswordEnds), flag(u.Disabled),
		u.Wrong, millis(u.LockedUntil), millis(u.SignedInAt))
	if err == nil && n == 0 {
		err = fault.New(fault.Data, CodeNoUser, "%q is no user any more", u.Login)
	}
	return err
}

// AddSession keeps a session.
func (t *Tx) AddSession(s Session) error {
	_, err := t.Exec(`INSERT INTO sessions (hash, user_id, created_at, seen_at, address) VALUES ($1, $2, $3, $4, $5)`,
		s.Hash[:], s.UserID, millis(s.CreatedAt), millis(s.SeenAt), storable(s.Address))
	return err
}

// EndSession forgets one session.
func (t *Tx) EndSession(hash [sha256.Size]byte) error {
	_, err := t.Exec(`DELETE FROM sessions WHERE hash = $1`, hash[:])
	return err
}

// EndSessions forgets all sessions of a person but the one to keep.
func (t *Tx) EndSessions(userID int64, keep [sha256.Size]byte) error {
	_, err := t.Exec(`DELETE FROM sessions WHERE user_id = $1 AND hash <> $2`, userID, keep[:])
	return err
}

// EndOldSessions forgets what began, or was last seen, before.
func (t *Tx) EndOldSessions(begun, seen time.Time) error {
	_, err := t.Exec(`DELETE FROM sessions WHERE created_at < $1 OR seen_at < $2`, millis(begun), millis(seen))
	return err
}

// SawSession notes that a session is in use.
func (t *Tx) SawSession(hash [sha256.Size]byte, at time.Time) error {
	_, err := t.Exec(`UPDATE sessions SET seen_at = $2 WHERE hash = $1`, hash[:], millis(at))
	return err
}

// Session gives a session and its person; found is false where there is none.
func (l *Ledger) Session(ctx context.Context, hash [sha256.Size]byte) (s Session, u User, found bool, err error) {
	places, set := u.dest()
	var created, seen int64
	err = l.reader(ctx).Row(`SELECT s.created_at, s.seen_at, s.address, `+userColumns+`
		FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.hash = $1`, hash[:]).
		Scan(append([]any{&created, &seen, &s.Address}, places...)...)
	set()
	s.Hash, s.UserID, s.CreatedAt, s.SeenAt = hash, u.ID, timeOf(created), timeOf(seen)
	if errors.Is(err, errNoRows) {
		return s, u, false, nil
	}
	return s, u, err == nil, classify(err)
}

// AddToken keeps a token and gives its id.
func (t *Tx) AddToken(k Token) (id int64, err error) {
	err = t.Row(`INSERT INTO tokens (hash, user_id, name, scopes, created_at, ends_at, used_at, revoked_at)
		VALUES ($1, $2, $3, $4, $5, $6, 0, 0) RETURNING id`,
		k.Hash[:], k.UserID, storable(k.Name), strings.Join(k.Scopes, " "), millis(k.CreatedAt), millis(k.EndsAt)).Scan(&id)
	return id, err
}

// RevokeToken ends a token for good; one that is not there or ended is a fault of
// class Data, [CodeNoToken].
func (t *Tx) RevokeToken(id int64, at time.Time) error {
	n, err := t.Exec(`UPDATE tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at = 0`, id, millis(at))
	if err == nil && n == 0 {
		err = fault.New(fault.Data, CodeNoToken, "there is no token %d that still holds", id)
	}
	return err
}

// UsedToken notes that a token is in use.
func (t *Tx) UsedToken(id int64, at time.Time) error {
	_, err := t.Exec(`UPDATE tokens SET used_at = $2 WHERE id = $1`, id, millis(at))
	return err
}

const tokenColumns = `k.id, k.hash, k.user_id, k.name, k.scopes, k.created_at, k.ends_at, k.used_at, k.revoked_at`

func (k *Token) dest() (places []any, set func()) {
	var hash []byte
	var scopes string
	var created, ends, used, revoked int64
	return []any{&k.ID, &hash, &k.UserID, &k.Name, &scopes, &created, &ends, &used, &revoked}, func() {
		copy(k.Hash[:], hash)
		k.Scopes = strings.Fields(scopes)
		k.CreatedAt, k.EndsAt, k.UsedAt, k.RevokedAt = timeOf(created), timeOf(ends), timeOf(used), timeOf(revoked)
	}
}

// Tokens lists those that were not revoked, the newest first.
func (l *Ledger) Tokens(ctx context.Context) ([]Token, error) {
	var all []Token
	err := l.reader(ctx).Rows(`SELECT `+tokenColumns+`, u.login FROM tokens k JOIN users u ON u.id = k.user_id
		WHERE k.revoked_at = 0 ORDER BY k.id DESC`, nil, func(row Row) error {
		var k Token
		places, set := k.dest()
		err := row.Scan(append(places, &k.Owner)...)
		set()
		all = append(all, k)
		return err
	})
	return all, classify(err)
}

// TokenOf gives a token that was not revoked, and its person; found is false where
// there is none.
func (l *Ledger) TokenOf(ctx context.Context, hash [sha256.Size]byte) (k Token, u User, found bool, err error) {
	places, set := k.dest()
	more, setUser := u.dest()
	err = l.reader(ctx).Row(`SELECT `+tokenColumns+`, `+userColumns+` FROM tokens k JOIN users u ON u.id = k.user_id
		WHERE k.hash = $1 AND k.revoked_at = 0`, hash[:]).Scan(append(places, more...)...)
	set()
	setUser()
	k.Owner = u.Login
	if errors.Is(err, errNoRows) {
		return k, u, false, nil
	}
	return k, u, err == nil, classify(err)
}

// dropSignedIn ends what people signed in with before the ledger was put back:
// a session or a token that was ended after the backup would live again.
func (t *Tx) dropSignedIn(at time.Time) error {
	if _, err := t.Exec(`DELETE FROM sessions`); err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	_, err := t.Exec(`UPDATE tokens SET revoked_at = $1 WHERE revoked_at = 0`, millis(at))
	return err
}

// EachUser hands over all people.
func (t *Tx) EachUser(do func(*User)) error {
	return t.Rows(`SELECT `+userColumns+` FROM users u`, nil, func(row Row) error {
		var u User
		places, set := u.dest()
		err := row.Scan(places...)
		set()
		do(&u)
		return err
	})
}
