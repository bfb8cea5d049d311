package movement

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"branchline/internal/fault"
)

// Bounds of a record, in bytes. They keep the largest record under
// [MaxRecord].
const (
	MaxRecord     = 16 << 10
	MaxRaw        = 1024
	maxCode       = 64
	maxLot        = 64
	maxShort      = 32
	maxName       = 128
	maxText       = 500
	maxGroupSize  = 5000
	maxFormLine   = 999
	maxNaturalKey = 200
)

var (
	reasonForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	hexForm    = regexp.MustCompile(`^([0-9a-f]{2})*$`)
	formForm   = regexp.MustCompile(`^[0-9A-Z]{4,24}$`)
)

// Validate tells the first thing that is wrong with m as a fault of class Data
// and code "invalid_movement", naming the field by its JSON name and the
// value. A movement with a [Problem] needs no product, kind or quantity, and one
// that dismisses another has none.
func (m *Movement) Validate() error {
	for _, c := range []struct {
		field, value string
		max          int
	}{
		{"product.code", m.Product.Code, maxCode},
		{"lot", m.Lot, maxLot},
		{"expiry_raw", m.ExpiryRaw, maxShort},
		{"serial", m.Serial, maxLot},
		{"unit", m.Unit, maxName},
		{"document.ref", m.Document.Ref, maxName},
		{"counterpart", m.Counterpart, maxShort},
		{"reason", m.Reason, maxText},
		{"natural_key", m.NaturalKey, maxNaturalKey},
		{"source.adapter", m.Source.Adapter, maxName},
		{"source.file", m.Source.File, 255},
		{"source.raw", m.Source.Raw, MaxRaw},
		{"source.raw_hex", m.Source.RawHex, 2 * MaxRaw},
		{"by", m.By, maxShort},
		{"group.id", m.Group.ID, maxName},
		{"settles.key", m.Settles.Key, maxNaturalKey},
		{"settles.why", m.Settles.Why, maxText},
		{"paper.typed_by", m.Paper.TypedBy, maxShort},
	} {
		if err := checkText(c.field, c.value, c.max); err != nil {
			return err
		}
	}
	if m.Source.RawHex != "" && !hexForm.MatchString(m.Source.RawHex) {
		return invalid("source.raw_hex", m.Source.RawHex, "is not hexadecimal")
	}
	if m.Source.Line < 0 {
		return invalid("source.line", m.Source.Line, "counts from 1")
	}
	if err := checkTime("occurred_at", m.OccurredAt); err != nil {
		return err
	}
	if err := checkTime("recorded_at", m.RecordedAt); err != nil {
		return err
	}
	if m.Document != (Document{}) {
		if !slices.Contains(DocumentTypes, m.Document.Type) {
			return invalid("document.type", m.Document.Type, "is not a type of document")
		}
		if m.Document.Ref == "" {
			return invalid("document.ref", "", "is missing")
		}
	}
	if m.Group != (Group{}) {
		if m.Group.ID == "" {
			return invalid("group.id", "", "is missing")
		}
		if m.Group.Size < 1 || m.Group.Size > maxGroupSize {
			return invalid("group.size", m.Group.Size, fmt.Sprintf("must be 1 to %d", maxGroupSize))
		}
	}
	if m.Expiry != (Date{}) {
		if _, err := NewDate(int(m.Expiry.Year), int(m.Expiry.Month), int(m.Expiry.Day)); err != nil {
			return invalid("expiry", m.Expiry, "is not a calendar date")
		}
	}
	if m.Quantity > MaxQuantity || m.Quantity < -MaxQuantity {
		return invalid("quantity", m.Quantity, "is out of range")
	}
	if m.Paper != (Paper{}) {
		if err := m.Paper.validate(); err != nil {
			return err
		}
	}
	if m.Settles != (Settlement{}) {
		if err := m.validateSettlement(); err != nil || m.Settles.Dismissed {
			return err
		}
	}
	if m.Problem != nil {
		return m.Problem.validate()
	}
	return m.validateUnderstood()
}

// validateUnderstood checks what only a movement without a problem must have.
func (m *Movement) validateUnderstood() error {
	if !slices.Contains(Kinds, m.Kind) {
		return invalid("kind", m.Kind, "is not a kind of movement")
	}
	if !slices.Contains(Schemes, m.Product.Scheme) {
		return invalid("product.scheme", m.Product.Scheme, "is not a scheme of product codes")
	}
	if m.Product.Code == "" {
		return invalid("product.code", "", "is missing")
	}
	if m.Product.Scheme == GTIN && (len(m.Product.Code) != 14 || !allDigits(m.Product.Code)) {
		return invalid("product.code", m.Product.Code, "is not a GTIN of 14 digits")
	}
	switch {
	case m.Kind == Adjustment && m.Quantity == 0:
		return invalid("quantity", m.Quantity, "must not be zero")
	case m.Kind == Count && m.Quantity < 0:
		return invalid("quantity", m.Quantity, "must not be negative")
	case m.Kind != Adjustment && m.Kind != Count && m.Quantity <= 0:
		return invalid("quantity", m.Quantity, "must be positive")
	}
	transfer := m.Kind == TransferOut || m.Kind == TransferIn
	if transfer && !ValidBranch(m.Counterpart) {
		return invalid("counterpart", m.Counterpart, "does not name the other branch of the transfer")
	}
	if !transfer && m.Counterpart != "" {
		return invalid("counterpart", m.Counterpart, "belongs to transfers only")
	}
	return nil
}

// validateSettlement checks what a person's word about an earlier capture must
// have.
func (m *Movement) validateSettlement() error {
	switch {
	case m.Settles.Key == "":
		return invalid("settles.key", "", "is missing")
	case m.Settles.Key == m.NaturalKey:
		return invalid("settles.key", m.Settles.Key, "is the record's own")
	case strings.TrimSpace(m.Settles.Why) == "":
		return invalid("settles.why", m.Settles.Why, "is missing")
	case strings.TrimSpace(m.By) == "":
		return invalid("by", m.By, "is missing, who decided")
	case m.Problem != nil:
		return invalid("problem.code", m.Problem.Code, "cannot be in a record that settles another")
	case m.Settles.Dismissed && m.Kind != "":
		return invalid("kind", m.Kind, "cannot be in a record by which nothing is moved")
	case m.Settles.Dismissed && m.Product != (Product{}):
		return invalid("product.code", m.Product.Code, "cannot be in a record by which nothing is moved")
	case m.Settles.Dismissed && m.Quantity != 0:
		return invalid("quantity", m.Quantity, "cannot be in a record by which nothing is moved")
	}
	return nil
}

func (p *Paper) validate() error {
	switch {
	case !formForm.MatchString(p.Form):
		return invalid("paper.form", p.Form, "is not the number of a form")
	case p.Line < 1 || p.Line > maxFormLine:
		return invalid("paper.line", p.Line, fmt.Sprintf("must be 1 to %d", maxFormLine))
	case p.TypedBy == "":
		return invalid("paper.typed_by", "", "is missing")
	}
	return nil
}

func (p *Problem) validate() error {
	if !reasonForm.MatchString(p.Code) {
		return invalid("problem.code", p.Code, "is not a reason code")
	}
	if err := checkText("problem.field", p.Field, maxName); err != nil {
		return err
	}
	if p.Text == "" {
		return invalid("problem.text", "", "is missing")
	}
	return checkText("problem.text", p.Text, maxText)
}

func checkText(field, value string, limit int) error {
	if len(value) > limit {
		return invalid(field, value, fmt.Sprintf("is longer than %d bytes", limit))
	}
	if !utf8.ValidString(value) {
		return invalid(field, value, "is not UTF-8")
	}
	return nil
}

func checkTime(field string, t time.Time) error {
	if y := t.Year(); y < 2000 || y > 2199 {
		return invalid(field, t.Format(time.RFC3339), "is not in the years 2000 to 2199")
	}
	if _, offset := t.Zone(); offset%60 != 0 || offset <= -24*3600 || offset >= 24*3600 {
		return invalid(field, t.Format(time.RFC3339), "has no offset of whole minutes")
	}
	return nil
}

func invalid(field string, value any, why string) error {
	return fault.New(fault.Data, "invalid_movement", "%s %q %s", field, clip(fmt.Sprint(value), 64), why)
}
