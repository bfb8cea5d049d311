package fault_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"branchline/internal/fault"
)

func TestClassSurvivesWrapping(t *testing.T) {
	unknown := fault.New(fault.Data, "unknown_product", "product %s is not in Odoo", "04012345678901").
		WithHint("map the code to a product")
	cases := map[string]struct {
		err   error
		class fault.Class
		code  string
		hint  string
	}{
		"a fault":             {unknown, fault.Data, "unknown_product", "map the code to a product"},
		"a wrapped fault":     {fmt.Errorf("planning: %w", unknown), fault.Data, "unknown_product", "map the code to a product"},
		"a deadline":          {fmt.Errorf("odoo: %w", context.DeadlineExceeded), fault.Transient, "internal", ""},
		"a timeout":           {&os.SyscallError{Syscall: "read", Err: os.ErrDeadlineExceeded}, fault.Transient, "internal", ""},
		"nobody foresaw this": {errors.New("index out of range"), fault.Defect, "internal", ""},
		"the outermost class wins": {
			fault.New(fault.Transient, "odoo_away", "posting: %w", unknown), fault.Transient, "odoo_away", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := fault.ClassOf(c.err); got != c.class {
				t.Errorf("class %v, want %v", got, c.class)
			}
			if got := fault.CodeOf(c.err); got != c.code {
				t.Errorf("code %q, want %q", got, c.code)
			}
			if got := fault.HintOf(c.err); got != c.hint {
				t.Errorf("hint %q, want %q", got, c.hint)
			}
		})
	}
}

func TestMessageKeepsItsCause(t *testing.T) {
	cause := os.ErrPermission
	err := fault.New(fault.Setup, "outbox_unwritable", "cannot open outbox.db: %w", cause)
	if !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
	if want := "cannot open outbox.db: permission denied"; err.Error() != want {
		t.Errorf("message %q, want %q", err, want)
	}
}

func TestMessageAndHintInOneLine(t *testing.T) {
	for want, err := range map[string]error{
		"the disk is full":                  fault.New(fault.Transient, "x", "the disk is full"),
		"the disk is full: make room":       fault.New(fault.Transient, "x", "the disk is full").WithHint("make room"),
		"did 30 come? Scan it again":        fault.New(fault.Data, "x", "did 30 come?").WithHint("scan it again"),
		"did 30 come? Überprüfen: \"a\"":    fault.New(fault.Data, "x", "did 30 come?").WithHint("überprüfen: \"a\""),
		"which lot is it? \"A\" or another": fault.New(fault.Data, "x", "which lot is it?").WithHint("\"A\" or another"),
	} {
		if got := err.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
