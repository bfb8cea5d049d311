package dispense

import (
	"strings"
	"testing"
	"time"

	"branchline/internal/conf"
	"branchline/internal/movement"
)

func TestValidateNamesSettingAndValue(t *testing.T) {
	cases := map[string]struct {
		change func(*Export)
		want   string
	}{
		"good":                       {func(e *Export) {}, ""},
		"no name":                    {func(e *Export) { e.Name = "a b" }, `exports[0].name: "a b"`},
		"relative folder":            {func(e *Export) { e.Folder = "exports" }, `exports[0].folder: "exports"`},
		"pattern":                    {func(e *Export) { e.Pattern = "[" }, `pattern: "["`},
		"arrival":                    {func(e *Export) { e.Arrival = "soon" }, `arrival: "soon"`},
		"settle":                     {func(e *Export) { e.Settle = lasting(-1) }, `settle: "-1ns"`},
		"settle of nothing":          {func(e *Export) { e.Settle = lasting(0) }, `settle: "0s" must be more than nothing`},
		"poll":                       {func(e *Export) { e.Poll = 1 }, `poll: "1ns"`},
		"finished":                   {func(e *Export) { e.Finished = "delete" }, `finished: "delete"`},
		"growing is never finished":  {func(e *Export) { e.Arrival, e.Finished = "growing", "move" }, `finished: "move"`},
		"done of no use":             {func(e *Export) { e.Done = "/x" }, `done: "/x"`},
		"done in the folder itself":  {func(e *Export) { e.Finished, e.Done = "move", e.Folder+"/" }, `done: `},
		"relative done":              {func(e *Export) { e.Finished, e.Done = "move", "done" }, `done: "done"`},
		"delimiter":                  {func(e *Export) { e.CSV.Delimiter = ";;" }, `csv.delimiter: ";;"`},
		"quote":                      {func(e *Export) { e.CSV.Quote = "1" }, `csv.quote: "1"`},
		"quote is delimiter":         {func(e *Export) { e.CSV.Quote = ";" }, `csv.quote: ";"`},
		"encoding":                   {func(e *Export) { e.CSV.Encoding = "ascii" }, `csv.encoding: "ascii"`},
		"skip":                       {func(e *Export) { e.CSV.SkipLines = -1 }, `csv.skip_lines: "-1"`},
		"too many columns":           {func(e *Export) { e.CSV.Columns = 513 }, `csv.columns: "513"`},
		"no header, no columns":      {func(e *Export) { no := false; e.CSV.Header = &no }, `csv.columns: "0"`},
		"no header, names":           {func(e *Export) { no := false; e.CSV.Header, e.CSV.Columns = &no, 6 }, `mapping.product: "pzn" must be a column's number`},
		"newlines while it grows":    {func(e *Export) { e.Arrival, e.CSV.QuotedNewlines = "growing", true }, `csv.quoted_newlines: "true"`},
		"no product":                 {func(e *Export) { e.Mapping.Product = Column{} }, `mapping.product: ""`},
		"no time":                    {func(e *Export) { e.Mapping.OccurredAt = Column{} }, `mapping.occurred_at: ""`},
		"column out of range":        {func(e *Export) { e.CSV.Columns, e.Mapping.Lot = 6, Column{Number: 7} }, `mapping.lot: "7"`},
		"no key":                     {func(e *Export) { e.Mapping.Key = nil }, `mapping.key: ""`},
		"a key that is none":         {func(e *Export) { e.Mapping.Key = []Column{{}} }, `mapping.key[0]: ""`},
		"kind":                       {func(e *Export) { e.Mapping.Kind = movement.Receipt }, `mapping.kind: "receipt"`},
		"decimal":                    {func(e *Export) { e.Mapping.Decimal = "'" }, `mapping.decimal: "'"`},
		"unit twice":                 {func(e *Export) { e.Mapping.Unit, e.Mapping.FixedUnit = Column{Number: 1}, "Box" }, `mapping.fixed_unit: "Box"`},
		"unknown scheme":             {func(e *Export) { e.Mapping.Schemes = []movement.Scheme{"ean"} }, `mapping.schemes: "ean"`},
		"a scheme that takes all":    {func(e *Export) { e.Mapping.Schemes = []movement.Scheme{"gtin", "sku"} }, `mapping.schemes: "sku"`},
		"no form of time":            {func(e *Export) { e.Mapping.TimeFormats = nil }, `mapping.time_formats: ""`},
		"a form that is none":        {func(e *Export) { e.Mapping.TimeFormats = []string{"yyyy-mm-dd"} }, `mapping.time_formats: "yyyy-mm-dd"`},
		"a time without a day":       {func(e *Export) { e.Mapping.TimeFormats = []string{"MM/YYYY"} }, `mapping.time_formats: "MM/YYYY"`},
		"an expiry without its form": {func(e *Export) { e.Mapping.Expiry = Column{Number: 1} }, `mapping.expiry_formats: ""`},
		"kinds without a column":     {func(e *Export) { e.Mapping.Kinds = map[string]string{"V": "return"} }, `mapping.kind_column: ""`},
		"a column without kinds":     {func(e *Export) { e.Mapping.KindColumn = Column{Name: "t"} }, `mapping.kinds: ""`},
		"a kind beside its column": {func(e *Export) {
			e.Mapping.Kind, e.Mapping.KindColumn, e.Mapping.Kinds = movement.Return, Column{Name: "t"}, map[string]string{"V": "return"}
		}, `mapping.kind: "return" cannot stand beside kind_column`},
		"a kind nobody knows": {func(e *Export) {
			e.Mapping.KindColumn, e.Mapping.Kinds = Column{Name: "t"}, map[string]string{"V": "void"}
		}, `mapping.kinds["V"]: "void"`},
		"below zero":                {func(e *Export) { e.Mapping.Negative = "drop" }, `mapping.negative: "drop"`},
		"two formats":               {func(e *Export) { e.Fixed = &Fixed{} }, `csv: "" cannot be beside fixed`},
		"fixed without columns":     {fixed(Fixed{}), `fixed.columns: ""`},
		"a column that ends before": {fixed(Fixed{Columns: []FixedColumn{{"pzn", 5, 4}}}), `fixed.columns[0].to: "4"`},
		"a column twice":            {fixed(Fixed{Columns: []FixedColumn{{"pzn", 1, 4}, {"pzn", 5, 8}}}), `fixed.columns[1].name: "pzn"`},
		"a column beyond the line":  {fixed(Fixed{Length: 7, Columns: []FixedColumn{{"pzn", 1, 8}}}), `fixed.columns[0].to: "8"`},
		"a column not listed":       {fixed(Fixed{Columns: []FixedColumn{{"pzn", 1, 8}}}), `mapping.quantity: "qty" is not one of fixed.columns`},
		"time zone":                 {func(e *Export) { e.Mapping.TimeZone = "Mars" }, `mapping.time_zone: "Mars"`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			e := sample("/exports")
			c.change(&e)
			err := (&Config{Exports: []Export{e}}).Validate()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	two := Config{Exports: []Export{sample("/a"), sample("/b")}}
	if err := two.Validate(); err == nil || !strings.Contains(err.Error(), "exports[1].name") {
		t.Errorf("two of one name: %v", err)
	}
}

// fixed makes an export one of that form.
func fixed(x Fixed) func(*Export) {
	return func(e *Export) { e.CSV, e.Fixed = CSV{}, &x }
}

func TestColumnsByNameAndNumber(t *testing.T) {
	var c Config
	err := conf.Parse("agent.yaml", []byte(`
exports:
- name: till
  folder: /exports
  settle: 10s
  mapping: {product: "3", quantity: 4, occurred_at: When, time_formats: [YYYY-MM-DD], key: [1, Beleg]}
`), &c)
	if err != nil {
		t.Fatal(err)
	}
	e := c.Exports[0]
	if e.Mapping.Product != (Column{Name: "3"}) || e.Mapping.Quantity != (Column{Number: 4}) || e.Mapping.Key[0] != (Column{Number: 1}) ||
		e.Mapping.Key[1] != (Column{Name: "Beleg"}) || *e.Settle != 10*time.Second || e.Poll != 5*time.Second || !*e.CSV.Header {
		t.Errorf("read %+v", e)
	}
}
