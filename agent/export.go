package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"branchline/agent/app"
	"branchline/agent/config"
	"branchline/agent/dispense"
	"branchline/agent/outbox"
	"branchline/internal/conf"
	"branchline/internal/control"
	"branchline/internal/movement"
	"branchline/internal/ui"
)

type tryExportCommand struct {
	configFlag
	Export string `help:"The export's name in the configuration, where the file does not tell by its folder or name."`
	Rows   int64  `help:"How many rows to show, 0 for all; all are tried and counted." default:"50"`
	JSON   bool   `help:"Print the records as they would be stored." name:"json"`
	File   string `arg:"" help:"The file to read."`
}

// Run shows what becomes of each row. Only mapped columns are ever printed, of
// the others their names.
func (c *tryExportCommand) Run(w io.Writer) error {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	e, err := c.find(cfg.Exports.Exports)
	if err != nil {
		return conf.Wrap(c.Config, err)
	}
	out := bufio.NewWriter(w)
	defer out.Flush()
	shown := int64(0)
	sum, err := dispense.Try(context.Background(), e, c.File, func(m *movement.Movement, repeats int64) error {
		if shown++; c.Rows > 0 && shown > c.Rows {
			return nil
		}
		if c.JSON {
			// What the outbox would set.
			m.RecordedAt = time.Now()
			_, err := fmt.Fprintf(out, "%s\n", m.AppendJSON(nil))
			return err
		}
		_, err := fmt.Fprintln(out, line(m, repeats))
		return err
	})
	if err != nil || c.JSON {
		return err
	}
	if more := shown - c.Rows; c.Rows > 0 && more > 0 {
		fmt.Fprintf(out, "… and %s (--rows 0 shows all)\n", ui.Many(more, "more row", "more rows"))
	}
	fmt.Fprintf(out, "%s understood, %d for a person%s. Nothing was recorded.\n", ui.Many(sum.Good, "row", "rows"), sum.Bad, besides(&sum))
	for _, reason := range slices.Sorted(maps.Keys(sum.Reasons)) {
		fmt.Fprintf(out, "  %d for %s\n", sum.Reasons[reason], reason)
	}
	for _, w := range sum.Words {
		if w.Field == dispense.FieldReason {
			fmt.Fprintf(out, "Column %s, mapped to %s, says no reason that is known in %s. Where nothing else is the matter they are recorded without it: list the texts under reasons, if they are some and not people's names.\n",
				w.Column, w.Field, ui.Many(w.Rows, "row", "rows"))
			continue
		}
		fmt.Fprintf(out, "Column %s, mapped to %s, holds words in %s, which can be people's names: look into the file, and map %s to another column or to none if they are.\n",
			w.Column, w.Field, ui.Many(w.Rows, "row", "rows"), w.Field)
	}
	if told := c.told(&cfg, &e); told != filepath.Base(c.File) {
		fmt.Fprintf(out, "The name of the file could be about a patient: at the hub, and in the log, it is %s.\n", told)
	}
	if len(sum.Unmapped) > 0 {
		fmt.Fprintf(out, "Columns that nobody mapped, and that are never read: %s\n", strings.Join(sum.Unmapped, ", "))
	}
	_, err = fmt.Fprintln(out, "Whether a row was recorded before is not looked up here: the agent knows it by the row's key, and records no row twice.")
	return err
}

// told is what the file is called in all that is kept, logged and sent, by which
// people at the hub ask for it.
func (c *tryExportCommand) told(cfg *config.Config, e *dispense.Export) string {
	file := filepath.Base(c.File)
	var t app.Told
	path := "/exports/told?" + url.Values{"export": {e.Name}, "file": {file}}.Encode()
	err := control.Call(context.Background(), cfg.DataDir, "GET", path, nil, &t)
	if errors.Is(err, control.ErrNotRunning) {
		var src *outbox.File
		if src, err = outbox.OpenFile(cfg.Outbox.Path); err == nil {
			defer src.Close()
			t, err = app.ToldAs([]dispense.Export{*e}, src, e.Name, file)
		}
	}
	switch {
	case err == nil && t.As != "":
		return t.As
	case dispense.Withholds(e, file):
		return "called withheld- and a number, which the agent knows when it has run"
	}
	return file
}

// find chooses the export: the one that is named, else the only one, the one
// whose folder the file lies in, or the one whose pattern it fits.
func (c *tryExportCommand) find(all []dispense.Export) (dispense.Export, error) {
	path, err := filepath.Abs(c.File)
	if err != nil {
		return dispense.Export{}, err
	}
	for _, fits := range []func(e *dispense.Export) bool{
		func(e *dispense.Export) bool { return e.Name == c.Export || c.Export == "" && len(all) == 1 },
		func(e *dispense.Export) bool { return c.Export == "" && filepath.Clean(e.Folder) == filepath.Dir(path) },
		func(e *dispense.Export) bool { return c.Export == "" && e.Reads(filepath.Base(path)) },
	} {
		var found []dispense.Export
		for _, e := range all {
			if fits(&e) {
				found = append(found, e)
			}
		}
		if len(found) == 1 {
			return found[0], nil
		}
	}
	if len(all) == 0 {
		return dispense.Export{}, conf.Bad("exports", "", "lists none")
	}
	var names []string
	for _, e := range all {
		names = append(names, e.Name)
	}
	return dispense.Export{}, conf.Bad("--export", c.Export, "must be one of: "+strings.Join(names, ", "))
}

// besides says which rows count for nothing.
func besides(sum *dispense.Summary) (words string) {
	if sum.Again > 0 {
		words += fmt.Sprintf(", %d that %s an earlier row", sum.Again, map[bool]string{true: "repeats", false: "repeat"}[sum.Again == 1])
	}
	if sum.Left > 0 {
		words += fmt.Sprintf(", %d left out as the mapping says", sum.Left)
	}
	return words
}

// line says a movement to a person; repeats is the line of the row that it repeats, 0
// for none.
func line(m *movement.Movement, repeats int64) string {
	if repeats > 0 {
		return fmt.Sprintf("line %d: the same as line %d, as of a reprint: recorded once, key %s", m.Source.Line, repeats, m.NaturalKey)
	}
	if p := m.Problem; p != nil {
		return fmt.Sprintf("line %d: for a person, %s: %s", m.Source.Line, p.Code, p.Text)
	}
	s := fmt.Sprintf("line %d: %s %s of %s %s", m.Source.Line, m.Kind, m.Quantity, m.Product.Scheme, m.Product.Code)
	for _, f := range []struct{ name, value string }{
		{"lot", m.Lot}, {"expiry", m.Expiry.String()}, {"serial", m.Serial}, {"unit", m.Unit},
		{"on", m.OccurredAt.Format("2006-01-02 15:04:05 -07:00")}, {"document", m.Document.Ref}, {"key", m.NaturalKey},
	} {
		if f.value != "" {
			s += ", " + f.name + " " + f.value
		}
	}
	return s
}
