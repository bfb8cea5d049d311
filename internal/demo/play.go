package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"branchline/internal/movement"
	"branchline/internal/rig"
)

// player plays a morning at two branches, and writes down what must come of it.
type player struct {
	rig   *rig.Rig
	chain *rig.Chain
	book  *rig.Book
	dir   string
	// sent counts the movements that must come to the hub.
	sent int
}

// patient stands in columns that are not mapped, and must be found nowhere.
const patient = "Erika Mustermann"

func (p *player) play(ctx context.Context) error {
	a, b := p.rig.Agents[0], p.rig.Agents[1]
	products := p.chain.Products
	amoxicillin, salbutamol, metformin, insulin := products[0], products[1], products[2], products[4]
	order, err := p.chain.Order(ctx, a.Branch, rig.OrderLine{Product: amoxicillin, Quantity: 6},
		rig.OrderLine{Product: salbutamol, Quantity: 10}, rig.OrderLine{Product: metformin, Quantity: 8},
		rig.OrderLine{Product: insulin, Quantity: 1})
	if err != nil {
		return err
	}
	say("\nBranch %s receives order %s from its supplier:", a.Branch.Code, order)
	d := &desk{p: p, a: a}
	d.scan(order)
	d.pack(amoxicillin, "A77B12", "280531", 6)
	d.quantity(6)
	d.pack(salbutamol, "S9", "270228", 4) // 6 stay on a backorder
	d.quantity(4)
	d.pack(metformin, "M1", "280930", 5)
	d.quantity(5)
	d.pack(metformin, "M2", "281130", 3)
	d.quantity(3)
	d.serial(insulin, "L-77", "280115", "SN0001")
	d.stranger("04099999999996", "unknown_product")
	d.confirm()

	order2, err := p.chain.Order(ctx, b.Branch, rig.OrderLine{Product: amoxicillin, Quantity: 20})
	if err != nil {
		return err
	}
	say("\nBranch %s receives order %s:", b.Branch.Code, order2)
	e := &desk{p: p, a: b}
	e.scan(order2)
	e.pack(amoxicillin, "A77B12", "280531", 20)
	e.quantity(20)
	e.confirm()
	if d.err != nil || e.err != nil {
		return fmt.Errorf("scanning: %v %v", d.err, e.err)
	}
	if err := p.settle(ctx); err != nil {
		return err
	}

	say("\nBoth branches dispense; one scanner sends \"|\" in place of the separator, one code is damaged:")
	d.dispense(amoxicillin, "A77B12", "280531")
	d.unreadable("0104010001000018"+"10A77B12", "check_digit")
	if d.err != nil {
		return d.err
	}
	export := p.export(a, []row{
		{gtin: amoxicillin.GTIN, qty: "2", lot: "A77B12"},
		{gtin: metformin.GTIN, qty: "1", lot: "M1"},
		{gtin: metformin.GTIN, qty: "1", lot: "M1"},
		{gtin: amoxicillin.GTIN, qty: "two", lot: "A77B12", problem: "bad_quantity"},
		{gtin: "04099999999996", qty: "1", lot: "X", problem: "unknown_product"},
		{gtin: salbutamol.GTIN, qty: "1", lot: "S9"},
	})
	if err := a.DropExport("till-morning.csv", export); err != nil {
		return err
	}
	if err := b.DropExport("till-morning.csv", p.export(b, []row{
		{gtin: amoxicillin.GTIN, qty: "3", lot: "A77B12"}, {gtin: amoxicillin.GTIN, qty: "4", lot: "A77B12"},
	})); err != nil {
		return err
	}
	if err := p.settle(ctx); err != nil {
		return err
	}
	say("\nThe same export is delivered again by mistake: every row is known, nothing counts twice.")
	if err := a.DropExport("till-morning-again.csv", export); err != nil {
		return err
	}
	if err := rig.Until(ctx, "the file is read again", func() (bool, error) {
		done, err := filepath.Glob(filepath.Join(a.Exports, "done", "till-morning-again*"))
		return len(done) == 1, err
	}); err != nil {
		return err
	}
	return p.settle(ctx)
}

type row struct{ gtin, qty, lot, problem string }

// export writes a dispensing export with columns about patients in it.
func (p *player) export(a *rig.Agent, rows []row) string {
	var b strings.Builder
	b.WriteString("receipt;line;time;patient;born;gtin;lot;qty;initials\n")
	for i, r := range rows {
		fmt.Fprintf(&b, "R-%s;%d;%s;%s;1958-03-14;%s;%s;%s;CD\n", a.Branch.Code, i+1,
			time.Now().UTC().Format(time.DateTime), patient, r.gtin, r.lot, r.qty)
		p.sent++
		if r.problem != "" {
			p.book.Person(a.Branch, r.problem)
			continue
		}
		q, _ := movement.ParseQuantity(r.qty)
		p.book.Move(a.Branch, rig.Item{GTIN: r.gtin, Lot: r.lot}, -q)
	}
	return b.String()
}

// line is what "branchline-hub movements --json" prints for a movement.
type line struct {
	ID       string `json:"id"`
	Branch   string `json:"branch"`
	Kind     string `json:"kind"`
	Code     string `json:"code"`
	Lot      string `json:"lot"`
	Quantity string `json:"quantity"`
	State    string `json:"state"`
	Source   string `json:"source"`
	Posting  string `json:"posting"`
	Odoo     string `json:"odoo"`
	Reason   string `json:"reason"`
	Text     string `json:"text"`
}

func (p *player) movements(ctx context.Context) ([]line, error) {
	out, err := exec.CommandContext(ctx, filepath.Join(p.rig.Bin, "branchline-hub"), "movements", "--json",
		"--config", filepath.Join(p.dir, "hub.yaml")).Output()
	if err != nil {
		return nil, fmt.Errorf("branchline-hub movements: %w", err)
	}
	var all []line
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var l line
		if err := d.Decode(&l); err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

var settled = []string{"posted", "exception", "duplicate", "discarded"}

// settle waits until everything sent is posted or with a person, and prints
// what is new.
func (p *player) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	var all []line
	err := rig.Until(ctx, "all movements are posted or with a person", func() (bool, error) {
		var err error
		if all, err = p.movements(ctx); err != nil {
			return false, err
		}
		open := slices.ContainsFunc(all, func(l line) bool { return !slices.Contains(settled, l.State) })
		return len(all) >= p.sent && !open, nil
	})
	if err != nil {
		return fmt.Errorf("%w (%d of %d movements are at the hub)", err, len(all), p.sent)
	}
	for _, l := range all {
		p.print(l)
	}
	return nil
}

var printed = map[string]bool{}

func (p *player) print(l line) {
	if printed[l.ID] {
		return
	}
	printed[l.ID] = true
	goods := fmt.Sprintf("%4s × %s", l.Quantity, l.Code)
	switch {
	case l.Code == "":
		goods = "   what could not be understood"
	case l.Lot != "":
		goods += " lot " + l.Lot
	}
	what := fmt.Sprintf("  %-26s %-8s %s", l.Source, l.Kind, goods)
	if l.State == "posted" {
		say("%s → %s", what, l.Odoo)
		return
	}
	say("%s → a person: %s", what, l.Text)
}

// check compares Odoo with the book, and looks for what must not be anywhere.
func (p *player) check(ctx context.Context) error {
	var wrong []string
	all, err := p.movements(ctx)
	if err != nil {
		return err
	}
	if len(all) != p.sent {
		wrong = append(wrong, fmt.Sprintf("the hub has %d movements, must have %d", len(all), p.sent))
	}
	quantities := 0
	for _, a := range p.rig.Agents {
		stock, err := p.chain.Stock(ctx, a.Branch)
		if err != nil {
			return err
		}
		quantities += len(stock)
		wrong = append(wrong, p.book.Differences(a.Branch, stock)...)
		people := map[string]int{}
		for _, l := range all {
			if l.Branch == a.Branch.Code && l.State == "exception" {
				people[l.Reason]++
			}
		}
		if want := p.book.People(a.Branch); !maps.Equal(people, want) {
			wrong = append(wrong, fmt.Sprintf("%s: with a person are %v, must be %v", a.Branch.Code, people, want))
		}
	}
	found, err := findText(p.dir, "exports", patient, strings.Fields(patient)[1], "1958-03-14")
	if err != nil {
		return err
	}
	wrong = append(wrong, found...)
	if len(wrong) > 0 {
		return fmt.Errorf("not as it must be:\n  %s", strings.Join(wrong, "\n  "))
	}
	say("\nChecked: %d movements, %d quantities in Odoo equal to what went in, %d with a person as they must be, no patient's name anywhere.",
		len(all), quantities, p.count())
	return nil
}

func (p *player) count() (n int) {
	for _, a := range p.rig.Agents {
		for _, c := range p.book.People(a.Branch) {
			n += c
		}
	}
	return n
}
