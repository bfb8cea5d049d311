package dispense

import (
	"bytes"
	"errors"
	"strings"
	"time"

	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/productcode"
)

// layout is one way in which times are written.
type layout struct {
	form    string // as configured
	layout  string // of package time
	monthly bool   // without a day
}

// parts are what a form is made of, each with what stands for it in package
// time, and the longer ones first. A form has at most one of each line.
var parts = [][]struct{ sign, layout string }{
	{{"YYYY", "2006"}, {"YY", "06"}},
	{{"MM", "01"}, {"M", "1"}},
	{{"DD", "02"}, {"D", "2"}},
	{{"HH", "15"}},
	{{"mm", "04"}},
	{{"ss", "05"}},
	{{"ZZ:ZZ", "Z07:00"}, {"ZZZZ", "Z0700"}},
}

const (
	partYear = iota
	partMonth
	partDay
	partHour
	partMinute
	partSecond
)

func newLayout(form string, needDay bool) (layout, error) {
	l := layout{form: form}
	if len(form) > 32 {
		return l, errFormat
	}
	var has [8]bool
	for rest := form; rest != ""; {
		part, sign, written := partOf(rest)
		switch {
		case part < 0 && strings.IndexByte(" .-/:T,", rest[0]) < 0, part >= 0 && has[part]:
			return l, errFormat
		case part < 0:
			sign, written = rest[:1], rest[:1]
		default:
			has[part] = true
		}
		l.layout += written
		rest = rest[len(sign):]
	}
	l.monthly = !has[partDay]
	if !has[partYear] || !has[partMonth] || needDay && l.monthly || has[partMinute] && !has[partHour] || has[partSecond] && !has[partMinute] {
		return l, errFormat
	}
	if !l.sound(has[partDay], has[partHour], has[partMinute], has[partSecond]) {
		return l, errFormat
	}
	return l, nil
}

func partOf(s string) (part int, sign, written string) {
	for i, forms := range parts {
		for _, f := range forms {
			if strings.HasPrefix(s, f.sign) {
				return i, f.sign, f.layout
			}
		}
	}
	return -1, "", ""
}

// sound tells whether what the layout writes reads as the same time again, for
// months, days and hours of one digit and of two.
func (l *layout) sound(day, hour, minute, second bool) bool {
	only := func(has bool, n, otherwise int) int {
		if has {
			return n
		}
		return otherwise
	}
	for month := 1; month <= 12; month++ {
		for _, d := range []int{1, 2, 3, 10, 11, 12, 21, 22, 28} {
			at := time.Date(2026, time.Month(month), only(day, d, 1), only(hour, d%24, 0), only(minute, d+20, 0), only(second, d+30, 0), 0, time.UTC)
			if back, err := time.Parse(l.layout, at.Format(l.layout)); err != nil || !back.Equal(at) {
				return false
			}
		}
	}
	return true
}

// parseTime reads s by the layouts. Where two of them read it as different
// times, nothing says which is meant, and it is refused.
func parseTime(s string, list []layout, loc *time.Location) (t time.Time, monthly bool, err error) {
	found := false
	for i := range list {
		v, err := time.ParseInLocation(list[i].layout, s, loc)
		if err != nil {
			continue
		}
		if found && !v.Equal(t) {
			return t, false, fault.New(fault.Data, "ambiguous_date", "%.40q can be read as %s and as %s",
				shown(s), t.Format(time.DateTime), v.Format(time.DateTime))
		}
		t, monthly, found = v, list[i].monthly, true
	}
	if !found {
		return t, false, fault.New(fault.Data, "bad_date", "%.40q is not a time of the form %s", shown(s), list[0].form)
	}
	return t, monthly, nil
}

// parseExpiry reads an expiry; one without a day is the last day of its month.
func parseExpiry(s string, list []layout) (movement.Date, error) {
	t, monthly, err := parseTime(s, list, time.UTC)
	if err != nil {
		return movement.Date{}, err
	}
	if monthly {
		t = t.AddDate(0, 1, -1)
	}
	d, err := movement.NewDate(t.Year(), int(t.Month()), t.Day())
	if err != nil {
		return d, fault.New(fault.Data, "bad_date", "%.40q is not an expiry: %w", shown(s), err)
	}
	return d, nil
}

// parseQuantity reads an amount. b may be changed.
func parseQuantity(b []byte, decimal byte) (movement.Quantity, error) {
	text := b
	if decimal == ',' {
		if bytes.IndexByte(b, '.') >= 0 {
			return 0, badQuantity(b)
		}
		if i := bytes.IndexByte(b, ','); i >= 0 {
			text = bytes.Clone(b)
			text[i] = '.'
		}
	}
	q, err := movement.ParseQuantity(string(text))
	switch {
	case err != nil:
		return 0, badQuantity(b)
	case q == 0:
		return 0, fault.New(fault.Data, "zero_quantity", "quantity %.40q is nothing at all", shown(b))
	}
	return q, nil
}

func badQuantity(b []byte) error {
	if len(b) == 0 {
		return fault.New(fault.Data, "bad_quantity", "the quantity is missing")
	}
	if shown(b) == NotKept {
		return fault.New(fault.Data, "bad_quantity", "the quantity is words, which are not kept, and no number")
	}
	return fault.New(fault.Data, "bad_quantity", "quantity %.40q is not a number as the mapping expects it", shown(b))
}

// parseProduct gives the code in the form by which it is compared, and its
// scheme.
func parseProduct(b []byte, schemes []movement.Scheme, scratch []byte) (movement.Scheme, []byte, error) {
	if len(b) == 0 {
		return "", nil, fault.New(fault.Data, "missing_product", "the product code is missing")
	}
	if len(schemes) == 1 {
		code, err := normal(schemes[0], b, scratch)
		return schemes[0], code, err
	}
	var scheme movement.Scheme
	var code []byte
	for _, s := range schemes {
		c, err := normal(s, b, nil)
		if err != nil {
			continue
		}
		if scheme != "" {
			return "", nil, fault.New(fault.Data, "ambiguous_product", "%.40q can be %s and %s", b, scheme, s).
				WithHint("map one scheme for this column")
		}
		scheme, code = s, c
	}
	if scheme == "" {
		return "", nil, fault.New(fault.Data, "unknown_scheme", "%.40q is a code of none of the schemes %v", b, schemes)
	}
	return scheme, code, nil
}

// normal is a code in the form by which codes are compared.
func normal(s movement.Scheme, b, scratch []byte) ([]byte, error) {
	code, err := productcode.Append(scratch[:0], s, b)
	return code, fromFile(err)
}

// fromFile gives a code's fault the way out that there is for a row: it was
// not scanned here and cannot be scanned again.
func fromFile(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	c := *f
	c.Hint = "compare the code with the system that wrote the file"
	return &c
}
