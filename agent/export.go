package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"branchline/agent/config"
	"branchline/agent/dispense"
	"branchline/internal/conf"
	"branchline/internal/movement"
	"branchline/internal/ui"
)

type tryExportCommand struct {
	configFlag
	Export string `help:"The export's name in the configuration; needed where there are several."`
	JSON   bool   `help:"Print the records as they would be stored." name:"json"`
	File   string `arg:"" help:"The file to read."`
}

// Run shows what becomes of each row. Only mapped columns are ever printed.
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
	sum, err := dispense.Try(context.Background(), e, c.File, func(m *movement.Movement) error {
		if c.JSON {
			// What the outbox would set.
			m.RecordedAt = time.Now()
			_, err := fmt.Fprintf(out, "%s\n", m.AppendJSON(nil))
			return err
		}
		_, err := fmt.Fprintln(out, line(m))
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s understood, %d for a person. Nothing was recorded.\n"+
		"Whether a row was recorded before is not looked up here: the agent knows it by the row's key, and records no row twice.\n", ui.Many(sum.Good, "row", "rows"), sum.Bad)
	return err
}

func (c *tryExportCommand) find(all []dispense.Export) (dispense.Export, error) {
	var names []string
	for _, e := range all {
		if e.Name == c.Export || c.Export == "" && len(all) == 1 {
			return e, nil
		}
		names = append(names, e.Name)
	}
	return dispense.Export{}, conf.Bad("export", c.Export, "is not one of: "+strings.Join(names, ", "))
}

// line says a movement to a person.
func line(m *movement.Movement) string {
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
