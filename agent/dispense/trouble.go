package dispense

import (
	"fmt"

	"branchline/internal/fault"
)

// troubles are what one look at a folder met. A file that is in trouble keeps
// no other waiting.
type troubles struct {
	// first is the first that a person must mend, else the first of all.
	first error
	all   int
	// held are the files that a person must do something about.
	held int
}

func (t *troubles) add(err error) {
	if err == nil {
		return
	}
	t.all++
	if passes(err) {
		if t.first == nil {
			t.first = err
		}
		return
	}
	if t.held++; t.held == 1 {
		t.first = err
	}
}

// passes tells whether a trouble ends by itself.
func passes(err error) bool {
	class := fault.ClassOf(err)
	return class == fault.Transient || class == fault.Setup && fault.CodeOf(err) == codeUnmoved
}

func (t *troubles) state() State {
	switch {
	case t.held > 0:
		return Held
	case t.all > 0:
		return Waiting
	}
	return Watching
}

// why is the trouble that is told, with how many others there are.
func (t *troubles) why() error {
	if t.all < 2 {
		return t.first
	}
	others := "another file is"
	if t.all > 2 {
		others = fmt.Sprintf("%d other files are", t.all-1)
	}
	return fmt.Errorf("%w; %s not done either", t.first, others)
}
