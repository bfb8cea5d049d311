package receive

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"branchline/agent/counter"
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/feed"
	"branchline/internal/movement"
)

// transfer tells whether goods go to, or come from, another branch.
func transfer(p scan.Purpose) bool { return p == scan.TransferOut || p == scan.TransferIn }

func direction(p scan.Purpose) string {
	if p == scan.TransferIn {
		return "from"
	}
	return "to"
}

// A transfer has the number that its sender gives it, and that lies in the box
// as a barcode: "BR01/BR02/T261123-221501", from, to and when it was begun. Both
// branches record theirs under it, the one that goods left, the other that they
// came: in Odoo they are in transit between, and each half counts once.
var numberForm = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9_-]{0,31})/([A-Za-z0-9][A-Za-z0-9_-]{0,31})/T[0-9]{6}-[0-9]{6}$`)

// TransferOf tells from and to of a transfer's number; ok is false for any other
// text.
func TransferOf(text string) (from, to string, ok bool) {
	m := numberForm.FindStringSubmatch(text)
	if m == nil || !printable(text) {
		return "", "", false
	}
	return m[1], m[2], true
}

// numbered is the document of a transfer that is begun now; one without a number
// where the branches' codes are too long for any. d.mu is held.
func (d *Desk) numbered(to string, at time.Time) (doc movement.Document) {
	taken := func(doc movement.Document) bool {
		return slices.ContainsFunc(d.sessions, func(s *Session) bool { return s.Document == doc }) ||
			slices.ContainsFunc(d.Receipts(), func(r counter.Receipt) bool { return r.Document == doc })
	}
	for ; ; at = at.Add(time.Second) {
		ref := d.Branch + "/" + to + "/T" + at.Format("060102-150405")
		if _, _, ok := TransferOf(ref); !ok {
			return movement.Document{}
		}
		if doc = (movement.Document{Type: "transfer", Ref: ref}); !taken(doc) {
			return doc
		}
	}
}

// Branches lists the other branches, by their codes.
func (d *Desk) Branches() []feed.Branch { return d.Reference.Branches() }

func (d *Desk) branch(code string) feed.Branch { return branchOf(d.Reference, code) }

func branchOf(r Reference, code string) feed.Branch {
	list := r.Branches()
	if i := slices.IndexFunc(list, func(b feed.Branch) bool { return b.Code == code }); i >= 0 {
		return list[i]
	}
	return feed.Branch{Code: code}
}

// OpenTransfer begins a transfer to, or from, another branch. The station leaves
// the one of the same purpose that it worked on, which stays open.
func (d *Desk) OpenTransfer(ctx context.Context, p scan.Purpose, branch, station string) (string, scan.Answer, error) {
	if !transfer(p) {
		return "", scan.Answer{}, fault.New(fault.Data, "not_here", "%.40q is no transfer", string(p))
	}
	if station == "" || typed("station", station, 128) != nil {
		return "", scan.Answer{}, fault.New(fault.Data, "bad_station", "%.40q is no station", station)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.begin(ctx, p, branch, station, d.Now())
}

// begin is OpenTransfer with d.mu held.
func (d *Desk) begin(ctx context.Context, p scan.Purpose, branch, station string, at time.Time) (string, scan.Answer, error) {
	if !slices.ContainsFunc(d.Branches(), func(b feed.Branch) bool { return b.Code == branch }) {
		return "", scan.Answer{}, fault.New(fault.Data, "unknown_branch", "%.40q is not among the branches that the hub has told of", branch).
			WithHint("choose the branch from the list; a new one comes with the next word of the hub")
	}
	var doc movement.Document
	if p == scan.TransferOut {
		doc = d.numbered(branch, at)
	}
	return d.join(ctx, p, doc, branch, station, at)
}

// openTransfer begins or joins the transfer with a number; what this branch sends
// has one only once it is begun. d.mu is held.
func (d *Desk) openTransfer(ctx context.Context, p scan.Purpose, doc movement.Document, station string) (string, scan.Answer, error) {
	no := func(hint, code, format string, args ...any) (string, scan.Answer, error) {
		return "", scan.Answer{}, fault.New(fault.Data, code, format, args...).WithHint(hint)
	}
	from, to, ok := TransferOf(doc.Ref)
	switch {
	case doc.Ref == "":
		return no("choose it on the page, or scan its barcode on the sheet", "no_branch", "nobody has said which branch it is %s", direction(p))
	case doc.Type != "transfer" || !ok:
		return no("it stands on the paper in the box", "bad_document", "%.70q is not the number of a transfer", doc.Ref)
	}
	if slices.ContainsFunc(d.sessions, func(s *Session) bool { return s.Purpose == p && s.Document == doc }) {
		return d.join(ctx, p, doc, from, station, d.Now())
	}
	switch {
	case p == scan.TransferOut:
		return no("begin another one by choosing the branch", "no_session", "%s is not open: it was confirmed or thrown away", doc.Ref)
	case from == d.Branch:
		return no("scan it where the goods arrive; what comes back is a transfer of the branch that sends it back", "own_transfer", "%s was sent by this branch", doc.Ref)
	}
	again := slices.ContainsFunc(d.Receipts(), func(r counter.Receipt) bool {
		return r.Purpose == p && r.Document == doc && r.Thrown == ""
	})
	id, a, err := d.join(ctx, p, doc, from, station, d.Now())
	switch {
	case err != nil:
	case again:
		a.Sound, a.Code = scan.Warn, "transfer_received"
		a.Text += ", but it was taken in here before: scan only what was not counted then"
	case to != d.Branch:
		a.Sound, a.Code = scan.Warn, "other_branch"
		a.Text += ", but it was sent to " + d.branch(to).Words()
	}
	return id, a, err
}

// ofTransfer does what a scan means for transfers alone. done is false for what is
// scanned of goods, and for all other commands; then the scan has the other branch
// of the session. d.mu is held.
func (d *Desk) ofTransfer(ctx context.Context, sc *scan.Scan, s *Session, text string) (a scan.Answer, done bool, err error) {
	code, named := strings.CutPrefix(text, scan.Other)
	from, _, slip := TransferOf(text)
	switch {
	case slip && sc.Purpose != scan.TransferIn:
		return refused(fault.New(fault.Data, "transfer_number", "%s is a transfer of %s, and this scan is for something else", text, d.branch(from).Words()).
			WithHint("open Transfer, Take in, and scan it there")), true, nil
	case !transfer(sc.Purpose):
		return a, false, nil
	case s == nil && !slip && !named && sc.Counterpart == "":
		return refused(fault.New(fault.Data, "no_branch", "not counted: nobody has said which branch it is %s", direction(sc.Purpose)).
			WithHint("choose it on the page, or scan its barcode on the sheet, then scan this again")), true, nil
	case s != nil && !slip && !named:
		sc.Counterpart = cmp.Or(s.Counterpart, sc.Counterpart)
		return a, false, nil
	case !slip && !named:
		return a, false, nil
	case s != nil && (named && s.Counterpart == code || slip && s.Document.Ref == text):
		d.letGo(sc.Station, sc.Purpose)
		return d.opened(s), true, nil
	case s != nil:
		return d.anotherOpen(sc, s, text), true, nil
	case slip:
		_, a, err = d.openTransfer(ctx, sc.Purpose, movement.Document{Type: "transfer", Ref: text}, sc.Station)
	default:
		_, a, err = d.begin(ctx, sc.Purpose, code, sc.Station, sc.At)
	}
	if err != nil {
		d.hold(sc, text)
		a, err = sayNo(err)
	}
	return a, true, err
}
