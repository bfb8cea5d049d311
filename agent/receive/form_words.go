package receive

import (
	"regexp"

	"branchline/agent/scan"
	"branchline/internal/fault"
)

// The words for a product that nobody knows are kept as they are typed, and go to the
// hub: they must not be able to name a patient.

// measured finds what the name of a medicine or of a dressing ends with and the name of
// a person does not: a strength or a size with its unit, the pieces in a pack, a
// norm size (N1 to N3), or the number of a pack (PZN of 7 or 8 digits, GTIN of 8, 12, 13
// or 14).
var measured = regexp.MustCompile(`(?i)(^|[^\pL\pN])(` +
	`\d[\d.,/ x×-]*\s?(mg|g|kg|µg|μg|mcg|ug|ng|ml|µl|cl|dl|l|%|‰|ie|i\.e\.|iu|i\.u\.|ui|u|e|mmol|mval|meq|mm|cm|m|st|stk|stück|stueck|pcs|er|x|` +
	`tab|tabs|tablets?|tabletten|tbl|caps?|capsules?|kapseln?|kps|amp|ampoules?|ampullen?|drag[ée]*s?|supp|sachets?|beutel|doses?|dosen|hub|puffs?|pens?|pflaster|patch(es)?)` +
	`|n[123]|\d{7,8}|\d{12,14})([^\pL\pN]|$)`)

// personal finds what tells of a person, whatever stands beside it: a date of birth, a
// form of address, a number of a health card (a letter and nine digits, ten digits in
// groups, a social security number).
var personal = regexp.MustCompile(`(?i)\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{2,4}` +
	`|(^|[^\pL\pN])(\d{1,2}\.?\s+(jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])\pL*\.?\s+\d{2,4}` +
	`|herrn?|frau|mr|mrs|ms|miss|mme|mlle|madame|monsieur|señora?|sra?|signora?|born|geb|geboren|née|dob|patient(in)?s?|pat|vers(ichert(er|e)?)?[.-]?\s?n[ro]` +
	`|[a-z]\d{9}|\d{3}[ -]\d{3}[ -]\d{4}|\d{3}-\d{2}-\d{4})([^\pL\pN]|$)`)

// describes refuses what is no description of a product, and what can be about a
// patient.
func describes(text string) error {
	if err := typed("product", text, 120); err != nil {
		return err
	}
	const hint = "type its name and strength as they stand on the form, such as Amlodipin 5 mg N1, or the number of its pack, and nothing about a patient"
	switch {
	case scan.Personal([]byte(text)) || personal.MatchString(text):
		return fault.New(fault.Data, "personal", "this looks like a date, a form of address or a health card's number, and nothing about a patient is kept").WithHint(hint)
	case !measured.MatchString(text):
		return fault.New(fault.Data, "no_product", "the product is not described: neither a strength, a size nor a pack's number is in it").WithHint(hint)
	}
	return nil
}
