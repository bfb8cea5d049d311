package ledger

import "slices"

// ReasonWords explain a reason code.
type ReasonWords struct {
	// Is is half a sentence: why it waits.
	Is string
	// Next is what a person at the hub can do about it, in a sentence.
	Next string
}

// What can be done next, where it is the same for many reasons.
const (
	nextOrder   = "Compare with the order: correct it, mend the order in Odoo and retry, or release it as it is."
	nextBox     = "Ask both branches what was in the box: release it as it is, or discard what is counted already."
	nextProduct = "Mend the product in Odoo and retry, map the code to another product, or discard it."
	nextField   = "Look at what was read, then correct the field; or mend Odoo and retry."
	nextBranch  = "Ask the branch, then correct the field, or discard it."
	nextLook    = "Look whether Odoo holds it: if so, discard it; if not, release it."
)

// reasonWords are for the codes of all stages. The sentence that an exception
// carries says more.
var reasonWords = map[string]ReasonWords{
	// of the order
	"over_receipt":   {"more than was ordered", nextOrder},
	"not_on_order":   {"not on the order", nextOrder},
	"order_not_open": {"Odoo expects nothing of this order", nextOrder},
	// of the transfer
	"more_than_sent":  {"more than was sent", nextBox},
	"no_box_number":   {"it was taken in without its box's number", "Ask which box it was: correct the document to its number, release it as it is, or discard it."},
	"taken_in_before": {"the box was taken in before", nextBox},
	// of the product
	"unknown_product":     {"the code is of no product that Odoo knows", "Map the code to a product: all that waits for it goes on."},
	"ambiguous_product":   {"the code may be of several products", "Map the code to the one that is meant, or mend the barcodes in Odoo; then retry."},
	"archived_product":    {"the product is archived in Odoo", nextProduct},
	"product_not_stocked": {"Odoo keeps no stock of the product", nextProduct},
	"unknown_unit":        {"the unit is not known", nextField},
	"unit_mismatch":       {"the unit does not fit the product", nextField},
	"unit_inexact":        {"the quantity does not fit the unit", nextField},
	// of lot and serial
	"lot_missing":         {"the lot is missing", nextField},
	"unknown_lot":         {"Odoo does not know the lot", "Look at the pack: correct the lot, or release it as it is."},
	"lot_expiry_conflict": {"the lot stands in Odoo with another expiry", "Look at the pack: correct the expiry, or mend the lot in Odoo and retry."},
	"expiry_missing":      {"the expiry is missing", nextField},
	"expired_lot":         {"the lot is expired", "Look at the pack: correct the expiry, release it as it is, or discard it."},
	"serial_missing":      {"the serial number is missing", nextField},
	"serial_quantity":     {"a serial number belongs to one pack", nextField},
	"serial_repeated":     {"the serial number came before", "Look at the pack: correct the serial number, release it as it is, or discard it."},
	// of a count
	"count_needs_decision": {"a count is compared with Odoo's stock by a person", "Set the stock in Odoo, then discard it."},
	// of the branch's own people
	"came_damaged":       {"it came damaged", nextBranch},
	"did_not_come":       {"it did not come", nextBranch},
	"conflicting_expiry": {"the lot came with two expiries", nextBranch},
	"lot_needed":         {"the branch could not say the lot", nextBranch},
	"serial_needed":      {"the branch could not say the serial number", nextBranch},
	"expiry_needed":      {"the branch could not say the expiry", nextBranch},
	"product_needed":     {"the branch could not say the product", nextBranch},
	"serial_again":       {"the serial number was recorded before", nextBranch},
	// of the record
	"conflicting_repeat":  {"the same event came before with another content", "Compare both: release this one as a second event, or discard it."},
	"group_size_conflict": {"it does not fit the delivery or list that it came with", "Ask the branch whether the goods are there: release it, or discard it."},
	"posted_twice":        {"it may stand in Odoo twice", "Take one of both documents back in Odoo, with a return; then discard the exception."},
	"form_elsewhere":      {"another branch has typed in the same form", "Ask whose form it is: release this one if it is this branch's, else discard it."},
	ReasonOtherHistory:    {"it may be in Odoo already", nextLook},
	ReasonMayBePosted:     {"it may be in Odoo already", nextLook},
	"row_corrected":       {"the row was corrected here before, or is in Odoo as it was corrected", "Compare both: discard this one, or release it as a second event."},
	"lost_at_branch":      {"the branch no longer has it", "Count the stock of the branch, then discard the exception."},
	"damaged_batch":       {"it cannot be read at the hub", "Put back the newest backup of the ledger; the branch sends the rest again."},
	"settled_otherwise":   {"it was settled in two ways", "Compare both: release this one as well, or discard it."},
	"odoo_refused":        {"Odoo did not take it", "Read what Odoo said, mend it there and retry; or correct it."},
	"malformed_movement":  {"it is no movement", "Have it recorded again at the branch, then discard it."},
	"invalid_movement":    {"it is no whole movement", "Have it recorded again at the branch, then discard it."},
	"unsupported_version": {"the branch writes a newer form than this hub reads", "Bring the hub up to date: it is read again then."},
}

// branchWords are for problems that branches have told themselves, each in a sentence
// that says more.
var branchWords = map[string]ReasonWords{
	// of a row of an export
	"bad_quantity":       {"the quantity cannot be read", nextField},
	"zero_quantity":      {"the quantity is nothing", nextField},
	"negative_quantity":  {"the quantity is less than nothing", nextField},
	"bad_date":           {"the date cannot be read", nextField},
	"ambiguous_date":     {"the date can be read in two ways", nextField},
	"missing_product":    {"the row names no product", nextField},
	"missing_key":        {"the row has no number of its own", "Look whether it came otherwise; then correct it, or discard it."},
	"unknown_kind":       {"what the row is about is not known", "Add the word to the branch's mapping, or discard it."},
	"wrong_column_count": {"the row has another number of columns", nextField},
	"bad_quoting":        {"the row's quotes do not end", nextField},
	"bad_encoding":       {"the row has signs of another encoding", "Mend the encoding in the branch's mapping; correct this one, or discard it."},
	// of a code
	"check_digit":       {"the code's check digit is wrong", nextField},
	"missing_separator": {"a separator is missing in the code", "Look at the pack: correct the fields; then mend the scanner's setting."},
	"caps_lock":         {"the code was typed with Caps Lock", nextField},
	"impossible_date":   {"the code's date does not exist", nextField},
}

// WordsOfHub are [WordsOfReason] of what the hub finds itself.
func WordsOfHub(code string) (w ReasonWords, ok bool) {
	w, ok = reasonWords[code]
	return w, ok
}

// WordsOfReason explain a reason code; ok is false for one that only its own
// sentence explains.
func WordsOfReason(code string) (w ReasonWords, ok bool) {
	if w, ok = reasonWords[code]; !ok {
		w, ok = branchWords[code]
	}
	return w, ok
}

// Remedy is something that a person can do about an exception.
type Remedy string

// The remedies.
const (
	RemedyMap     Remedy = "map"     // say which product the code means
	RemedyCorrect Remedy = "correct" // say what a field should have been
	RemedyRetry   Remedy = "retry"
	RemedyRelease Remedy = "release"
	RemedyDiscard Remedy = "discard"
)

// notFields are reasons of the projector that no field of the movement is at
// fault for.
var notFields = []string{"conflicting_repeat", "group_size_conflict", "posted_twice", ReasonOtherHistory, ReasonMayBePosted, "settled_otherwise", "row_corrected", "form_elsewhere",
	"malformed_movement", "invalid_movement", "unsupported_version", "damaged_batch", "lost_at_branch"}

// Remedies are what can settle an exception, the likeliest first.
func (e *Exception) Remedies() []Remedy {
	field := e.Stage != StageProjection || !slices.Contains(notFields, e.Reason)
	switch {
	case e.LastLost > 0 || e.Reason == "posted_twice" || e.Kind == "":
		return []Remedy{RemedyDiscard}
	case e.Stage == StageProjection && e.Product.Code == "":
		if field {
			return []Remedy{RemedyCorrect, RemedyDiscard}
		}
		return []Remedy{RemedyDiscard}
	case e.Reason == ReasonUnknownProduct, e.Reason == "ambiguous_product":
		return []Remedy{RemedyMap, RemedyRetry, RemedyCorrect, RemedyDiscard}
	case e.Stage == StageProjection && field:
		return []Remedy{RemedyCorrect, RemedyRelease, RemedyDiscard}
	case e.Stage == StageProjection:
		return []Remedy{RemedyRelease, RemedyDiscard}
	case slices.Contains(Releasable, e.Reason):
		return []Remedy{RemedyRelease, RemedyRetry, RemedyCorrect, RemedyDiscard}
	}
	return []Remedy{RemedyRetry, RemedyCorrect, RemedyDiscard}
}
