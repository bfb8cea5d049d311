package room_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"branchline/hub/room/roomtest"
	"branchline/internal/wire"
)

func TestTheFiguresOfBranches(t *testing.T) {
	d := roomtest.New(t)
	d.Chain(2, 5)
	free := int64(3 << 30)
	d.Heard("BR0001", wire.State{At: time.Now(), DiskFree: &free, Scanners: []wire.ScannerState{{Name: "a"}, {Name: "b", Up: true}},
		Adapters: []wire.AdapterState{{Name: "till", State: wire.AdapterWaiting, Open: 3}}})
	d.Heard("BR0002", wire.State{At: time.Now()})
	want := `# HELP branchline_hub_branch_adapters_down Readers of exported files of the branch that do not read, as it last reported.
# TYPE branchline_hub_branch_adapters_down gauge
branchline_hub_branch_adapters_down{branch="BR0001"} 1
branchline_hub_branch_adapters_down{branch="BR0002"} 0
# HELP branchline_hub_branch_bad_rows Rows of exported files that wait for a person at the branch, as it last reported.
# TYPE branchline_hub_branch_bad_rows gauge
branchline_hub_branch_bad_rows{branch="BR0001"} 3
branchline_hub_branch_bad_rows{branch="BR0002"} 0
# HELP branchline_hub_branch_disk_free_bytes What the branch's disk had left, to 64 MiB, as it last reported; not there where it did not.
# TYPE branchline_hub_branch_disk_free_bytes gauge
branchline_hub_branch_disk_free_bytes{branch="BR0001"} 3.221225472e+09
# HELP branchline_hub_branch_scanners_down Scanners of the branch that do not work, as it last reported.
# TYPE branchline_hub_branch_scanners_down gauge
branchline_hub_branch_scanners_down{branch="BR0001"} 1
branchline_hub_branch_scanners_down{branch="BR0002"} 0
`
	if err := testutil.CollectAndCompare(d.Collector(), strings.NewReader(want), "branchline_hub_branch_adapters_down", "branchline_hub_branch_bad_rows",
		"branchline_hub_branch_disk_free_bytes", "branchline_hub_branch_scanners_down"); err != nil {
		t.Error(err)
	}
}

// What runs low and what expires is a figure where it is known, and not there where it
// is not.
func TestTheFiguresOfReplenishment(t *testing.T) {
	d := roomtest.New(t)
	d.Replenish()
	want := `# HELP branchline_hub_branch_expiring_lots Lots at the branch that expire soon; not there while that is not known.
# TYPE branchline_hub_branch_expiring_lots gauge
branchline_hub_branch_expiring_lots{branch="BR01"} 1
# HELP branchline_hub_branch_low_stock_products Products of which the branch has less than Odoo's reordering rule says; not there while that is not known.
# TYPE branchline_hub_branch_low_stock_products gauge
branchline_hub_branch_low_stock_products{branch="BR01"} 1
`
	if err := testutil.CollectAndCompare(d.Collector(), strings.NewReader(want), "branchline_hub_branch_expiring_lots", "branchline_hub_branch_low_stock_products"); err != nil {
		t.Error(err)
	}
}
