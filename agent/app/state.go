package app

import (
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/agent/counter"
	"branchline/agent/outbox"
	"branchline/agent/receive"
	"branchline/agent/web"
	"branchline/internal/ui"
	"branchline/internal/webserver"
	"branchline/internal/wire"
)

// State is what the page shows.
func (a *App) State() web.State {
	line := a.uplink.Status()
	s := web.State{Branch: a.cfg.Branch, Version: a.version, Hub: web.Hub{
		Connected: line.Connected, Since: line.Since, LastConfirmed: line.LastContact}}
	if line.LastError != nil {
		s.Hub.Trouble = line.LastError.Error()
	}
	st, err := a.outbox.Stats()
	if err != nil {
		s.Alarms = append(s.Alarms, "The outbox cannot be read: "+err.Error())
	}
	s.Unsent, s.OldestUnsent, s.Kept = st.Unsent, st.OldestUnsent, st.Bytes
	for _, alarm := range append(a.alarms(st), line.Alarms...) {
		s.Alarms = append(s.Alarms, alarm.Text)
	}
	for _, o := range a.desk.Sessions() {
		if v, err := a.desk.View(o.ID); err == nil { // else it was confirmed just now
			s.Open = append(s.Open, openOf(&o, v.Notices))
		}
	}
	for _, d := range append(a.scans.Status(), a.scans.Keyboards()...) {
		detail := d.Port
		if d.Reason != "" {
			detail += ": " + d.Reason
		}
		s.Scanners = append(s.Scanners, web.Device{Name: d.Name, For: forWords(d), Up: d.Up, Since: d.Since, Detail: detail,
			Scans: uint64(max(d.Codes, 0)), Testing: d.Testing.After(time.Now()), Test: reportOf(d.Test)})
	}
	for _, e := range a.exports.Status() {
		s.Exports = append(s.Exports, exportOf(e))
	}
	return s
}

// openOf says a session to the page.
func openOf(s *receive.Session, notices []counter.Notice) web.Open {
	o := web.Open{Kind: s.Noun(), Document: s.Called(), Since: s.Opened, Lines: len(s.Entries),
		Packs: s.Packs().String(), Stations: s.Stations, Next: "Scan the goods, or BL-CANCEL to close it."}
	questions := 0
	for _, n := range notices {
		if n.Open {
			questions++
		}
	}
	switch {
	case questions > 0:
		o.Next = ui.Many(questions, "question is", "questions are") + " open. Answer on the page; or at a scanner, BL-ACCEPT says that it is right, BL-PERSON leaves it to a person, BL-UNDO takes it back."
	case s.Form != "":
		o.Next = "Go on typing it in under On paper, then confirm it."
	case len(s.Stations) == 0:
		o.Next = "Scan its document to go on with it."
	case len(s.Entries) > 0:
		o.Next = "When all is scanned: scan BL-CONFIRM at " + strings.Join(s.Stations, " or ") + "."
	}
	return o
}

// alarms is what a person at the branch must know of the outbox and exports.
func (a *App) alarms(st outbox.Stats) []wire.Alarm {
	var list []wire.Alarm
	if st.Trouble != "" {
		list = append(list, wire.Alarm{Code: st.Trouble, Text: st.TroubleText})
	}
	for _, alarm := range st.Alarms {
		list = append(list, wire.Alarm{Code: alarm.Code, Text: alarm.Text})
	}
	if w, after := a.desk.Waiting(), a.cfg.Receive.RemindAfter; after > 0 && !w.Oldest.IsZero() && time.Since(w.Oldest) >= after {
		list = append(list, wire.Alarm{Code: "open_long", Text: "A delivery or count is open since " + w.Oldest.Format("2 January 15:04") +
			": confirm it (BL-CONFIRM), or throw it away (BL-CANCEL, twice). Nothing of it is at the hub yet."})
	}
	list = append(list, a.identity.Alarms()...)
	for _, e := range a.exports.Status() {
		if e.Code != "" {
			list = append(list, wire.Alarm{Code: e.Code, Text: fmt.Sprintf("Export %s: %s", e.Name, e.Reason)})
		}
	}
	return list
}

// Health is what /healthz reports. Its problems are why something captured now
// would not be safe; an absent hub is none.
func (a *App) Health() (h webserver.Health) {
	st, err := a.outbox.Stats()
	if err != nil {
		h.Problems = []string{err.Error()}
		return h
	}
	if st.Trouble != "" {
		h.Problems = []string{st.TroubleText}
	}
	for _, alarm := range append(a.alarms(st), a.uplink.Status().Alarms...) {
		if alarm.Code != st.Trouble {
			h.Warnings = append(h.Warnings, alarm.Text)
		}
	}
	for _, x := range a.scans.Status() {
		if !x.Up {
			h.Warnings = append(h.Warnings, wire.ScannerState{Name: x.Name, Since: x.Since, Reason: x.Reason}.Words(time.Local))
		}
	}
	return h
}

// outboxMetrics reports the outbox when it is asked.
type outboxMetrics struct{ *outbox.Outbox }

var (
	unsentDesc  = prometheus.NewDesc("branchline_agent_outbox_unsent", "Movements that the hub has not yet confirmed.", nil, nil)
	oldestDesc  = prometheus.NewDesc("branchline_agent_outbox_oldest_unsent_timestamp_seconds", "When the oldest unsent movement was recorded, 0 for none.", nil, nil)
	bytesDesc   = prometheus.NewDesc("branchline_agent_outbox_bytes", "Bytes that the outbox holds.", nil, nil)
	limitDesc   = prometheus.NewDesc("branchline_agent_outbox_limit_bytes", "Bytes at which capture stops.", nil, nil)
	stoppedDesc = prometheus.NewDesc("branchline_agent_capture_stopped", "1 while nothing can be recorded.", nil, nil)
)

func (m outboxMetrics) Describe(c chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, c) }

func (m outboxMetrics) Collect(c chan<- prometheus.Metric) {
	st, err := m.Stats()
	if err != nil {
		c <- prometheus.NewInvalidMetric(unsentDesc, err)
		return
	}
	gauge := func(d *prometheus.Desc, v float64) {
		c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	gauge(unsentDesc, float64(st.Unsent))
	oldest := 0.0
	if !st.OldestUnsent.IsZero() {
		oldest = float64(st.OldestUnsent.UnixMilli()) / 1000
	}
	gauge(oldestDesc, oldest)
	gauge(bytesDesc, float64(st.Bytes))
	gauge(limitDesc, float64(st.MaxBytes))
	stopped := 0.0
	if st.Trouble != "" {
		stopped = 1
	}
	gauge(stoppedDesc, stopped)
}
