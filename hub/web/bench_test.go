package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"branchline/hub/access"
	"branchline/hub/room/roomtest"
	"branchline/internal/wire"
)

// BenchmarkBoardPage asks for the board as a browser does that opens it, and as an
// open one does after 10 of its branches have changed: how long until the page is
// there, and how much of it travels.
func BenchmarkBoardPage(b *testing.B) {
	for _, branches := range []int{100, 2000} {
		d, url, _ := newChain(b, branches, 50)
		see := d.Token("ann", access.See)
		whole := asked(b, url+"/?sort=code", see, "")
		b.Run(fmt.Sprintf("opened, %d branches", branches), func(b *testing.B) {
			for b.Loop() {
				asked(b, url+"/?sort=code", see, "")
			}
			b.ReportMetric(float64(len(whole)), "B/page")
		})
		for n := range 10 {
			d.Heard(roomtest.Code(n*7), wire.State{Unsent: uint64(n + 100), At: time.Now()})
		}
		have, update := marksIn(whole), ""
		for deadline := time.Now().Add(20 * time.Second); strings.Count(update, "<tbody data-key=") < 10; { // what is shown may be a second old
			if update = asked(b, url+"/?sort=code", see, have); time.Now().After(deadline) {
				b.Fatal("the changed branches are not shown")
			}
		}
		b.Run(fmt.Sprintf("10 changed, %d branches", branches), func(b *testing.B) {
			for b.Loop() {
				asked(b, url+"/?sort=code", see, have)
			}
			b.ReportMetric(float64(len(update)), "B/update")
			b.ReportMetric(float64(len(update))/float64(len(whole)), "of_the_page")
		})
	}
}
