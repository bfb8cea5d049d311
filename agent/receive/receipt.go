package receive

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"slices"
	"time"

	"branchline/agent/counter"
	"branchline/agent/outbox"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/ui"
)

const (
	// receiptSpace is where the outbox keeps receipts, by their groups.
	receiptSpace = "receipts"
	// keepReceipts is how long they are kept.
	keepReceipts = 7 * 24 * time.Hour
	// maxReceipt bounds one, packed and unpacked.
	maxReceipt, maxUnpacked = 1 << 20, 16 << 20
)

// receipt is what was confirmed.
type receipt struct{ counter.Receipt }

func (s *Session) receipt(k *knowledge, by string, at time.Time) counter.Receipt {
	return counter.Receipt{View: s.view(k), Group: s.ID, By: by, ConfirmedAt: at}
}

func (r *receipt) words() string {
	return nouns[r.Purpose] + " " + r.Document.Ref + " (" + ui.Many(r.Work.Entries, "line", "lines") + ")"
}

// place notes where the movements are. What had been recorded before this
// session is elsewhere.
func (r *receipt) place(list []*movement.Movement, places []outbox.Place) {
	for i, p := range places {
		switch {
		case p.Known && list[i].Group.ID == "":
		case r.Epoch == "":
			r.Epoch, r.First, r.Through = p.Epoch, p.Seq, p.Seq
		case p.Epoch == r.Epoch:
			r.First, r.Through = min(r.First, p.Seq), max(r.Through, p.Seq)
		}
	}
}

// placeEntries notes where the movement of each scan is; of tells which it is, by
// the scan's number. A place in another epoch is left out.
func (r *receipt) placeEntries(of map[int]int, places []outbox.Place) {
	for i := range r.Lines {
		for j := range r.Lines[i].Entries {
			e := &r.Lines[i].Entries[j]
			if at, ok := of[e.Number]; ok && at < len(places) && places[at].Epoch == r.Epoch {
				e.Seq = places[at].Seq
			}
		}
	}
}

// note is the receipt as it is kept. One that is too large is kept without its
// single scans.
func (r *receipt) note() (outbox.Note, error) {
	for range 2 {
		value, err := r.pack()
		if err != nil {
			return outbox.Note{}, err
		}
		if len(value) <= maxReceipt {
			return outbox.Note{Space: receiptSpace, Key: r.Group, Value: value}, nil
		}
		r.Lines = slices.Clone(r.Lines)
		for i := range r.Lines {
			r.Lines[i].Entries = nil
		}
	}
	return outbox.Note{}, fault.New(fault.Data, "receipt_too_large", "the receipt of %s is too large to be kept", r.Group)
}

// pack writes what stands in the list of receipts as a line of JSON, and after
// it the whole, compressed.
func (r *receipt) pack() ([]byte, error) {
	var b bytes.Buffer
	head := r.Receipt
	head.Lines, head.Notices, head.Kept = nil, nil, nil
	if err := json.NewEncoder(&b).Encode(head); err != nil {
		return nil, err
	}
	z := gzip.NewWriter(&b)
	if err := json.NewEncoder(z).Encode(r.Receipt); err != nil {
		return nil, err
	}
	err := z.Close()
	return b.Bytes(), err
}

// head reads what stands in the list.
func head(value []byte) (r counter.Receipt, err error) {
	line, _, _ := bytes.Cut(value, []byte("\n"))
	return r, json.Unmarshal(line, &r)
}

func unpack(value []byte) (r counter.Receipt, err error) {
	_, packed, _ := bytes.Cut(value, []byte("\n"))
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return r, err
	}
	err = json.NewDecoder(io.LimitReader(z, maxUnpacked)).Decode(&r)
	return r, err
}

// closing are the notes that end a session: it goes, its receipt comes, and
// receipts that are old enough go.
func (d *Desk) closing(s *Session, r receipt) ([]outbox.Note, error) {
	notes := s.gone()
	for n, err := range d.Store.Notes(receiptSpace, "") {
		if err != nil {
			return nil, err
		}
		if old, err := head(n.Value); err != nil || r.ConfirmedAt.Sub(old.ConfirmedAt) > keepReceipts {
			notes = append(notes, outbox.Note{Space: receiptSpace, Key: n.Key})
		}
	}
	if note, err := r.note(); err == nil {
		notes = append(notes, note)
	} else {
		d.Log.Warn("a receipt is not kept", "session", s.ID, "err", err)
	}
	return notes, nil
}

// keep writes a receipt anew, with the places of its movements.
func (d *Desk) keep(ctx context.Context, r receipt) error {
	note, err := r.note()
	if err != nil {
		return err
	}
	_, err = d.Store.Append(ctx, outbox.Write{Notes: []outbox.Note{note}})
	return err
}

// Receipt is what was confirmed, by its group or session; it is kept for a
// week.
func (d *Desk) Receipt(id string) (counter.Receipt, error) {
	value, err := d.Store.Note(receiptSpace, id)
	if err != nil {
		return counter.Receipt{}, err
	}
	if value == nil {
		return counter.Receipt{}, fault.New(fault.Data, "no_receipt", "there is no receipt %.120q here", id).
			WithHint("receipts are kept for a week; what was confirmed is at the hub")
	}
	return unpack(value)
}

// Receipts lists what was confirmed within the last week, the newest first,
// without the lines. What cannot be read is left out.
func (d *Desk) Receipts() []counter.Receipt {
	var list []counter.Receipt
	for n, err := range d.Store.Notes(receiptSpace, "") {
		if err != nil {
			d.Log.Error("receipts cannot be read", "err", err)
			break
		}
		if r, err := head(n.Value); err == nil {
			list = append(list, r)
		}
	}
	slices.SortStableFunc(list, func(a, b counter.Receipt) int { return b.ConfirmedAt.Compare(a.ConfirmedAt) })
	return list
}
