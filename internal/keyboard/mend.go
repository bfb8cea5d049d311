package keyboard

// Setting is one of a scanner that types like a keyboard, which would mend what
// was found.
type Setting struct{ Name, Value, Why string }

// How keys are read: as the system's layout gives them, or by their places on a
// US keyboard.
const (
	byLayout = "layout"
	byPlaces = "places"
	byBoth   = "auto"
)

// Calibrate says what the calibration barcode shows, of which text came as the
// system's layout gives it and physical as a US layout would, when keys are read
// as keys says ("auto", "layout" or "places"); and which settings would mend it,
// or take back what was mended before. A code that is none is not recognised.
func Calibrate(text, physical, keys string) (f Finding, mend []Setting) {
	layout, places := Diagnose(text), Diagnose(physical)
	if !layout.Recognised && !places.Recognised {
		return Finding{}, nil
	}
	wrong := func(f Finding) bool { return !f.Recognised || f.Has("layout") }
	if f = layout; keys == byPlaces {
		f = places
	}
	switch {
	case keys == byPlaces && wrong(places) && !wrong(layout):
		mend = append(mend, Setting{"keys", byLayout, "the scanner types as this PC's own keyboard does"})
	case keys == byPlaces && !wrong(layout):
		mend = append(mend, Setting{"keys", byBoth, "the scanner and this PC have the same layout now, so nothing need be set"})
	case keys != byPlaces && wrong(layout) && !wrong(places):
		mend = append(mend, Setting{"keys", byPlaces, "the scanner types as a US keyboard does, and its keys can be read by their places"})
	}
	if !f.Recognised {
		f = Finding{Recognised: true}
		f.add("layout", "The scanner types for another keyboard than this PC has: set both to the same layout")
	}
	if f.Substitute != "" {
		mend = append(mend, Setting{"gs1.substitute", f.Substitute, "the separator comes as " + f.Substitute + ", which is well once it is known"})
	}
	return f, mend
}
