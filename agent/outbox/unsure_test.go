package outbox_test

import (
	"errors"
	"syscall"
	"testing"

	"branchline/agent/outbox"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

func TestACommitWhoseLastSyncFailsOnceIsMadeCertain(t *testing.T) {
	c := config(t)
	o := open(t, c)
	outbox.FailSyncs(o, 1, syscall.EIO)
	for i := range 3 {
		appendAll(t, o, movement.Live, dispensed(i))
	}
	select {
	case <-o.Failed():
		t.Error(o.Failure())
	default:
	}
	o.Close()
	if n := len(drain(t, open(t, c))); n != 3 {
		t.Errorf("%d records, want 3", n)
	}
}

// Were the outbox to go on, what it records next would take the place of what
// the file already holds.
func TestACommitThatNobodyKnowsOfEndsTheOutbox(t *testing.T) {
	c := config(t)
	o := open(t, c)
	appendAll(t, o, movement.Live, dispensed(1))
	outbox.FailSyncs(o, 2, syscall.EIO)
	write := func(n int) error {
		_, err := o.Append(t.Context(), outbox.Write{Lane: movement.Live, Movements: []*movement.Movement{keyed(n, "key")}})
		return err
	}
	if err := write(2); fault.CodeOf(err) != "outbox_unsure" || fault.ClassOf(err) != fault.Setup ||
		fault.HintOf(err) == "" || !errors.Is(err, syscall.EIO) {
		t.Errorf("error %v (%s)", err, fault.CodeOf(err))
	}
	select {
	case <-o.Failed():
	default:
		t.Fatal("the outbox goes on")
	}
	s := o.Streams()[0]
	_, errRead := o.Read(s.Epoch, s.Lane, 1, 10, 1<<20)
	for _, err := range []error{o.Failure(), write(3), errRead} {
		if fault.CodeOf(err) != "outbox_unwritable" || fault.ClassOf(err) != fault.Setup {
			t.Errorf("error %v (%s)", err, fault.CodeOf(err))
		}
	}
	if st, _ := o.Stats(); st.Trouble != "outbox_unwritable" {
		t.Errorf("trouble %q", st.Trouble)
	}
	o.Close()
	o = open(t, c)
	p := appendAll(t, o, movement.Live, keyed(2, "key"), dispensed(4))
	if !p[0].Known || p[0].Seq != 2 || p[1].Seq != 3 {
		t.Errorf("after the restart: %+v", p)
	}
	if v, err := outbox.Verify(t.Context(), o); err != nil || !v.Sound() || v.Records != 3 {
		t.Errorf("%+v, %v", v, err)
	}
}
