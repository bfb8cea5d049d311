package feed

import (
	"strings"

	"branchline/hub/ledger"
)

// A branch is told why something waits in words of its own: half a sentence for
// a reason. What the planner says more is about the branch's own goods, and is
// told as a detail. What Odoo itself has said is not: people at the hub have it.

// secret are reasons of which the sentence names documents or events that are
// not the branch's to see.
var secret = map[string]bool{"conflicting_repeat": true, "group_size_conflict": true, "posted_twice": true, "damaged_batch": true, "other_history": true, "may_be_posted": true,
	"settled_otherwise": true}

// reasonWords gives why something waits, and a detail, which may be empty.
func reasonWords(stage, reason, text string) (why, detail string) {
	if stage != stagePost && !secret[reason] {
		detail = clip(text)
	}
	words, known := ledger.WordsOfHub(reason)
	switch {
	case known:
		return words.Is, detail
	case stage == stagePost:
		return "Odoo did not take it", ""
	case detail != "": // the branch's own words, or those of a check of its record
		return detail, ""
	}
	return "a person must look at it", ""
}

// stagePost is the stage of exceptions in which Odoo's own words stand.
const stagePost = "post"

// maxWords bounds a reason, in bytes.
const maxWords = 300

func clip(text string) string {
	text = strings.TrimSpace(text)
	if len(text) <= maxWords {
		return text
	}
	return strings.ToValidUTF8(text[:maxWords], "") + "…"
}
