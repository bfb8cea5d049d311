package dispense

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"branchline/agent/outbox"
	"branchline/internal/movement"
)

func TestNamesOfFilesThatAreTold(t *testing.T) {
	e := &Export{Name: "till", Pattern: "Filiale-*.csv"}
	n := newNamer(e, []byte("secret"))
	for name, told := range map[string]bool{
		"filiale-20261123.csv":            true,
		"FILIALE-2026-11-23T101500Z.CSV":  true,
		"filiale-a1.csv":                  true,
		"filiale-till-export-004711.csv":  true,
		"Filiale-Verkäufe_23.11.2026.csv": true,
		"filiale-20261123101500123.csv":   true,
		"filiale-musterfrau.csv":          false,
		"filiale-Musterfrau,Erika.csv":    false,
		"filiale-Eva.csv":                 false,
		"filiale-Ó Néill.csv":             false,
		"filiale-Иванов.csv":              false,
		"filiale-A123456789.csv":          false, // a number of an insurance
		"filiale-756123456789.csv":        false,
		"filiale-12.04.1953.csv":          false, // a birth
		"filiale-19530412.csv":            false,
		"filiale-12041953.csv":            false,
	} {
		got := n.told(name)
		if (got == name) != told {
			t.Errorf("%s is told as %s", name, got)
		}
		if !told && (!strings.HasPrefix(got, "withheld-") || !strings.HasSuffix(got, ".csv") || n.local(got) != name || n.told(name) != got) {
			t.Errorf("%s is told as %s, and found as %s", name, got, n.local(got))
		}
	}
	if other := newNamer(e, []byte("another")); other.told("filiale-musterfrau.csv") == n.told("filiale-musterfrau.csv") {
		t.Error("what it is told as could be guessed")
	}
}

// What systems name their exports by says nothing of a patient.
func TestNamesThatSystemsGive(t *testing.T) {
	n := newNamer(&Export{Name: "till", Pattern: "*.csv"}, []byte("secret"))
	for _, name := range []string{"pharmacy_20261123.csv", "Apotheke-2026-11-23.csv", "store12_sales.csv", "Filiale 12 Abverkauf.csv", "branch07-20261123.csv",
		"Warenausgang_2026-11.csv", "Umsatz 23.11.2026.csv", "inventory_movements.csv", "export-1763900000.csv", "export_1763900000123.csv", "DISPENSELOG.csv",
		"terminal3-20261123.csv", "TRX20261123_0001.csv", "sales_2026Nov23.csv", "Export Nov 2026.csv", "rezepte_kw47.csv", "000123456.csv",
		"export-1732350000000.csv", "9f8b2cde-face-4bad-8eef-0123456789ab.csv", "T20261123101500.csv", "Ventes du 23 novembre 2026.csv",
		"dispensaciones_diario.csv", "mutaties week 47.csv", "scontrini-2026.csv", "Tagesabschluss Kasse 2.csv", "20261123T101500Z.csv",
		"sales-9f8b2cde-face-4bad-8eef-0123456789ab-1.csv", "Umsatz_2026-11.csv"} {
		if told := n.told(name); told != name {
			t.Errorf("%s is told as %s", name, told)
		}
	}
	for _, name := range []string{"Mark.csv", "Rose-2026.csv", "Bill_export.csv", "export_Müller.csv", "Müller, Anna.csv", "exportanna.csv", "Anna2026.csv",
		"sales-A123456789.csv", "A200612345.csv", "export-123456782.csv", "185057800608436.csv", "7561234567897.csv", "export 9434765919.csv", "geb 3.4.1961.csv",
		"19610403.csv", "export-03041961.csv", "DOE^JOHN.csv", "annasales.csv", "Salesmann.csv", "9f8b2cde-face-4bad-8eef-0123456789ab Anna.csv"} {
		if told := n.told(name); told == name {
			t.Errorf("%s is told", name)
		}
	}
}

// A patient's name in the name of a file is nowhere but on the branch's own page,
// whatever becomes of the file; its rows are known when it comes again.
func TestNamesOfFilesAreNotKept(t *testing.T) {
	const name = "Musterfrau_Erika.csv"
	p := open(t, func(e *Export) { e.Finished = "move" })
	text := head + "x;y\n" + row(1, 1, "2") + row(1, 2, "x")
	seen := ""
	look := func() {
		t.Helper()
		s := p.look()
		s.Withheld = nil
		seen += fmt.Sprintf("%+v\n", s)
	}
	p.put(name, text)
	look()
	told := p.movements()[1].Source.File
	if rows := p.rows(); len(rows) != 2 || rows[0].Local != name || rows[0].File != told || !strings.HasPrefix(told, "withheld-") {
		t.Errorf("%+v", rows)
	}
	if w := p.d.Status()[0].Withheld; len(w) != 1 || w[0] != (Withheld{name, told}) {
		t.Errorf("%+v", w)
	}
	seen += p.log.b.String()
	p.restart()
	look()
	if w := p.d.Status()[0].Withheld; len(w) != 1 || w[0] != (Withheld{name, told}) {
		t.Errorf("after a restart: %+v", w)
	}
	p.put(name, head+"x;y\n"+row(1, 1, "2")+row(1, 2, "x")+row(1, 3, "1"))
	look()
	p.want("!wrong_column_count R1/1=2 !bad_quantity R1/3=1")
	// One that does not fit, one that cannot be opened, and one that cannot be moved.
	p.put("Musterfrau2.csv", "other\n")
	if err := os.Symlink(p.file("Musterfrau2.csv"), p.file("Musterfrau3.csv")); err != nil {
		t.Log(err)
	}
	look()
	if err := os.RemoveAll(p.file("done")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.file("done"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p.put("Musterfrau4.csv", text)
	look()
	seen += p.log.b.String()
	families, err := p.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		seen += f.String()
	}
	p.store.Close()
	file, err := os.ReadFile(p.path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(seen, "withheld-") || !bytes.Contains(file, []byte(told)) {
		t.Fatal("this test looks at the wrong places")
	}
	for where, text := range map[string]string{"store": string(file), "log, status or metrics": seen} {
		if i := strings.Index(strings.ToLower(text), "musterfrau"); i >= 0 {
			t.Errorf("a name stands in the %s: %.200q", where, text[max(i-80, 0):])
		}
	}
	p.start()
}

// What an earlier version has kept by a file's own name is kept by what it is told
// as, and stays known, its rows without a key as well.
func TestCheckpointsByNamesGetOthers(t *testing.T) {
	const name = "Musterfrau.csv"
	p := open(t, nil)
	text := head + "x;y\n" + row(1, 1, "2")
	p.put(name, text)
	p.look()
	p.want("!wrong_column_count R1/1=2")
	before := p.movements()
	told := before[0].Source.File
	value, err := p.store.Note(noteSpace, "till/"+told)
	if err != nil || value == nil {
		t.Fatal(value, err)
	}
	if _, err := p.store.Append(t.Context(), outbox.Write{Lane: movement.Bulk, Notes: []outbox.Note{
		{Space: noteSpace, Key: "till/" + told}, {Space: noteSpace, Key: "till/" + name, Value: value}}}); err != nil {
		t.Fatal(err)
	}
	p.restart()
	for n, err := range p.store.Notes(noteSpace, "till/") {
		if err != nil || n.Key != "till/"+told || string(n.Value) != string(value) {
			t.Errorf("%s: %s, %v", n.Key, n.Value, err)
		}
	}
	p.look()
	if s := p.d.Status()[0]; s.Rows != (Counts{}) {
		t.Errorf("read again: %+v", s.Rows)
	}
	p.put(name, head+"x;y\n"+row(1, 1, "2")+row(1, 2, "5"))
	p.look()
	p.want("!wrong_column_count R1/1=2 R1/2=5")
}

// The anchor of rows before the first with a key is about the file's own name, so
// that they have the keys that earlier versions gave them, and is kept without it.
func TestAnchorsAreKeptWithoutNames(t *testing.T) {
	f := file{name: "Musterfrau.csv", told: "withheld-1.csv", mark: "withheld-1.csv"}
	k := &checkpoint{position: position{Anchor: fileAnchor + "Musterfrau.csv/2026-11-23", Nth: 2}}
	n, err := (&checkpoints{adapter: "till"}).note(f, k)
	if err != nil || bytes.Contains(n.Value, []byte("Muster")) || !bytes.Contains(n.Value, []byte("withheld-1.csv/2026")) {
		t.Fatalf("%s, %v", n.Value, err)
	}
	var back checkpoint
	if err := json.Unmarshal(n.Value, &back); err != nil {
		t.Fatal(err)
	}
	if got := back.at().named(f).Anchor; got != k.Anchor {
		t.Errorf("anchor %s", got)
	}
	if got := (position{Anchor: "till/file/R1"}).told(f).Anchor; got != "till/file/R1" {
		t.Errorf("anchor %s", got)
	}
}

// A file that an earlier version has told by another name, as it knew fewer words, is
// read on all the same, where it lies and where it was moved to.
func TestNamesThatWereNotToldBefore(t *testing.T) {
	for folder, e := range map[string]string{"": "leave", "done/": "move"} {
		p := open(t, func(x *Export) { x.Finished = e })
		const name = "pharmacy.csv"
		p.put(name, head+"x;y\n"+row(1, 1, "2"))
		p.look()
		p.want("!wrong_column_count R1/1=2")
		mark := map[string]string{"": "", "done/": movedMark}[folder]
		value, err := p.store.Note(noteSpace, "till/"+mark+name)
		if err != nil || value == nil {
			t.Fatal(value, err)
		}
		hidden := p.d.adapters[0].names.hidden(name)
		if _, err := p.store.Append(t.Context(), outbox.Write{Lane: movement.Bulk, Notes: []outbox.Note{
			{Space: noteSpace, Key: "till/" + mark + name}, {Space: noteSpace, Key: "till/" + mark + hidden, Value: value}}}); err != nil {
			t.Fatal(err)
		}
		p.restart()
		p.put(folder+name, head+"x;y\n"+row(1, 1, "2")+row(1, 2, "5"))
		if s := p.look(); s.Rows.Good != 1 || s.Rows.Bad != 0 {
			t.Errorf("%s: %+v", folder, s.Rows)
		}
		p.want("!wrong_column_count R1/1=2 R1/2=5")
	}
}
