package fleet

import (
	"context"
	"fmt"
	"strings"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/killpoint"
)

// Revoke ends what lets a branch in: its PC's certificates and its codes. Its open
// connection is cut. A missing name or reason is a fault of class Data.
func (f *Fleet) Revoke(ctx context.Context, who, branch, why string) error {
	why = strings.TrimSpace(why)
	if who == "" || why == "" || len(why) > 500 {
		return fault.New(fault.Data, "incomplete_decision", "to revoke a branch's PC takes a name and a word why")
	}
	now := f.Now().UTC()
	err := f.Ledger.Write(ctx, func(tx *ledger.Tx) error {
		codes, err := tx.WithdrawCodes(branch, now)
		if err != nil {
			return err
		}
		_, present, err := tx.NewestCertificate(branch)
		if err != nil {
			return err
		}
		ended, err := tx.EndEnrolments(branch, ledger.EnrolmentRevoked, who, why, now)
		if err != nil {
			return err
		}
		if ended+codes == 0 {
			return ledger.NoEnrolment(branch)
		}
		detail := why
		if ended == 0 {
			detail += fmt.Sprintf(" (only %d open code)", codes)
		}
		if err := tx.Audit(audit(now, who, "revoked", branch, detail)); err != nil {
			return err
		}
		if present != "" { // before it is done: a PC that is refused too early can be enrolled anew
			if err := f.revoked.add([]string{present}, now); err != nil {
				return err
			}
		}
		killpoint.Here("fleet.before-commit")
		return nil
	})
	if err != nil {
		return err
	}
	f.Log.Warn("the branch's PC is revoked", "branch", branch)
	f.tellChanged()
	return nil
}

// Takeovers in so short a time are two PCs that push each other out.
const (
	turnsMany = 3
	turnsIn   = 10 * time.Minute
)

// TookOver is told that a connection of a branch took the place of one that was
// open.
func (f *Fleet) TookOver(branch string) {
	now := f.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.turns[branch]
	for len(all) > 0 && now.Sub(all[0]) > turnsIn {
		all = all[1:]
	}
	if len(all) >= turnsMany {
		all = all[1:]
	}
	f.turns[branch] = append(all, now)
}

// fighting tells whether connections of a branch keep taking each other's place.
func (f *Fleet) fighting(branch string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.turns[branch]
	return len(all) >= turnsMany && now.Sub(all[0]) <= turnsIn
}
