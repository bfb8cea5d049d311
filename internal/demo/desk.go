package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"branchline/internal/movement"
	"branchline/internal/rig"
)

// desk is a person with a scanner, who waits for each beep.
type desk struct {
	p   *player
	a   *rig.Agent
	err error
	// lines of the delivery that is not confirmed yet.
	lines int
}

func (d *desk) scan(code string) { d.scanOn(d.a.Receive, code, "+!") }

// scanOn scans and waits for one of the wanted sounds.
func (d *desk) scanOn(s *rig.Scanner, code, want string) {
	if d.err != nil {
		return
	}
	if d.err = s.Scan(code); d.err != nil {
		return
	}
	beep := make([]byte, 1)
	if _, d.err = s.Heard(beep); d.err == nil && !bytes.Contains([]byte(want), beep) {
		d.err = fmt.Errorf("branch %s: %q was answered by %q, want one of %q", d.a.Branch.Code, code, beep, want)
	}
}

func (d *desk) quantity(n int) { d.scan(fmt.Sprintf("BL-QTY-%d", n)) }

func (d *desk) pack(p *rig.Product, lot, expiry string, n int64) {
	d.scan("01" + p.GTIN + "17" + expiry + "10" + lot)
	d.lines++
	d.p.book.Move(d.a.Branch, rig.Item{GTIN: p.GTIN, Lot: lot}, movement.Units(n))
}

func (d *desk) serial(p *rig.Product, lot, expiry, serial string) {
	d.scan("01" + p.GTIN + "17" + expiry + "10" + lot + "\x1d21" + serial)
	d.lines++
	d.p.book.Move(d.a.Branch, rig.Item{GTIN: p.GTIN, Lot: serial}, movement.Units(1))
}

// stranger is a pack that Odoo does not know.
func (d *desk) stranger(gtin, reason string) {
	d.scan("01" + gtin + "17280101" + "10X1")
	d.lines++
	d.p.book.Person(d.a.Branch, reason)
}

func (d *desk) confirm() {
	d.scan("BL-CONFIRM")
	d.p.sent += d.lines
	d.lines = 0
}

func (d *desk) dispense(p *rig.Product, lot, expiry string) {
	d.scanOn(d.a.Counter, "01"+p.GTIN+"10"+lot+"|17"+expiry, "+")
	d.p.sent++
	d.p.book.Move(d.a.Branch, rig.Item{GTIN: p.GTIN, Lot: lot}, -movement.Units(1))
}

// unreadable scans a code that nobody may guess the meaning of.
func (d *desk) unreadable(code, reason string) {
	d.scanOn(d.a.Counter, code, "!-")
	d.p.sent++
	d.p.book.Person(d.a.Branch, reason)
}

// findText looks for texts in every file below dir, but for folders called
// skip.
func findText(dir, skip string, texts ...string) (found []string, err error) {
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && e.Name() == skip:
			return filepath.SkipDir
		case !e.Type().IsRegular():
			return nil
		}
		b, err := os.ReadFile(path)
		for _, t := range texts {
			if bytes.Contains(b, []byte(t)) {
				found = append(found, fmt.Sprintf("%s holds %q, which is about a patient", path, t))
			}
		}
		return err
	})
	return found, err
}
