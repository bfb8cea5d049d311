package hibc

import (
	"strconv"
	"strings"
	"time"

	"branchline/internal/fault"
	"branchline/internal/gs1"
)

// maxLot is the longest lot or serial (standard 2.3).
const maxLot = 18

type reader struct {
	Code
	now time.Time
}

// secondary reads the second data structure (standard 2.3, table 2), without
// flag character, link and check character:
//
//	YYJJJ lot          expiry by day of the year
//	$ lot              $+ serial
//	$$ [quantity] date lot, $$+ date serial
//
// quantity is 8 and two digits or 9 and five; date is MMYY, or a flag and
// 2 MMDDYY, 3 YYMMDD, 4 YYMMDDHH, 5 YYJJJ, 6 YYJJJHH; flag 7 is no date.
func (r *reader) secondary(s string) error {
	if digit(s[0]) {
		if len(s) < 5 || !digits(s[:5]) {
			return refuse(gs1.CodeTooShort, "the expiry YYJJJ of the HIBC code is not whole: %.40q", s)
		}
		if err := r.expires(yearDay, s[:5]); err != nil {
			return err
		}
		return r.lot(s[5:])
	}
	rest, dated := strings.CutPrefix(s, "$$")
	if !dated {
		rest = s[1:]
	}
	rest, serial := strings.CutPrefix(rest, "+")
	if dated {
		var err error
		if rest, err = r.quantityAndDate(rest, serial); err != nil {
			return err
		}
	}
	if serial {
		return r.serial(rest)
	}
	return r.lot(rest)
}

func (r *reader) quantityAndDate(s string, serial bool) (rest string, err error) {
	if s == "" {
		return "", refuse(gs1.CodeTooShort, "the second HIBC code ends behind $$")
	}
	if s[0] == '8' || s[0] == '9' {
		n := 2
		if s[0] == '9' {
			n = 5
		}
		switch {
		case serial:
			return "", refuse(gs1.CodeConflict, "the HIBC code gives one serial to a quantity")
		case len(s) < 1+n || !digits(s[1:1+n]):
			return "", refuse(gs1.CodeTooShort, "the quantity of the HIBC code is not whole: %.40q", s)
		}
		if err := r.counts(s[1 : 1+n]); err != nil {
			return "", err
		}
		if s = s[1+n:]; s == "" {
			return "", nil
		}
	}
	f, length := monthYear, 4
	switch s[0] {
	case '0', '1':
	case '7':
		return s[1:], nil
	case '2', '3', '4', '5', '6':
		f = format(s[0] - '0')
		length = lengths[f]
		s = s[1:]
	default:
		return "", refuse(gs1.CodeBadCharacter, "no date of the HIBC code begins like %.40q", s)
	}
	if len(s) < length || !digits(s[:length]) {
		return "", refuse(gs1.CodeTooShort, "the expiry of the HIBC code is not whole: %.40q", s)
	}
	return s[length:], r.expires(f, s[:length])
}

// supplemental tells whether a field begins with one of the identifiers that
// begin with a digit. YYJJJ never does: D is no digit.
func supplemental(field string) bool {
	return strings.HasPrefix(field, "14D") || strings.HasPrefix(field, "16D")
}

// supplement reads a field behind "/" (standard 2.3.2.2): S serial, 14D expiry
// and 16D date of manufacture as YYYYMMDD, Q quantity of 1 to 5 digits.
func (r *reader) supplement(field string) error {
	if v, ok := strings.CutPrefix(field, "14D"); ok {
		return r.expires(fullDate, v)
	}
	if v, ok := strings.CutPrefix(field, "16D"); ok {
		d, ok := fullDate.read(v, r.now)
		if !ok {
			return badDate(v)
		}
		if r.Made.Month != 0 {
			return twice("date of manufacture")
		}
		r.Made = d
		return nil
	}
	if v, ok := strings.CutPrefix(field, "S"); ok {
		return r.serial(v)
	}
	if v, ok := strings.CutPrefix(field, "Q"); ok {
		if !digits(v) || len(v) > 5 {
			return refuse(gs1.CodeBadCharacter, "the quantity of the HIBC code is not of 1 to 5 digits: %.40q", v)
		}
		return r.counts(v)
	}
	return refuse(gs1.CodeUnknownAI, "the field %.40q of the HIBC code is of no kind that is known", field)
}

func (r *reader) counts(v string) error {
	n, _ := strconv.Atoi(v)
	if r.HasQuantity && r.Quantity != n {
		return twice("quantity")
	}
	r.Quantity, r.HasQuantity = n, true
	return nil
}

func (r *reader) expires(f format, v string) error {
	d, ok := f.read(v, r.now)
	if !ok {
		return badDate(v)
	}
	if e := r.Expiry; e.Month != 0 && (e.Year != d.Year || e.Month != d.Month || e.Day != d.Day) {
		return twice("expiry")
	}
	if r.Expiry.Month == 0 {
		r.Expiry = d
	}
	return nil
}

func (r *reader) lot(v string) error { return once(&r.Lot, "lot", v) }

func (r *reader) serial(v string) error {
	if v == "" {
		return refuse(gs1.CodeTooShort, "the HIBC code announces a serial and holds none")
	}
	return once(&r.Serial, "serial", v)
}

func once(field *string, name, v string) error {
	switch {
	case len(v) > maxLot:
		return refuse(gs1.CodeTooLong, "the %s of the HIBC code is longer than %d characters: %.40q", name, maxLot, v)
	case !alphanumeric(v):
		return refuse(gs1.CodeBadCharacter, "the %s of the HIBC code holds something else than letters and digits: %.40q", name, v)
	case *field != "" && *field != v:
		return twice(name)
	}
	*field = v
	return nil
}

func twice(name string) error {
	return fault.New(fault.Data, gs1.CodeConflict, "the HIBC code says two different things of its %s", name).
		WithHint("read it from the pack and enter it by hand")
}

func badDate(v string) error {
	return fault.New(fault.Data, gs1.CodeImpossibleDate, "%.20q in the HIBC code is no date that exists", v).
		WithHint("read the date from the pack and enter it by hand")
}
