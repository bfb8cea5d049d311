package dispense

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"branchline/internal/movement"
)

// A row that is shifted by a column has a name where a code, a number, a date or
// initials belong: it goes to a person, the name nowhere, and two such rows are
// told as two.
func TestNamesInTheWrongColumnAreNotKept(t *testing.T) {
	p := open(t, func(e *Export) {
		e.Mapping.Schemes, e.Mapping.By = []movement.Scheme{movement.GTIN, movement.PZN}, Column{Name: "patient"}
	})
	text := head
	for i, c := range [][4]string{
		{"04012345678901", "1", "2026-11-23 10:00", "mm"},
		{"Erika Musterfrau", "1", "2026-11-23 10:00", "mm"},
		{"Max Mustermann", "1", "2026-11-23 10:00", "mm"},
		{"04012345678901", "Musterfrau", "2026-11-23 10:00", "mm"},
		{"04012345678901", "Mustermann", "2026-11-23 10:00", "mm"},
		{"04012345678901", "1", "Erika Musterfrau", "mm"},
		{"04012345678901", "1", "2026-11-23 10:00", "Erika Musterfrau"},
		{"04012345678901", "1", "2026-11-23 10:00", "a.muster-7"}, // somebody who logs in
		{"PZN-02758089", "1", "2026-11-23 10:00", ""},
	} {
		text += fmt.Sprintf("R1;%d;%s;%s;%s;%s\n", i/2*2, c[0], c[1], c[2], c[3]) // two with one key
	}
	p.put("a.csv", text)
	p.look()
	p.want("R1/0=1 !no_code !no_code !bad_quantity !bad_quantity !bad_date !bad_initials R1/6=1 R1/8=1")
	seen := fmt.Sprintf("%+v\n%s", p.d.Status(), p.log.b.String())
	for _, m := range p.movements() {
		seen += string(m.AppendJSON(nil))
	}
	for _, row := range p.d.BadRows() {
		seen += fmt.Sprintf("%+v", row)
	}
	p.store.Close()
	file, err := os.ReadFile(p.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Erika", "Musterfrau", "Mustermann"} {
		if strings.Contains(seen, name) || strings.Contains(string(file), name) {
			t.Errorf("%s is kept:\n%s", name, seen)
		}
	}
	p.start()
}
