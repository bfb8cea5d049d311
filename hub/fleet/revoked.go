package fleet

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/disk"
	"branchline/internal/fault"
	"branchline/internal/trust"
)

// A revocation must outlive the ledger: one that is put back from a backup of before
// would let a stolen PC in again. So the enrolments that were revoked stand beside the
// authority, too, which is not put back with it.

// revokedFile is in the authority's folder: an enrolment and when it was revoked, a line
// each.
const revokedFile = "revoked"

// maxRevoked bounds the file, in bytes: some 20,000 revocations.
const maxRevoked = 1 << 20

type revocations struct {
	path string
	mu   sync.Mutex
	at   map[string]time.Time
}

// openRevocations reads the file; lines that are none are left out.
func openRevocations(path string) (*revocations, error) {
	r := &revocations{path: path, at: map[string]time.Time{}}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, fault.New(fault.Setup, "authority_folder", "the list of revoked PCs cannot be read: %w", err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(io.LimitReader(f, maxRevoked)); lines.Scan(); {
		name, stamp, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		if at, err := time.Parse(time.RFC3339, stamp); err == nil && trust.ValidEnrolment(name) {
			r.at[name] = at
		}
	}
	return r, nil
}

// add writes enrolments down before it returns.
func (r *revocations) add(names []string, at time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := maps.Clone(r.at)
	for _, n := range names {
		all[n] = at
	}
	var text bytes.Buffer
	for _, n := range slices.SortedFunc(maps.Keys(all), func(a, b string) int { return all[b].Compare(all[a]) }) {
		line := fmt.Sprintf("%s %s\n", n, all[n].UTC().Format(time.RFC3339))
		if text.Len()+len(line) > maxRevoked {
			break // the oldest: their certificates have ended long ago
		}
		text.WriteString(line)
	}
	if err := disk.Replace(r.path, text.Bytes()); err != nil {
		return fault.New(fault.Setup, "authority_folder", "the list of revoked PCs cannot be written: %w", err).
			WithHint("look at the disk and the rights of " + r.path + ", then revoke it again")
	}
	r.at = all
	return nil
}

func (r *revocations) of(enrolment string) (at time.Time, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok = r.at[enrolment]
	return at, ok
}

// stillRevoked ends an enrolment that was revoked and of which the ledger does not know
// that any more, since it was put back from a backup.
func (f *Fleet) stillRevoked(ctx context.Context, i *ledger.Identity) error {
	e := &i.Enrolment
	at, revoked := f.revoked.of(e.Name)
	if !revoked || e.Ended != "" {
		return nil
	}
	now := f.Now().UTC()
	const why = "it was revoked before the ledger was put back from a backup"
	err := f.Ledger.Write(ctx, func(tx *ledger.Tx) error {
		if _, err := tx.EndEnrolment(e.Name, ledger.EnrolmentRevoked, "hub", why, now); err != nil {
			return err
		}
		return tx.Audit(audit(now, "hub", "revoked", e.Branch, why+", on "+stamp(at)))
	})
	if err == nil {
		e.Ended, e.EndedAt, e.EndedBy, e.Why = ledger.EnrolmentRevoked, now, "hub", why
		f.Log.Warn("a PC that was revoked before the ledger was put back is refused", "branch", e.Branch)
	}
	return err
}
