package web

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/room"
	"branchline/internal/ui"
)

// drawings are the template functions of the board:
//
//	spark    a day's movements as a small picture
//	chart    movements by the hour as a picture
//	strip    when a line was up, as a picture
//	now      this moment
//	clockIn  the time of day in a zone, with the day where it is not today there
//	lasting  how long something took, as people say it
//	secs     for how many seconds a moment is past
//	join     several texts as one
//	bytes    how much room on a disk
var drawings = template.FuncMap{"spark": spark, "chart": chart, "strip": strip, "now": time.Now, "lasting": ui.Ago, "clockIn": clockIn, "secs": secs, "join": strings.Join,
	"bytes": func(n int64) string { return fmt.Sprintf("%.1f GB", float64(n)/(1<<30)) }}

// spark draws the movements of a day as 24 bars.
func spark(day ledger.DayHours) template.HTML {
	most, sum := int64(0), int64(0)
	for _, n := range day {
		most, sum = max(most, n), sum+n
	}
	const wide, high = 4, 22
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="spark" viewBox="0 0 %d %d" role="img" aria-label="%s in the last 24 hours, at most %d in one">`,
		wide*len(day), high, ui.Many(sum, "movement", "movements"), most)
	for i, n := range day {
		if h := barHeight(n, most, high); h > 0 {
			fmt.Fprintf(&b, `<path d="M%d %dv-%d"/>`, i*wide+1, high, h)
		}
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) // made of numbers
}

// barHeight is at least 1 where there is anything.
func barHeight(n, most int64, high int) int {
	if n <= 0 {
		return 0
	}
	return max(1, int(n*int64(high)/most))
}

// secs is for how many seconds a moment is past, for the browser to count on.
func secs(t time.Time) int64 { return int64(max(time.Since(t), 0) / time.Second) }

// chart draws the movements of each hour as a bar that says what it is.
func chart(hours []ledger.HourCount, zone *time.Location) template.HTML {
	most := int64(0)
	for _, h := range hours {
		most = max(most, h.Movements)
	}
	const wide, high = 10, 120
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="chart" viewBox="0 0 %d %d" preserveAspectRatio="none" aria-hidden="true" focusable="false">`, wide*len(hours), high)
	for i, h := range hours {
		if n := barHeight(h.Movements, most, high-4); n > 0 {
			fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%d" height="%d"><title>%s: %d</title></rect>`,
				i*wide+1, high-n, wide-2, n, h.Hour.In(zone).Format("2 Jan 15:04"), h.Movements)
		}
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) // made of numbers and dates
}

// strip draws when a line was up, as a full bar, and when not, as a thin one, over
// the time that is shown; before the first known change there is nothing.
func strip(changes []ledger.LineChange, now time.Time) template.HTML {
	const wide, high = 1000, 24
	begin := now.Add(-room.LinesShownFor)
	at := func(t time.Time) int {
		return int(min(max(t.Sub(begin), 0), room.LinesShownFor) * wide / room.LinesShownFor)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="strip" viewBox="0 0 %d %d" preserveAspectRatio="none" aria-hidden="true" focusable="false">`, wide, high)
	until := now
	for _, c := range changes { // the newest first
		x, y, h, class := at(c.At), 0, high, "up"
		if !c.Online {
			y, h, class = high/2-2, 4, "down"
		}
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="%d" width="%d" height="%d"/>`, class, x, y, max(at(until)-x, 1), h)
		until = c.At
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) // made of numbers
}

func clockIn(t time.Time, zone *time.Location) string { return ui.Clock(t, time.Now().In(zone)) }
