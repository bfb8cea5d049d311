package access

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
)

// tokenPrefix lets a token be found where it was left by mistake.
const tokenPrefix = "blt_"

// Bounds of a token.
const (
	maxTokenName = 60
	maxTokenLife = 2 * 366 * 24 * time.Hour
)

// CodeBadToken is of what is refused about tokens.
const CodeBadToken = "bad_token"

// NewToken makes a token in the person's name, which may do what its scopes say
// and the person may, until ends. Its secret is shown once.
func (a *Access) NewToken(ctx context.Context, p Person, name string, scopes []Right, ends time.Time) (secretText string, err error) {
	name = strings.TrimSpace(name)
	now := a.now()
	switch {
	case name == "" || len(name) > maxTokenName:
		return "", fault.New(fault.Data, CodeBadToken, "a token has a name of 1 to %d letters", maxTokenName).WithHint("say what will use it")
	case !ends.After(now) || ends.Sub(now) > maxTokenLife:
		return "", fault.New(fault.Data, CodeBadToken, "a token holds for at most two years")
	case len(scopes) == 0:
		return "", fault.New(fault.Data, CodeBadToken, "a token without a scope may do nothing").WithHint(fmt.Sprintf("choose of %v", Scopes))
	case p.Elsewhere:
		return "", fault.New(fault.Data, CodeBadToken, "who signs in elsewhere makes no tokens: nobody would tell the hub when they may no longer").
			WithHint("have IT add a person with a password for the program")
	case p.Token != "":
		return "", fault.New(fault.Data, CodeBadToken, "a token makes no tokens").WithHint("sign in as a person")
	}
	var list []string
	for _, s := range scopes {
		if !slices.Contains(Scopes, s) || s != Metrics && !p.May(s) {
			return "", fault.New(fault.Data, CodeBadToken, "you have no %.32q to give", s)
		}
		list = append(list, string(s))
	}
	text, _ := secret()
	text = tokenPrefix + text
	k := ledger.Token{Hash: sha256.Sum256([]byte(text)), UserID: p.ID, Name: name, Scopes: list, CreatedAt: now, EndsAt: ends}
	return text, a.ledger.Write(ctx, func(tx *ledger.Tx) error {
		id, err := tx.AddToken(k)
		if err != nil {
			return err
		}
		return tx.Audit(audit(now, p.Who(), "token made", fmt.Sprintf("token %d", id), name+": "+strings.Join(list, ", ")+", until "+ends.UTC().Format(time.DateOnly)))
	})
}

// RevokeToken ends a token: one's own, or with [People] anybody's.
func (a *Access) RevokeToken(ctx context.Context, p Person, id int64) error {
	all, err := a.ledger.Tokens(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(k ledger.Token) bool { return k.ID == id && (k.UserID == p.ID || p.May(People)) })
	if i < 0 {
		return fault.New(fault.Data, ledger.CodeNoToken, "there is no token %d of yours", id)
	}
	now := a.now()
	return a.ledger.Write(ctx, func(tx *ledger.Tx) error {
		if err := tx.RevokeToken(id, now); err != nil {
			return err
		}
		return tx.Audit(audit(now, p.Who(), "token revoked", fmt.Sprintf("token %d", id), all[i].Name+" of "+all[i].Owner))
	})
}

// Bearer gives the person of a token's secret; nobody where it does not hold.
func (a *Access) Bearer(ctx context.Context, text string) (Person, error) {
	if !strings.HasPrefix(text, tokenPrefix) || len(text) > 100 {
		return Person{}, nil
	}
	k, u, found, err := a.ledger.TokenOf(ctx, sha256.Sum256([]byte(text)))
	now := a.now()
	if err != nil || !found || u.Disabled || u.OneTime || !now.Before(k.EndsAt) {
		return Person{}, err
	}
	if now.Sub(k.UsedAt) >= seenEvery {
		if err := a.ledger.Write(ctx, func(tx *ledger.Tx) error { return tx.UsedToken(k.ID, now) }); err != nil {
			return Person{}, err
		}
	}
	p := personOf(&u)
	p.Token = k.Name
	for _, s := range k.Scopes {
		p.scopes = append(p.scopes, Right(s))
	}
	return p, nil
}
