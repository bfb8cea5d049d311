package movement_test

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// anyMovement draws valid movements with and without every optional field.
func anyMovement(t *rapid.T) movement.Movement {
	text := func(name string, limit int) string {
		return rapid.OneOf(rapid.Just(""), rapid.StringN(0, limit/4, limit)).Draw(t, name)
	}
	when := rapid.Custom(func(t *rapid.T) time.Time {
		zone := time.FixedZone("", 60*rapid.IntRange(-14*60, 14*60).Draw(t, "offset"))
		return time.UnixMilli(rapid.Int64Range(946_782_000_000, 7_258_000_000_000).Draw(t, "ms")).In(zone)
	})
	m := movement.Movement{
		Kind:       rapid.SampledFrom(movement.Kinds).Draw(t, "kind"),
		Product:    movement.Product{Scheme: rapid.SampledFrom(movement.Schemes).Draw(t, "scheme"), Code: "4012345"},
		Lot:        text("lot", 64),
		ExpiryRaw:  text("expiry_raw", 32),
		Serial:     text("serial", 64),
		Quantity:   movement.Quantity(rapid.Int64Range(1, int64(movement.MaxQuantity)).Draw(t, "quantity")),
		Unit:       text("unit", 128),
		OccurredAt: when.Draw(t, "occurred_at"),
		RecordedAt: when.Draw(t, "recorded_at"),
		Reason:     text("reason", 500),
		NaturalKey: text("natural_key", 200),
		By:         text("by", 32),
		Source: movement.Source{
			Adapter: text("adapter", 128), File: text("file", 255),
			Line: rapid.Int64Range(0, 1<<40).Draw(t, "line"),
		},
	}
	m.Source.SetRaw(rapid.SliceOfN(rapid.Byte(), 0, 2*movement.MaxRaw).Draw(t, "raw"))
	if m.Product.Scheme == movement.GTIN {
		m.Product.Code = rapid.StringMatching(`[0-9]{14}`).Draw(t, "gtin")
	}
	if rapid.Bool().Draw(t, "has expiry") {
		m.Expiry = movement.DateOf(when.Draw(t, "expiry"))
	}
	if rapid.Bool().Draw(t, "has document") {
		m.Document = movement.Document{Type: rapid.SampledFrom(movement.DocumentTypes).Draw(t, "type"), Ref: "P00017"}
	}
	if rapid.Bool().Draw(t, "has group") {
		m.Group = movement.Group{ID: "s-1", Size: rapid.IntRange(1, 5000).Draw(t, "size")}
	}
	if rapid.Bool().Draw(t, "on paper") {
		m.Paper = movement.Paper{Form: "D7K2M9Q4X", Line: rapid.IntRange(1, 999).Draw(t, "form's line"), TypedBy: "CD"}
	}
	if m.Kind == movement.Adjustment && rapid.Bool().Draw(t, "less") {
		m.Quantity = -m.Quantity
	}
	if m.Kind == movement.TransferIn || m.Kind == movement.TransferOut {
		m.Counterpart = "BR02"
	}
	if settles := rapid.IntRange(0, 5).Draw(t, "settles"); settles < 2 {
		m.Settles = movement.Settlement{Key: "till/R1/1!0123456789abcdef", Why: "the PZN was \"typed\" wrong", Dismissed: settles == 1}
		m.By = "AB"
		if m.Settles.Dismissed {
			m.Kind, m.Product, m.Quantity, m.Counterpart = "", movement.Product{}, 0, ""
		}
	} else if rapid.Bool().Draw(t, "has problem") {
		m.Problem = &movement.Problem{Code: "check_digit", Field: "product.code", Text: "wrong"}
	}
	return m
}

func schema(t *testing.T) *jsonschema.Schema {
	s, err := jsonschema.NewCompiler().Compile("../../configs/schema/movement.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func instance(t interface{ Fatalf(string, ...any) }, record []byte) any {
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(record)))
	if err != nil {
		t.Fatalf("the record is not JSON: %v\n%s", err, record)
	}
	return v
}

// What is valid survives its record, is what encoding/json would say, fits the
// published schema, and stays within the bound of a record.
func TestRecordRoundTrip(t *testing.T) {
	s := schema(t)
	rapid.Check(t, func(t *rapid.T) {
		m := anyMovement(t)
		if err := m.Validate(); err != nil {
			t.Fatalf("drew an invalid movement: %v", err)
		}
		record := m.AppendJSON(nil)
		if len(record) > movement.MaxRecord {
			t.Fatalf("record of %d bytes", len(record))
		}
		if strings.ContainsRune(string(record), '\n') {
			t.Fatal("a record must be one line")
		}
		got, err := movement.Decode(record)
		if err != nil {
			t.Fatal(err)
		}
		if again := got.AppendJSON(nil); string(again) != string(record) {
			t.Fatalf("not the same again:\n%s\n%s", record, again)
		}
		want := m
		want.V = movement.Version
		sameInstant := cmp.Comparer(func(a, b time.Time) bool {
			_, ao := a.Zone()
			_, bo := b.Zone()
			return a.Equal(b) && ao == bo
		})
		if d := cmp.Diff(want, got, sameInstant); d != "" {
			t.Fatal(d)
		}
		type plain movement.Movement
		std, err := json.Marshal(plain(want))
		if err != nil {
			t.Fatal(err)
		}
		// Milliseconds are always written, so times are compared above.
		strip := func(b []byte) any {
			v := instance(t, b).(map[string]any)
			delete(v, "occurred_at")
			delete(v, "recorded_at")
			return v
		}
		if d := cmp.Diff(strip(std), strip(record)); d != "" {
			t.Fatalf("encoding/json says otherwise: %s", d)
		}
		if err := s.Validate(instance(t, record)); err != nil {
			t.Fatalf("the schema refuses %s: %v", record, err)
		}
	})
}

// Every field of the type, and no other, stands in the schema.
func TestSchemaNamesTheFieldsOfTheType(t *testing.T) {
	raw, err := os.ReadFile("../../configs/schema/movement.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	enum := func(path ...string) (out []string) {
		v := any(doc)
		for _, p := range path {
			v = v.(map[string]any)[p]
		}
		for _, e := range v.([]any) {
			out = append(out, e.(string))
		}
		return out
	}
	var kinds, schemes []string
	for _, k := range movement.Kinds {
		kinds = append(kinds, string(k))
	}
	for _, s := range movement.Schemes {
		schemes = append(schemes, string(s))
	}
	for name, c := range map[string]struct{ schema, code []string }{
		"kinds":     {enum("properties", "kind", "enum"), kinds},
		"schemes":   {enum("properties", "product", "properties", "scheme", "enum"), schemes},
		"documents": {enum("properties", "document", "properties", "type", "enum"), movement.DocumentTypes},
	} {
		if !slices.Equal(c.schema, c.code) {
			t.Errorf("%s: schema %v, code %v", name, c.schema, c.code)
		}
	}
	compareFields(t, "movement", reflect.TypeFor[movement.Movement](), doc)
}

func compareFields(t *testing.T, at string, typ reflect.Type, doc map[string]any) {
	props := doc["properties"].(map[string]any)
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		p, ok := props[name].(map[string]any)
		if !ok {
			t.Errorf("%s.%s is not in the schema", at, name)
			continue
		}
		delete(props, name)
		ft := f.Type
		if ft.Kind() == reflect.Pointer {
			ft = ft.Elem()
		}
		if p["type"] == "object" {
			compareFields(t, at+"."+name, ft, p)
		}
	}
	for name := range props {
		t.Errorf("%s.%s is in the schema only", at, name)
	}
}

func valid() movement.Movement {
	return movement.Movement{
		Kind: movement.Dispense, Product: movement.Product{Scheme: movement.GTIN, Code: "04012345678901"},
		Quantity:   movement.Units(1),
		OccurredAt: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), RecordedAt: time.Date(2026, 3, 1, 9, 0, 1, 0, time.UTC),
	}
}

// Validation names the field and the value, and the schema refuses the same.
func TestValidateNamesTheField(t *testing.T) {
	cases := map[string]struct {
		spoil    func(*movement.Movement)
		field    string
		schemaOK bool // the schema cannot express it
	}{
		"no kind":                 {func(m *movement.Movement) { m.Kind = "" }, `kind ""`, false},
		"unknown kind":            {func(m *movement.Movement) { m.Kind = "theft" }, `kind "theft"`, false},
		"no product":              {func(m *movement.Movement) { m.Product = movement.Product{} }, "product.scheme", false},
		"short gtin":              {func(m *movement.Movement) { m.Product.Code = "4012345678901" }, `product.code "4012345678901"`, false},
		"zero quantity":           {func(m *movement.Movement) { m.Quantity = 0 }, `quantity "0"`, false},
		"negative dispense":       {func(m *movement.Movement) { m.Quantity = -1 }, `quantity "-0.000001"`, false},
		"negative count":          {func(m *movement.Movement) { m.Kind, m.Quantity = movement.Count, -1 }, "quantity", false},
		"huge quantity":           {func(m *movement.Movement) { m.Quantity = movement.MaxQuantity + 1 }, "quantity", true},
		"adjustment by nothing":   {func(m *movement.Movement) { m.Kind, m.Quantity = movement.Adjustment, 0 }, "quantity", false},
		"transfer to nowhere":     {func(m *movement.Movement) { m.Kind = movement.TransferOut }, "counterpart", false},
		"dispense to a branch":    {func(m *movement.Movement) { m.Counterpart = "BR02" }, "counterpart", false},
		"lot too long":            {func(m *movement.Movement) { m.Lot = strings.Repeat("x", 65) }, "lot", false},
		"lot not utf-8":           {func(m *movement.Movement) { m.Lot = "a\xff" }, "lot", true},
		"no time":                 {func(m *movement.Movement) { m.OccurredAt = time.Time{} }, "occurred_at", false},
		"no recording time":       {func(m *movement.Movement) { m.RecordedAt = time.Time{} }, "recorded_at", false},
		"offset of seconds":       {func(m *movement.Movement) { m.OccurredAt = m.OccurredAt.In(time.FixedZone("", 61)) }, "occurred_at", true},
		"impossible expiry":       {func(m *movement.Movement) { m.Expiry = movement.Date{Year: 2027, Month: 2, Day: 30} }, "expiry", true},
		"document without number": {func(m *movement.Movement) { m.Document.Type = "order" }, "document.ref", false},
		"unknown document":        {func(m *movement.Movement) { m.Document = movement.Document{Type: "x", Ref: "1"} }, "document.type", false},
		"group without size":      {func(m *movement.Movement) { m.Group.ID = "g" }, "group.size", false},
		"group without id":        {func(m *movement.Movement) { m.Group.Size = 1 }, "group.id", false},
		"line before the first":   {func(m *movement.Movement) { m.Source.Line = -1 }, "source.line", false},
		"raw too long":            {func(m *movement.Movement) { m.Source.Raw = strings.Repeat("x", 1025) }, "source.raw", false},
		"raw_hex not hex":         {func(m *movement.Movement) { m.Source.RawHex = "0g" }, "source.raw_hex", false},
		"problem without code":    {func(m *movement.Movement) { m.Problem = &movement.Problem{Text: "x"} }, "problem.code", false},
		"problem without text":    {func(m *movement.Movement) { m.Problem = &movement.Problem{Code: "x"} }, "problem.text", false},
	}
	settles := func(change func(*movement.Movement)) func(*movement.Movement) {
		return func(m *movement.Movement) {
			m.Settles, m.By = movement.Settlement{Key: "till/1", Why: "seen"}, "AB"
			change(m)
		}
	}
	dismisses := func(change func(*movement.Movement)) func(*movement.Movement) {
		return settles(func(m *movement.Movement) {
			m.Kind, m.Product, m.Quantity, m.Settles.Dismissed = "", movement.Product{}, 0, true
			change(m)
		})
	}
	for name, c := range map[string]struct {
		spoil    func(*movement.Movement)
		field    string
		schemaOK bool
	}{
		"a form without a number":       {func(m *movement.Movement) { m.Paper = movement.Paper{Line: 1, TypedBy: "CD"} }, "paper.form", false},
		"a form with a sign":            {func(m *movement.Movement) { m.Paper = movement.Paper{Form: "D7K2-9Q4X", Line: 1, TypedBy: "CD"} }, "paper.form", false},
		"no line of a form":             {func(m *movement.Movement) { m.Paper = movement.Paper{Form: "D7K2M9Q4X", TypedBy: "CD"} }, "paper.line", false},
		"a line below the form":         {func(m *movement.Movement) { m.Paper = movement.Paper{Form: "D7K2M9Q4X", Line: 1000, TypedBy: "CD"} }, "paper.line", false},
		"typed in by nobody":            {func(m *movement.Movement) { m.Paper = movement.Paper{Form: "D7K2M9Q4X", Line: 1} }, "paper.typed_by", false},
		"settles nothing":               {settles(func(m *movement.Movement) { m.Settles.Key = "" }), "settles.key", false},
		"settles itself":                {settles(func(m *movement.Movement) { m.NaturalKey = m.Settles.Key }), "settles.key", true},
		"settles without a why":         {settles(func(m *movement.Movement) { m.Settles.Why = " " }), "settles.why", true},
		"settles by nobody":             {settles(func(m *movement.Movement) { m.By = "" }), "by", false},
		"settles with a problem":        {settles(func(m *movement.Movement) { m.Problem = &movement.Problem{Code: "x", Text: "y"} }), "problem.code", false},
		"corrects by no kind":           {settles(func(m *movement.Movement) { m.Kind = "" }), "kind", false},
		"dismisses and moves a product": {dismisses(func(m *movement.Movement) { m.Product = valid().Product }), "product.code", false},
		"dismisses with a kind":         {dismisses(func(m *movement.Movement) { m.Kind = movement.Dispense }), "kind", false},
		"dismisses with a quantity":     {dismisses(func(m *movement.Movement) { m.Quantity = 1 }), "quantity", false},
	} {
		cases[name] = c
	}
	s := schema(t)
	ok := valid()
	if err := ok.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			m := valid()
			c.spoil(&m)
			err := m.Validate()
			if err == nil || !strings.Contains(err.Error(), c.field) {
				t.Errorf("got %v, want an error that names %s", err, c.field)
			}
			if fault.ClassOf(err) != fault.Data || fault.CodeOf(err) != "invalid_movement" {
				t.Errorf("got %v %v", fault.ClassOf(err), fault.CodeOf(err))
			}
			if err := s.Validate(instance(t, m.AppendJSON(nil))); (err == nil) != c.schemaOK {
				t.Errorf("schema says %v", err)
			}
		})
	}
}

func TestAProblemNeedsNoProduct(t *testing.T) {
	m := movement.Movement{OccurredAt: valid().OccurredAt, RecordedAt: valid().RecordedAt,
		Problem: &movement.Problem{Code: "not_gs1", Text: "cannot be read"}}
	m.Source.SetRaw([]byte("\x00\xff"))
	if err := m.Validate(); err != nil {
		t.Error(err)
	}
	if m.Source.RawHex != "00ff" || m.Source.Raw != "" {
		t.Errorf("raw bytes kept as %+v", m.Source)
	}
	if err := schema(t).Validate(instance(t, m.AppendJSON(nil))); err != nil {
		t.Error(err)
	}
}

// The mark of a form came to version 1 later: a reader that does not know it reads
// all the rest, and what is read without it says the same of what was moved.
func TestWhoDoesNotKnowPaperReadsTheRest(t *testing.T) {
	m := valid()
	plain := m.AppendJSON(nil)
	m.Paper = movement.Paper{Form: "D7K2M9Q4X", Line: 3, TypedBy: "CD"}
	type fields movement.Movement // as Decode reads them, without methods
	var got, want fields
	if err := json.Unmarshal(m.AppendJSON(nil), &got); err != nil || got.Paper != m.Paper {
		t.Fatalf("read %+v: %v", got.Paper, err)
	}
	if err := json.Unmarshal(plain, &want); err != nil {
		t.Fatal(err)
	}
	got.Paper = movement.Paper{}
	a, b := movement.Movement(got), movement.Movement(want)
	if !a.SameEvent(&m) || !a.SameEvent(&b) || m.Print() != b.Print() || string(a.AppendJSON(nil)) != string(plain) {
		t.Errorf("with a form %s, without %s", a.AppendJSON(nil), plain)
	}
}

func TestDecodeRefuses(t *testing.T) {
	cases := map[string]struct{ record, code string }{
		"nothing":          {"", "malformed_movement"},
		"a newer version":  {`{"v":2,"occurred_at":"2026-03-01T09:00:00.000Z","recorded_at":"2026-03-01T09:00:00.000Z"}`, "unsupported_version"},
		"no version":       {`{}`, "unsupported_version"},
		"two records":      {`{"v":1}{"v":1}`, "malformed_movement"},
		"a number":         {`{"v":1,"quantity":2.5}`, "malformed_movement"},
		"a wrong date":     {`{"v":1,"expiry":"2027-02-30"}`, "malformed_movement"},
		"too many bytes":   {`{"v":1,"lot":"` + strings.Repeat("x", movement.MaxRecord) + `"}`, "malformed_movement"},
		"an array":         {`[]`, "malformed_movement"},
		"a rounded amount": {`{"v":1,"quantity":"0.1234567"}`, "malformed_movement"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := movement.Decode([]byte(c.record)); fault.CodeOf(err) != c.code {
				t.Errorf("got %v, want code %s", err, c.code)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	m := valid()
	f.Add(m.AppendJSON(nil))
	f.Add([]byte(`{"v":1,"problem":{"code":"x","text":"y"},"quantity":"-0.5"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := movement.Decode(b)
		if err != nil || m.Validate() != nil {
			return
		}
		record := m.AppendJSON(nil)
		again, err := movement.Decode(record)
		if err != nil {
			t.Fatalf("%v: %s", err, record)
		}
		if string(again.AppendJSON(nil)) != string(record) {
			t.Fatalf("not the same again: %s", record)
		}
	})
}

func BenchmarkAppendJSON(b *testing.B) {
	m := valid()
	m.Lot, m.NaturalKey = "A77B12", "till1:2026-0001:3"
	m.Source = movement.Source{Adapter: "till", File: "2026-03-01.csv", Line: 12}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = m.AppendJSON(buf[:0])
	}
}
