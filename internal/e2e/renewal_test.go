package e2e

import (
	"fmt"
	"testing"
	"time"

	"branchline/agent/uplink"
	"branchline/internal/fault"
	"branchline/internal/trust"
)

// uplinkOf is an uplink's configuration that knows the hub by nothing but the PC's
// identity.
func uplinkOf(p *pc, branch string) uplink.Config {
	cfg := uplinkConfig(branch, "127.0.0.1:1")
	cfg.Server, cfg.Identity = "", p.Identity
	return cfg
}

// A PC sends from the moment at which it is enrolled, goes over to renewed
// certificates while it sends, without a restart, and nothing is lost or comes twice.
func TestCertificatesAreRenewedWhileTheBranchSends(t *testing.T) {
	ledger := newMemLedger()
	c := newCentre(t, fmt.Sprintf("mqtts://127.0.0.1:%d", freePort(t)))
	b := brokerOf(t, c, newIngest(ledger))
	p := newPC(t, "BR01", t.TempDir()+"/identity")
	outbox := newMemOutbox("BR01")
	fill(outbox, 0, 500)
	cfg := uplinkOf(p, "BR01")
	cfg.BatchRecords = 20
	up, _ := startAgent(t, cfg, outbox)
	until(t, "it says that it is not enrolled", func() bool { return fault.CodeOf(up.Status().LastError) == "not_enrolled" })
	if err := p.Enrol(t.Context(), c.door, c.code("BR01")); err != nil {
		t.Fatal(err)
	}
	p.works(t)
	drained(t, outbox)
	for round := 1; round <= 4; round++ {
		before := p.certificate(t)
		fill(outbox, 500*round, 500*round+250)
		c.turn(61 * 24 * time.Hour)
		until(t, "a renewal", func() bool { return !p.certificate(t).Leaf.Equal(before.Leaf) })
		fill(outbox, 500*round+250, 500*round+500)
		drained(t, outbox)
		until(t, "the line with the new certificate", func() bool {
			members, err := c.Members(t.Context())
			return err == nil && !members[0].Seen.IsZero() && members[0].Issued.Equal(p.certificate(t).Leaf.NotBefore)
		})
	}
	exactlyOnce(t, ledger, 2500)
	members, err := c.Members(t.Context())
	if err != nil || len(members[0].Said) != 0 {
		t.Errorf("it is taken for a copy: %+v, %v", members[0].Said, err)
	}
	if l := b.Connections(); len(l) != 1 || l[0].Takeovers != 0 {
		t.Errorf("its lines push each other out: %+v", l)
	}
}

// The PC that was replaced keeps what it records, says why, and the other one sends.
func TestTheReplacedPCKeepsWhatItRecords(t *testing.T) {
	ledger := newMemLedger()
	c := newCentre(t, fmt.Sprintf("mqtts://127.0.0.1:%d", freePort(t)))
	brokerOf(t, c, newIngest(ledger))
	old, oldOutbox := newPC(t, "BR01", t.TempDir()+"/identity"), newMemOutbox("BR01")
	up, _ := startAgent(t, uplinkOf(old, "BR01"), oldOutbox)
	if err := old.Enrol(t.Context(), c.door, c.code("BR01")); err != nil {
		t.Fatal(err)
	}
	old.works(t)
	fill(oldOutbox, 0, 100)
	drained(t, oldOutbox)
	fresh, outbox := newPC(t, "BR01", t.TempDir()+"/identity"), newMemOutbox("BR01")
	if err := fresh.Enrol(t.Context(), c.door, c.code("BR01")); err != nil {
		t.Fatal(err)
	}
	fresh.works(t)
	until(t, "the old PC's line is cut", func() bool { return !up.Status().Connected })
	fill(oldOutbox, 100, 200)
	until(t, "the old PC says why", func() bool {
		return !up.Status().Connected && fault.CodeOf(up.Status().LastError) == trust.CodeReplaced && old.alarms() == trust.CodeReplaced
	})
	startAgent(t, uplinkOf(fresh, "BR01"), outbox)
	fill(outbox, 200, 300)
	drained(t, outbox)
	if left, _ := oldOutbox.unsent(); left != 100 {
		t.Errorf("the old PC has kept %d", left)
	}
}
