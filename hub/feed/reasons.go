package feed

import "strings"

// A branch is told why something waits in words of its own: half a sentence for
// a reason. What the planner says more is about the branch's own goods, and is
// told as a detail. What Odoo itself has said is not: people at the hub have it.
var reasons = map[string]string{
	// of the order
	"over_receipt":   "more than was ordered",
	"not_on_order":   "not on the order",
	"order_not_open": "Odoo expects nothing of this order",
	// of the product
	"unknown_product":     "the code is of no product that Odoo knows",
	"ambiguous_product":   "the code may be of several products",
	"archived_product":    "the product is archived in Odoo",
	"product_not_stocked": "Odoo keeps no stock of the product",
	"unknown_unit":        "the unit is not known",
	"unit_mismatch":       "the unit does not fit the product",
	"unit_inexact":        "the quantity does not fit the unit",
	// of lot and serial
	"lot_missing":         "the lot is missing",
	"unknown_lot":         "Odoo does not know the lot",
	"lot_expiry_conflict": "the lot stands in Odoo with another expiry",
	"expiry_missing":      "the expiry is missing",
	"expired_lot":         "the lot is expired",
	"serial_missing":      "the serial number is missing",
	"serial_quantity":     "a serial number belongs to one pack",
	"serial_repeated":     "the serial number came before",
	// of a count
	"count_needs_decision": "a count is compared with Odoo's stock by a person",
	// of the branch's own people
	"came_damaged":       "it came damaged",
	"did_not_come":       "it did not come",
	"conflicting_expiry": "the lot came with two expiries",
	"lot_needed":         "the branch could not say the lot",
	"serial_needed":      "the branch could not say the serial number",
	"expiry_needed":      "the branch could not say the expiry",
	"serial_again":       "the serial number was recorded before",
	// of the record
	"conflicting_repeat":  "the same event came before with another content",
	"group_size_conflict": "it does not fit the delivery or list that it came with",
	"posted_twice":        "it may stand in Odoo twice",
	"other_history":       "it may be in Odoo already",
	"may_be_posted":       "it may be in Odoo already",
	"damaged_batch":       "it cannot be read at the hub",
	"settled_otherwise":   "it was settled in two ways",
	"odoo_refused":        "Odoo did not take it",
}

// secret are reasons of which the sentence names documents or events that are
// not the branch's to see.
var secret = map[string]bool{"conflicting_repeat": true, "group_size_conflict": true, "posted_twice": true, "damaged_batch": true, "other_history": true, "may_be_posted": true,
	"settled_otherwise": true}

// reasonWords gives why something waits, and a detail, which may be empty.
func reasonWords(stage, reason, text string) (why, detail string) {
	if stage != stagePost && !secret[reason] {
		detail = clip(text)
	}
	why, known := reasons[reason]
	switch {
	case known:
		return why, detail
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
