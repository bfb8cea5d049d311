package dispense

import (
	"strings"
	"testing"

	"branchline/internal/conf"
)

func TestColumnsOfSegments(t *testing.T) {
	hl7, asap := &HL7{Rows: "RXD"}, &ASAP{Rows: "DSP"}
	good := map[string]func(Column) string{
		"RXD-2": hl7.check, "RXD-2.1": hl7.check, "RXD-10[2].1.3": hl7.check, "MSH-10": hl7.check, "ORC-3": hl7.check, "RXE-2": hl7.check,
		"DSP08": asap.check, "DSP-8": asap.check, "PHA02": asap.check, "TH02": asap.check,
	}
	for name, check := range good {
		if why := check(Column{Name: name}); why != "" {
			t.Errorf("%s %s", name, why)
		}
	}
	bad := map[string]func(Column) string{
		"PID-5": hl7.check, "NK1-2": hl7.check, "IN1-16": hl7.check, "PV1-7": hl7.check, "OBX-5": hl7.check, "ZPI-3": hl7.check, "RXA-5": hl7.check,
		"RXD": hl7.check, "RXD-0": hl7.check, "RXD-2.0": hl7.check, "MSH-2": hl7.check, "rxd-2": hl7.check, "": hl7.check,
		"PAT05": asap.check, "PRE02": asap.check, "CDI03": asap.check, "DSP": asap.check, "DSP00": asap.check, "AIR03": asap.check,
	}
	for name, check := range bad {
		if why := check(Column{Name: name}); why == "" {
			t.Errorf("%s is accepted", name)
		}
	}
	if hl7.check(Column{Number: 3}) == "" || asap.check(Column{Number: 3}) == "" {
		t.Error("a number is accepted")
	}
}

func TestSettingsOfSegments(t *testing.T) {
	cases := map[string]string{
		"hl7: {rows: PID}":                  "exports[0].hl7.rows",
		"hl7: {encoding: utf-16}":           "exports[0].hl7.encoding",
		"asap: {rows: PAT}":                 "exports[0].asap.rows",
		"asap: {}\n  hl7: {}":               `exports[0].asap: "" cannot be beside hl7`,
		"asap: {}\n  csv: {delimiter: tab}": `exports[0].csv: "" cannot be beside asap`,
		"hl7: {}":                           `exports[0].mapping.product: "PZN" must be a segment and its field`,
		"hl7: {segments: [PID]}":            `there is no setting "segments"`,
	}
	for text, want := range cases {
		var c Config
		err := conf.Parse("agent.yaml", []byte("exports:\n- name: till\n  folder: /exports\n  "+text+
			"\n  mapping: {product: PZN, quantity: n, occurred_at: at, time_formats: [YYYY-MM-DD], key: [n]}\n"), &c)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
