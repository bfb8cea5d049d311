package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"branchline/internal/fault"
)

// EnrolmentCode lets one PC become a branch's. Hash is over its secret.
type EnrolmentCode struct {
	ID     int64
	Hash   [sha256.Size]byte
	Branch string
	MadeBy string
	// UsedAt and WithdrawnAt are zero for never.
	MadeAt, EndsAt, UsedAt, WithdrawnAt time.Time
	// CertificateID is what it was used for; 0 for nothing.
	CertificateID int64
}

// Enrolment is that a PC became a branch's. One that has not ended is the
// branch's present one.
type Enrolment struct {
	Name, Branch string
	At           time.Time
	// Host and System are what the PC called itself, Address is where it was.
	Host, System, Address string
	// Ended is empty, EnrolmentReplaced or EnrolmentRevoked; EndedBy is who did
	// it, Why a word why.
	Ended, EndedBy, Why string
	EndedAt             time.Time
}

// How an enrolment ended.
const (
	EnrolmentReplaced = "replaced"
	EnrolmentRevoked  = "revoked"
)

// BranchCertificate is one that was signed for a branch's key.
type BranchCertificate struct {
	ID int64
	// Fingerprint is the SHA-256 of the certificate, Key of its public key in the
	// form of SubjectPublicKeyInfo.
	Fingerprint, Key [sha256.Size]byte
	Serial           string
	Enrolment        string
	// Predecessor is the certificate by which it was asked for; 0 for the first.
	Predecessor      int64
	DER              []byte
	IssuedAt, EndsAt time.Time
	// SeenAt is when it was first used, CopiedAt when it was last used after a
	// later one of its enrolment, from where is in CopiedFrom; zero for never.
	SeenAt, CopiedAt time.Time
	CopiedFrom       string
}

// Identity is all that decides whether who proves a certificate is let in.
type Identity struct {
	Certificate BranchCertificate
	Enrolment   Enrolment
	// Later tells that a certificate of the same enrolment that was signed after
	// this one has been used.
	Later bool
}

// AddCode keeps a code and gives its id.
func (t *Tx) AddCode(c EnrolmentCode) (id int64, err error) {
	err = t.Row(`INSERT INTO enrolment_codes (hash, branch, made_at, made_by, ends_at, used_at, certificate_id, withdrawn_at)
		VALUES ($1, $2, $3, $4, $5, 0, 0, 0) RETURNING id`,
		c.Hash[:], c.Branch, millis(c.MadeAt), storable(c.MadeBy), millis(c.EndsAt)).Scan(&id)
	return id, err
}

const codeColumns = `id, hash, branch, made_by, made_at, ends_at, used_at, withdrawn_at, certificate_id`

func scanCode(r Row) (c EnrolmentCode, err error) {
	var hash []byte
	var made, ends, used, withdrawn int64
	err = r.Scan(&c.ID, &hash, &c.Branch, &c.MadeBy, &made, &ends, &used, &withdrawn, &c.CertificateID)
	copy(c.Hash[:], hash)
	c.MadeAt, c.EndsAt, c.UsedAt, c.WithdrawnAt = timeOf(made), timeOf(ends), timeOf(used), timeOf(withdrawn)
	return c, err
}

// CodeOf gives the code of a secret's hash; found is false where there is none.
func (t *Tx) CodeOf(hash [sha256.Size]byte) (c EnrolmentCode, found bool, err error) {
	c, err = scanCode(t.Row(`SELECT `+codeColumns+` FROM enrolment_codes WHERE hash = $1`, hash[:]))
	if errors.Is(err, errNoRows) {
		return c, false, nil
	}
	return c, err == nil, err
}

// UseCode notes what a code was used for. ok is false for one that was used or
// withdrawn, also where another hub at the same database did it at this moment.
func (t *Tx) UseCode(id, certificate int64, at time.Time) (ok bool, err error) {
	n, err := t.Exec(`UPDATE enrolment_codes SET used_at = $2, certificate_id = $3 WHERE id = $1 AND used_at = 0 AND withdrawn_at = 0`,
		id, millis(at), certificate)
	return n == 1, err
}

// WithdrawCodes ends the codes of a branch that nobody has used.
func (t *Tx) WithdrawCodes(branch string, at time.Time) (int64, error) {
	return t.Exec(`UPDATE enrolment_codes SET withdrawn_at = $2 WHERE branch = $1 AND used_at = 0 AND withdrawn_at = 0`, branch, millis(at))
}

// dropCodes ends all codes after the ledger was put back: one that was used after
// the backup would live again.
func (t *Tx) dropCodes(at time.Time) error {
	if _, err := t.Exec(`UPDATE enrolment_codes SET withdrawn_at = $1 WHERE used_at = 0 AND withdrawn_at = 0`, millis(at)); err != nil {
		return fmt.Errorf("enrolment codes: %w", err)
	}
	return nil
}

// OpenCodes lists those that can be used at the time, by branch.
func (l *Ledger) OpenCodes(ctx context.Context, at time.Time) ([]EnrolmentCode, error) {
	var all []EnrolmentCode
	err := l.reader(ctx).Rows(`SELECT `+codeColumns+` FROM enrolment_codes
		WHERE used_at = 0 AND withdrawn_at = 0 AND ends_at > $1 ORDER BY branch, id`, []any{millis(at)}, func(r Row) error {
		c, err := scanCode(r)
		all = append(all, c)
		return err
	})
	return all, classify(err)
}

// AddEnrolment keeps an enrolment, which must be the only one of its branch that
// has not ended.
func (t *Tx) AddEnrolment(e Enrolment) error {
	_, err := t.Exec(`INSERT INTO enrolments (name, branch, at, host, system, address, ended, ended_at, ended_by, why)
		VALUES ($1, $2, $3, $4, $5, $6, '', 0, '', '')`,
		e.Name, e.Branch, millis(e.At), storable(e.Host), storable(e.System), storable(e.Address))
	return err
}

// EndEnrolments ends the present enrolment of a branch, if it has one.
func (t *Tx) EndEnrolments(branch, ended, by, why string, at time.Time) (int64, error) {
	return t.Exec(`UPDATE enrolments SET ended = $2, ended_at = $3, ended_by = $4, why = $5 WHERE branch = $1 AND ended = ''`,
		branch, ended, millis(at), storable(by), storable(why))
}

// EndEnrolment is [Tx.EndEnrolments] of one, by its name.
func (t *Tx) EndEnrolment(name, ended, by, why string, at time.Time) (int64, error) {
	return t.Exec(`UPDATE enrolments SET ended = $2, ended_at = $3, ended_by = $4, why = $5 WHERE name = $1 AND ended = ''`,
		name, ended, millis(at), storable(by), storable(why))
}

// AddCertificate keeps a certificate and gives its id.
func (t *Tx) AddCertificate(c BranchCertificate) (id int64, err error) {
	err = t.Row(`INSERT INTO certificates (fingerprint, key_hash, serial, enrolment, predecessor, der, issued_at, ends_at, seen_at, copied_at, copied_from)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, '') RETURNING id`,
		c.Fingerprint[:], c.Key[:], c.Serial, c.Enrolment, c.Predecessor, c.DER, millis(c.IssuedAt), millis(c.EndsAt), millis(c.SeenAt)).Scan(&id)
	return id, err
}

// SawCertificate notes the first use of a certificate.
func (t *Tx) SawCertificate(id int64, at time.Time) error {
	_, err := t.Exec(`UPDATE certificates SET seen_at = $2 WHERE id = $1 AND seen_at = 0`, id, millis(at))
	return err
}

// CopiedCertificate notes that a certificate was used after a later one; first
// tells that this had not been seen since the time given.
func (t *Tx) CopiedCertificate(id int64, at, since time.Time, from string) (first bool, err error) {
	n, err := t.Exec(`UPDATE certificates SET copied_at = $2, copied_from = $4 WHERE id = $1 AND copied_at < $3`,
		id, millis(at), millis(since), storable(from))
	return n == 1, err
}

const certificateColumns = `c.id, c.fingerprint, c.key_hash, c.serial, c.enrolment, c.predecessor, c.der, c.issued_at, c.ends_at, c.seen_at, c.copied_at, c.copied_from`
const enrolmentColumns = `e.name, e.branch, e.at, e.host, e.system, e.address, e.ended, e.ended_at, e.ended_by, e.why`

func (c *BranchCertificate) dest() (places []any, set func()) {
	var fingerprint, key []byte
	var issued, ends, seen, copied int64
	return []any{&c.ID, &fingerprint, &key, &c.Serial, &c.Enrolment, &c.Predecessor, &c.DER, &issued, &ends, &seen, &copied, &c.CopiedFrom}, func() {
		copy(c.Fingerprint[:], fingerprint)
		copy(c.Key[:], key)
		c.IssuedAt, c.EndsAt, c.SeenAt, c.CopiedAt = timeOf(issued), timeOf(ends), timeOf(seen), timeOf(copied)
	}
}

func (e *Enrolment) dest() (places []any, set func()) {
	var at, ended int64
	return []any{&e.Name, &e.Branch, &at, &e.Host, &e.System, &e.Address, &e.Ended, &ended, &e.EndedBy, &e.Why},
		func() { e.At, e.EndedAt = timeOf(at), timeOf(ended) }
}

const identityOf = `SELECT ` + certificateColumns + `, ` + enrolmentColumns + `, (SELECT COUNT(*) FROM certificates s
	WHERE s.enrolment = c.enrolment AND s.id > c.id AND s.seen_at > 0)
	FROM certificates c JOIN enrolments e ON e.name = c.enrolment WHERE `

func scanIdentity(r Row) (i Identity, err error) {
	places, set := i.Certificate.dest()
	more, setMore := i.Enrolment.dest()
	var later int64
	err = r.Scan(append(append(places, more...), &later)...)
	set()
	setMore()
	i.Later = later > 0
	return i, err
}

// IdentityOf gives what is known of a certificate; found is false for nothing.
func (l *Ledger) IdentityOf(ctx context.Context, fingerprint [sha256.Size]byte) (i Identity, found bool, err error) {
	return identityBy(l.reader(ctx), `c.fingerprint = $1`, fingerprint[:])
}

// IdentityOf is [Ledger.IdentityOf] inside the transaction.
func (t *Tx) IdentityOf(fingerprint [sha256.Size]byte) (i Identity, found bool, err error) {
	return identityBy(t, `c.fingerprint = $1`, fingerprint[:])
}

// CertificateByID gives what is known of a certificate.
func (t *Tx) CertificateByID(id int64) (i Identity, found bool, err error) {
	return identityBy(t, `c.id = $1`, id)
}

// SuccessorOf gives the certificate that was signed for a key when another one
// asked for it.
func (t *Tx) SuccessorOf(predecessor int64, key [sha256.Size]byte) (i Identity, found bool, err error) {
	return identityBy(t, `c.predecessor = $1 AND c.key_hash = $2`, predecessor, key[:])
}

func identityBy(r rower, where string, args ...any) (i Identity, found bool, err error) {
	i, err = scanIdentity(r.Row(identityOf+where, args...))
	if errors.Is(err, errNoRows) {
		return i, false, nil
	}
	return i, err == nil, classify(err)
}

// NewestCertificate gives when the newest certificate of any enrolment of a branch
// was signed, zero for none, and the name of its present enrolment, empty for none.
func (t *Tx) NewestCertificate(branch string) (issued time.Time, enrolment string, err error) {
	var at int64
	if err = t.Row(`SELECT COALESCE(MAX(c.issued_at), 0) FROM certificates c JOIN enrolments e ON e.name = c.enrolment WHERE e.branch = $1`, branch).Scan(&at); err != nil {
		return issued, "", err
	}
	err = t.Row(`SELECT name FROM enrolments WHERE branch = $1 AND ended = ''`, branch).Scan(&enrolment)
	if errors.Is(err, errNoRows) {
		err = nil
	}
	return timeOf(at), enrolment, err
}

// EnrolmentNamed gives an enrolment; found is false where there is none.
func (t *Tx) EnrolmentNamed(name string) (e Enrolment, found bool, err error) {
	places, set := e.dest()
	err = t.Row(`SELECT `+enrolmentColumns+` FROM enrolments e WHERE e.name = $1`, name).Scan(places...)
	set()
	if errors.Is(err, errNoRows) {
		return e, false, nil
	}
	return e, err == nil, err
}

// Identities lists the newest certificate of every enrolment that has not ended or
// ended after the time, by branch, the present enrolment first.
func (l *Ledger) Identities(ctx context.Context, since time.Time) ([]Identity, error) {
	var all []Identity
	err := l.reader(ctx).Rows(identityOf+`(e.ended = '' OR e.ended_at > $1)
		AND c.id = (SELECT MAX(n.id) FROM certificates n WHERE n.enrolment = e.name)
		ORDER BY e.branch, CASE WHEN e.ended = '' THEN 0 ELSE 1 END, e.at DESC`, []any{millis(since)}, func(r Row) error {
		i, err := scanIdentity(r)
		all = append(all, i)
		return err
	})
	return all, classify(err)
}

// CopiesSince lists the certificates that were used after a later one since the
// time, the newest first.
func (l *Ledger) CopiesSince(ctx context.Context, since time.Time) ([]Identity, error) {
	var all []Identity
	err := l.reader(ctx).Rows(identityOf+`c.copied_at > $1 ORDER BY c.copied_at DESC, c.id DESC`, []any{millis(since)}, func(r Row) error {
		i, err := scanIdentity(r)
		all = append(all, i)
		return err
	})
	return all, classify(err)
}

// EndedCertificates lists the serial numbers, in hexadecimal, of certificates that
// hold by their date at the time and of which the enrolment has ended or a later
// one was used: what brokers elsewhere must refuse.
func (l *Ledger) EndedCertificates(ctx context.Context, at time.Time) (serials []string, since []time.Time, err error) {
	err = l.reader(ctx).Rows(`SELECT c.serial, e.ended_at, c.issued_at FROM certificates c JOIN enrolments e ON e.name = c.enrolment
		WHERE c.ends_at > $1 AND (e.ended <> '' OR EXISTS (SELECT 1 FROM certificates s
			WHERE s.enrolment = c.enrolment AND s.id > c.id AND s.seen_at > 0)) ORDER BY c.id`, []any{millis(at)}, func(r Row) error {
		var serial string
		var ended, issued int64
		err := r.Scan(&serial, &ended, &issued)
		serials, since = append(serials, serial), append(since, timeOf(max(ended, issued)))
		return err
	})
	return serials, since, classify(err)
}

// EverEnrolled tells whether any certificate was ever signed for a branch.
func (l *Ledger) EverEnrolled(ctx context.Context) (bool, error) {
	var n int64
	err := l.reader(ctx).Row(`SELECT COUNT(*) FROM (SELECT id FROM certificates LIMIT 1) some`).Scan(&n)
	return n > 0, classify(err)
}

// NoEnrolment is what a branch without a present enrolment is refused with, a fault
// of class Data, "not_enrolled".
func NoEnrolment(branch string) error {
	return fault.New(fault.Data, "not_enrolled", "no PC is enrolled as branch %s", branch)
}
