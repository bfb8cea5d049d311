package fleet

import (
	"context"
	"fmt"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/trust"
)

// Issued is a code that was made. Text is told to a person once; the hub itself
// keeps only a hash of it.
type Issued struct {
	Branch string    `json:"branch"`
	Text   string    `json:"code"`
	Ends   time.Time `json:"ends"`
}

// maxIssued bounds how many codes are made at once.
const maxIssued = 5000

// AddCodes makes a code for each of the branches, all or none. Codes that the
// branches have and nobody has used end. What is wrong is a fault of class Data.
func (f *Fleet) AddCodes(ctx context.Context, who string, branches []string) ([]Issued, error) {
	switch {
	case who == "":
		return nil, fault.New(fault.Data, "incomplete_decision", "who makes the code is missing")
	case len(branches) == 0 || len(branches) > maxIssued:
		return nil, fault.New(fault.Data, "bad_request", "codes are made for 1 to %d branches at a time", maxIssued)
	}
	now := f.Now().UTC()
	all := make([]Issued, 0, len(branches))
	sums := make([][32]byte, 0, len(branches))
	seen := map[string]bool{}
	for _, b := range branches {
		if !f.known[b] {
			return nil, fault.New(fault.Data, trust.CodeNotConfigured, "there is no branch %.40q", b).WithHint("put it into hub.yaml and start the hub again")
		}
		if seen[b] {
			return nil, fault.New(fault.Data, "bad_request", "branch %s is named twice", b)
		}
		seen[b] = true
		c := trust.NewCode(f.Authority.Pin())
		all = append(all, Issued{Branch: b, Text: c.Reveal(), Ends: now.Add(f.Config.CodeLife)})
		sums = append(sums, c.Secret.Sum())
	}
	err := f.Ledger.Write(ctx, func(tx *ledger.Tx) error {
		for i, c := range all {
			withdrawn, err := tx.WithdrawCodes(c.Branch, now)
			if err != nil {
				return err
			}
			if _, err := tx.AddCode(ledger.EnrolmentCode{Hash: sums[i], Branch: c.Branch, MadeBy: who, MadeAt: now, EndsAt: c.Ends}); err != nil {
				return err
			}
			detail := "until " + stamp(c.Ends)
			if withdrawn > 0 {
				detail += fmt.Sprintf("; %d before it ended", withdrawn)
			}
			if err := tx.Audit(audit(now, who, "enrolment code made", c.Branch, detail)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}
