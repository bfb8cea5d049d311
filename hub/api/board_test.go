package api_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"branchline/hub/access"
	"branchline/hub/ledger"
	"branchline/hub/room/roomtest"
)

func TestBranchesForPrograms(t *testing.T) {
	c := newCaller(t)
	c.Chain(12, 10)
	c.LineChanged(ledger.LineChange{Branch: "BR0001", At: time.Now(), Why: "the connection was cut"})
	c.Add("ann", access.Operator)
	see := c.Token("ann", access.See)
	const list = "/api/v1/branches"
	var codes []string
	for cursor, n := "", 0; n < 10; n++ {
		var page struct {
			Branches []struct{ Code string }
			Next     string
		}
		c.Must(json.Unmarshal(c.get(see, list+"?limit=5&cursor="+cursor, list, 200), &page))
		for _, b := range page.Branches {
			codes = append(codes, b.Code)
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(codes) != 12 || !slices.IsSorted(codes) || codes[11] != roomtest.Code(11) {
		t.Errorf("by pages: %v", codes)
	}
	var some struct{ Branches []struct{ Code, Need string } }
	c.Must(json.Unmarshal(c.get(see, list+"?group=South&state=devices", list, 200), &some))
	if len(some.Branches) != 1 || some.Branches[0].Code != "BR0010" || some.Branches[0].Need != "look" {
		t.Errorf("%+v", some)
	}
	var one struct {
		Code     string
		Adapters []struct{ Good int64 }
		Lines    []struct{ Why string }
		Hours    []struct{ Movements int64 }
	}
	c.Must(json.Unmarshal(c.get(see, list+"/BR0001", list+"/{code}", 200), &one))
	if one.Code != "BR0001" || one.Adapters[0].Good != 812 || len(one.Lines) != 1 || one.Lines[0].Why == "" || len(one.Hours) != 48 {
		t.Errorf("%+v", one)
	}
	for path, status := range map[string]int{list + "?state=sad": 400, list + "?cursor=e30": 400, list + "/BR99": 404} {
		c.get(see, path, "", status)
	}
}
