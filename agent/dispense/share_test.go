package dispense

import (
	"testing"
	"time"
)

// A whole file that another program still has open for writing waits longer than
// one that it has let go, and not for ever.
func TestAFileThatIsHeldOpenWaits(t *testing.T) {
	p := open(t, func(e *Export) { e.Settle = lasting(5 * time.Second) })
	held := true
	a := p.d.adapters[0]
	a.writing = func(string) bool { return held }
	p.put("a.csv", head+row(1, 1, "2"))
	after := func(d time.Duration, want string) {
		t.Helper()
		p.now = p.now.Add(d)
		a.look(t.Context())
		p.want(want)
	}
	after(0, "")
	after(6*time.Second, "")
	held = false
	after(time.Second, "R1/1=2")
	held = true
	p.put("b.csv", head+row(2, 1, "3"))
	after(0, "R1/1=2")
	after(45*time.Second, "R1/1=2")
	after(10*time.Second, "R1/1=2 R2/1=3")
}
