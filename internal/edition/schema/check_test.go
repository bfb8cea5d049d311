package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"branchline/internal/edition/schema"
)

// read is YAML as Check takes it.
func read(t *testing.T, text string) any {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	var plain func(n *yaml.Node) any
	plain = func(n *yaml.Node) any {
		switch n.Kind {
		case yaml.MappingNode:
			m := map[string]any{}
			for i := 0; i < len(n.Content); i += 2 {
				m[n.Content[i].Value] = plain(n.Content[i+1])
			}
			return m
		case yaml.SequenceNode:
			all := []any{}
			for _, c := range n.Content {
				all = append(all, plain(c))
			}
			return all
		}
		return schema.Value(n)
	}
	return plain(doc.Content[0])
}

func TestProblemsAreInWordsAboutTheSetting(t *testing.T) {
	const mapping = "{product: P, quantity: Q, occurred_at: D, time_formats: [YYYY], key: [K]}"
	for text, want := range map[string]string{
		"hub: {}":                     "",
		"hub: {min_backoff: 2s}":      "",
		"hub: {min_backof: 2s}":       `hub/min_backof there is no such setting, did you mean "min_backoff"?`,
		"nonsense: 1":                 "nonsense there is no such setting",
		"hub: {min_backoff: soon}":    `hub/min_backoff "soon" is not a time with its unit, such as 30s, 5m or 24h`,
		"hub: {min_backoff: 3}":       "hub/min_backoff 3 is not a time with its unit, such as 30s, 5m or 24h",
		"hub: {min_backoff: 2h}":      `hub/min_backoff "2h" is more than 1h0m0s`,
		"hub: {min_backoff: 1ms}":     `hub/min_backoff "1ms" is less than 10ms`,
		"hub: {batch_records: 0}":     "hub/batch_records 0 is less than 1",
		"hub: {batch_records: 20000}": "hub/batch_records 20000 is more than 10000",
		"hub: {batch_records: many}":  `hub/batch_records "many" is not a whole number`,
		"hub: {batch_records: 1.5}":   "hub/batch_records 1.5 is not a whole number",
		"hub: 7":                      "hub 7 is not a group of settings, indented below it",
		"hub: [a]":                    "hub a list is not a group of settings, indented below it",
		"users: {a: 1}":               "users a group of settings is not a list, each entry behind a dash",
		"log: {level: loud}":          `log/level "loud" is not one of debug, info, warn, error`,
		"log: {file: " + strings.Repeat("x", 500) + ", format: 1}":                           "log/format 1 is not text: write it in quotes",
		"scanners: [{name: a, port: COM3}]":                                                  "scanners/0/for must be given (missing)",
		"scanners: [{name: a, for: count}]":                                                  "scanners/0/port or network must be given (missing)",
		"receiving: {reasons: {wet: x}}":                                                     "receiving/reasons/wet cannot be named so, want names of 1 to 16 capital letters and digits",
		"users: [{initials: AB, pin: x}, {pin: y}]":                                          "users/1/initials must be given (missing)",
		"exports: [{name: a, folder: x, mapping: " + mapping + "}]":                          `exports/0/folder "x" is not an absolute path`,
		"exports: [{name: a, folder: /x, csv: {header: perhaps}, mapping: " + mapping + "}]": `exports/0/csv/header "perhaps" is not true or false`,
		"web: {listen: 127.0.0.1:80, hosts: [a, 1, b]}":                                      "web/hosts/1 1 is not text: write it in quotes",
		"web: {hosts: ~}": "web/hosts nothing is not a list, each entry behind a dash",
	} {
		var got []string
		for _, p := range schema.Check(read(t, text)) {
			words := strings.Join(p.Path, "/") + " " + p.Text
			if p.Missing {
				words += " (missing)"
			}
			got = append(got, words)
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%.60s: %s, want %s", text, strings.Join(got, "; "), want)
		}
	}
}

// All that is wrong is told at once, in order, and the same each time.
func TestAllProblemsAreTold(t *testing.T) {
	c := read(t, "log: {level: loud, format: xml}\nhub: {min_backof: 1s, ack_timeout: soon}\nweb: {port: 80}\n")
	first := fmt.Sprint(schema.Check(c))
	if n := len(schema.Check(c)); n != 5 {
		t.Errorf("%d problems: %s", n, first)
	}
	for range 20 {
		if again := fmt.Sprint(schema.Check(c)); again != first {
			t.Fatalf("now %s, before %s", again, first)
		}
	}
}

func TestLongValuesAreCut(t *testing.T) {
	p := schema.Check(read(t, "log: {level: "+strings.Repeat("ü", 500)+"}"))
	if len(p) != 1 || len(p[0].Text) > 250 || !strings.Contains(p[0].Text, "ü…") {
		t.Errorf("%+v", p)
	}
}

func TestScalarsOfYAML(t *testing.T) {
	for text, want := range map[string]any{"a": "a", `"1"`: "1", "1": 1, "0x10": 16, "-3": -3, "1.5": 1.5, "true": true, "~": nil, "": nil,
		".nan": ".nan", ".inf": ".inf", "2026-01-01": "2026-01-01", "18446744073709551616": 1.8446744073709552e19, "!!binary aGk=": "aGk=", "yes": "yes"} {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte("v: "+text), &doc); err != nil {
			t.Fatal(err)
		}
		if got := schema.Value(doc.Content[0].Content[1]); got != want {
			t.Errorf("%s is %v (%T), want %v", text, got, got, want)
		}
	}
}
