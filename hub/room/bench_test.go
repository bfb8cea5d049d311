package room_test

import (
	"fmt"
	"testing"

	"branchline/hub/room"
	"branchline/hub/room/roomtest"
)

// BenchmarkBoard puts the board of a chain together, which is done once a second at
// most, and gives it to one who looks, which costs nothing but the choosing.
func BenchmarkBoard(b *testing.B) {
	for _, branches := range []int{20, 2000} {
		d := roomtest.New(b)
		d.Chain(branches, 50)
		d.Posted(branches)
		b.Run(fmt.Sprintf("built of %d branches", branches), func(b *testing.B) {
			for b.Loop() {
				d.Must(d.Build(b.Context()))
			}
		})
		b.Run(fmt.Sprintf("looked at, %d branches", branches), func(b *testing.B) {
			for b.Loop() {
				_, err := d.Board(b.Context(), room.BranchFilter{})
				d.Must(err)
			}
		})
	}
}
