package receive

import (
	"strings"
	"testing"
)

func TestPatterns(t *testing.T) {
	cases := map[string]struct {
		p    Pattern
		want string
	}{
		"good":             {Pattern{`PO-(\d+)`, "order"}, ""},
		"no expression":    {Pattern{`P(`, "order"}, `documents[0].match: "P(" is not a regular expression`},
		"empty":            {Pattern{``, "order"}, `is not a regular expression`},
		"matches products": {Pattern{`\d+`, "order"}, `also matches codes of products`},
		"matches commands": {Pattern{`[A-Z-]+`, "order"}, `also matches codes of products or commands`},
		"unknown type":     {Pattern{`P\d+`, "invoice"}, `documents[0].type: "invoice"`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := (&Config{Documents: []Pattern{c.p}}).Validate()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	def := DefaultConfig()
	if err := def.Validate(); err != nil {
		t.Error(err)
	}
	docs, err := (&Config{Documents: []Pattern{{`PO-(\d+)`, "order"}}}).compile()
	if err != nil {
		t.Fatal(err)
	}
	if doc, ok := docs.find("PO-77"); !ok || doc.Ref != "77" {
		t.Errorf("found %+v", doc)
	}
	if doc, ok := docs.find("xPO-77"); ok {
		t.Errorf("found %+v", doc)
	}
}
