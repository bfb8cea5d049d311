package receive

import (
	"testing"

	"branchline/internal/fault"
)

func TestWordsForAProductThatNobodyKnows(t *testing.T) {
	for text, code := range map[string]string{
		"Amlodipin 5 mg": "", "Amlodipin 5mg N1": "", "Insulin glargine 100 I.E./ml": "", "NaCl 0,9 % 10x10 ml": "", "Fentanyl 25 µg/h Pflaster": "",
		"Mullkompressen 10 x 10 cm": "", "Zinc oxide ointment 50g": "", "Ibuprofen 20 tablets": "", "PZN 04562798": "", "something, 4012345678901": "",
		"Vitamin D3 1000 IU": "", "Aspirin N2": "", "Salbutamol 200 puffs": "", "New thing 500 mg": "", "Kompressen 100er": "", "Dr. Theiss 50 ml": "",
		"Erika Mustermann":                     "no_product",
		"Erika Mustermann 12":                  "no_product",
		"Mustermann, Zimmer 12a":               "no_product",
		"":                                     "no_product",
		"Erika Mustermann 12.03.1961":          "personal",
		"Amlodipin 5 mg, E. Mustermann 1.3.61": "personal",
		"Mrs Smith, born 1961-03-12":           "personal",
		"Frau Schmidt 5 mg":                    "personal",
		"Smith 12 March 1961 5 mg":             "personal",
		"A123456789 Mustermann 5 mg":           "personal",
		"Smith 943 476 5919 5 mg":              "personal",
		"123-45-6789 5 mg":                     "personal",
		"Amlodipin 5 mg for patient 4711":      "personal",
	} {
		err := describes(text)
		if got := fault.CodeOf(err); text != "" && (err == nil) != (code == "") || err != nil && got != code && text != "" || text == "" && err == nil {
			t.Errorf("%q: %v, want %q", text, err, code)
		}
	}
}
