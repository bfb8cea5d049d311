package api_test

import (
	"context"
	"testing"
	"time"

	"branchline/hub/access"
	"branchline/hub/room"
	"branchline/hub/room/roomtest"
)

// noBoard is a room whose board is the test's own.
type noBoard struct{ *roomtest.Desk }

func (noBoard) Board(context.Context) (room.Board, error) {
	return room.Board{Branches: []room.Row{{Code: "BR01", Name: "Riverside", Connected: true, Since: time.Now(), Received: 7}, {Code: "BR02", Alarms: []string{"disk full"}}}}, nil
}

func TestBranchesForPrograms(t *testing.T) {
	c := newCaller(t)
	c.Add("ann", access.Operator)
	c.get(c.Token("ann", access.See), "/api/v1/branches", "/api/v1/branches", 200)
}
