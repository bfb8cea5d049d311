package config_test

import (
	"time"

	"branchline/agent/scan"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

func between(min, max int64) rule { return rule{min: &min, max: &max} }

func within(from, to time.Duration) rule { return rule{from: &from, to: &to} }

func atLeast(min int64) rule { return rule{min: &min} }

func lasting(from time.Duration) rule { return rule{from: &from} }

func oneOf[T ~string | ~int](all ...T) rule {
	var r rule
	for _, v := range all {
		r.one = append(r.one, v)
	}
	return r
}

func formed(form, words, other string) rule { return rule{form: form, words: words, other: other} }

func (r rule) needed() rule { r.must = true; return r }

const (
	hour = time.Hour
	day  = 24 * hour
)

var (
	encodings = []string{"utf-8", "utf-16", "utf-16be", "windows-1252", "windows-1250", "windows-1251", "iso-8859-1", "iso-8859-15", "cp850", "cp852", "cp866", "cp437"}
	narrow    = append([]string{"utf-8"}, encodings[3:]...) // all but UTF-16
	repeats   = oneOf("refuse", "allow", "keep")
	separated = oneOf("unproved", "proved", "dropped")
	skipped   = between(0, 1000)
)

// rules are what the validation of the stages says, setting by setting. What holds
// between several settings is left to the agent.
var rules = map[string]rule{
	"branch":   formed(`^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$`, "1 to 32 letters, digits, - and _", "BR 01"),
	"data_dir": formed(`^(/|[A-Za-z]:[\\/]|\\\\)`, "an absolute path", "here"),

	"hub.server":         formed(`^mqtts?://[^/?#]+:[0-9]+$`, "mqtt://host:port or mqtts://host:port", "hub.example.com:1883"),
	"hub.batch_records":  between(1, wire.MaxBatchRecords),
	"hub.window_bytes":   between(1<<10, 64<<20),
	"hub.window_batches": between(1, 100),
	"hub.ack_timeout":    within(100*time.Millisecond, hour),
	"hub.refused_retry":  within(100*time.Millisecond, day),
	"hub.report_every":   within(100*time.Millisecond, day),
	"hub.min_backoff":    within(10*time.Millisecond, hour),
	"hub.max_backoff":    within(10*time.Millisecond, day),
	"hub.io_timeout":     within(100*time.Millisecond, 10*time.Minute),
	"hub.keep_alive":     within(time.Second, 2*time.Minute),

	"outbox.max_bytes":  atLeast(1 << 20),
	"outbox.retention":  lasting(0),
	"outbox.key_memory": lasting(0),

	"scanners":                   {most: 32},
	"scanners[]":                 {any: []string{"port", "network"}},
	"scanners[].name":            formed(`^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$`, "1 to 64 letters, digits, spaces, dots, - and _", "a/b").needed(),
	"scanners[].station":         formed(`^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$`, "1 to 64 letters, digits, spaces, dots, - and _", "a/b"),
	"scanners[].speed":           oneOf(300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400),
	"scanners[].data_bits":       oneOf(7, 8),
	"scanners[].parity":          oneOf("none", "even", "odd"),
	"scanners[].stop_bits":       oneOf(1, 2),
	"scanners[].terminator":      oneOf("cr", "lf", "crlf", "idle"),
	"scanners[].idle_gap":        within(100*time.Millisecond, 5*time.Second),
	"scanners[].for":             oneOf(scan.Purposes...).needed(),
	"scanners[].counterpart":     formed(`^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$`, "the code of the other branch", "BR 02"),
	"scanners[].repeat":          repeats,
	"scanners[].repeat_within":   within(0, time.Minute),
	"scanners[].gs1.separators":  separated,
	"keyboard.keys":              oneOf("auto", "layout", "places"),
	"keyboard.repeat":            repeats,
	"keyboard.repeat_within":     within(0, time.Minute),
	"keyboard.gs1.separators":    separated,
	"keyboards":                  {most: 16},
	"keyboards[].name":           formed(`^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$`, "1 to 64 letters, digits, spaces, dots, - and _", "a/b").needed(),
	"keyboards[].starts_with":    formed("^[~#$%&*=!?@_/\\\\;,.:^`|<>{}][!-~]{0,7}$", "1 to 8 signs, the first of them none that a code begins with, such as ~1", "A1").needed(),
	"keyboards[].keys":           oneOf("auto", "layout", "places"),
	"keyboards[].repeat":         repeats,
	"keyboards[].repeat_within":  within(0, time.Minute),
	"keyboards[].gs1.separators": separated,

	"receiving.remind_after":      within(0, 90*day),
	"receiving.short_dated_days":  between(0, 3650),
	"receiving.ask_over_times":    between(0, 1000),
	"receiving.form_days":         between(0, 366),
	"receiving.reasons":           {keys: `^[A-Z0-9]{1,16}$`, words: "1 to 16 capital letters and digits"},
	"receiving.documents[].match": {must: true},
	"receiving.documents[].type":  oneOf("order", "delivery").needed(),

	"exports":                        {most: 32},
	"exports[].name":                 formed(`^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$`, "1 to 32 letters, digits, - and _", "a b").needed(),
	"exports[].folder":               formed(`^(/|[A-Za-z]:[\\/]|\\\\)`, "an absolute path", "here").needed(),
	"exports[].done":                 formed(`^(/|[A-Za-z]:[\\/]|\\\\)`, "an absolute path", "here"),
	"exports[].arrival":              oneOf("whole", "growing"),
	"exports[].settle":               within(time.Nanosecond, hour),
	"exports[].poll":                 within(100*time.Millisecond, hour),
	"exports[].finished":             oneOf("leave", "move"),
	"exports[].csv.delimiter":        formed(`^(tab|\t|[!-/:-~])$`, "one sign that is no digit, or tab", "ab"),
	"exports[].csv.quote":            formed(`^(none|\t|[!-/:-~])$`, "one sign that is no digit, or none", "ab"),
	"exports[].csv.encoding":         oneOf(encodings...),
	"exports[].csv.skip_lines":       skipped,
	"exports[].csv.columns":          between(0, 512),
	"exports[].fixed.columns":        {must: true, most: 512},
	"exports[].fixed.columns[].name": {must: true},
	"exports[].fixed.columns[].from": between(1, 64<<10).needed(),
	"exports[].fixed.columns[].to":   between(1, 64<<10).needed(),
	"exports[].fixed.count":          oneOf("characters", "bytes"),
	"exports[].fixed.length":         between(0, 64<<10),
	"exports[].fixed.encoding":       oneOf(encodings...),
	"exports[].fixed.skip_lines":     skipped,
	"exports[].fixed.only.from":      between(1, 64<<10).needed(),
	"exports[].fixed.only.text":      {must: true},
	"exports[].dbf.encoding":         oneOf(narrow...),
	"exports[].dbf.deleted":          oneOf("person", "skip"),
	"exports[].xml.row":              formed(`^(/[\p{L}_][\p{L}\p{N}_.-]*){1,16}$`, "the path of the elements that are rows, such as /export/receipt/item", "item").needed(),
	"exports[].hl7.rows":             oneOf("RXD", "RXE", "RXO", "RXA"),
	"exports[].hl7.encoding":         oneOf(narrow...),
	"exports[].asap.rows":            oneOf("DSP", "CDI"),
	"exports[].asap.encoding":        oneOf(narrow...),
	"exports[].mapping":              {must: true},
	"exports[].mapping.kind":         oneOf(movement.Dispense, movement.Return, movement.Wastage),
	"exports[].mapping.kinds{}":      oneOf("dispense", "return", "wastage", "ignore", "person"),
	"exports[].mapping.negative":     oneOf("person", "return"),
	"exports[].mapping.product":      {must: true},
	"exports[].mapping.schemes[]":    oneOf(movement.Schemes...),
	"exports[].mapping.quantity":     {must: true},
	"exports[].mapping.decimal":      oneOf(".", ","),
	"exports[].mapping.max_quantity": between(0, 1_000_000), // 0 is as left out,
	"exports[].mapping.units":        {most: 1000},
	"exports[].mapping.reasons":      {most: 1000},
	"exports[].mapping.codes":        {most: 1000},
	"exports[].mapping.documents":    {most: 1000},
	"exports[].mapping.occurred_at":  {must: true},
	"exports[].mapping.time_formats": {must: true},
	"exports[].mapping.key":          {must: true, most: 8},

	"users":            {most: 200},
	"users[].initials": {must: true},
	"users[].pin":      {must: true},

	"log.level":  oneOf("debug", "info", "warn", "error"),
	"log.format": oneOf("text", "json"),
}
