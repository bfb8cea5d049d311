package capture

import "testing"

// A name that somebody types into the field for codes is kept nowhere.
func TestWordsTypedByHandAreNoCode(t *testing.T) {
	for text, words := range map[string]bool{
		"Hallo Welt": true, "Maria Musterfrau": true, "Musterfrau, Maria": true, "DOE^JOHN": true, "Müller": true, "Meier-Lüdenscheidt": true, "O’Neill": false,
		"müller anna": true, "MÜLLER ANNA": true,
		"INS-GLA": false, "ins-gla": false, "aspirin": false, "ASPIRIN": false, "BL-UNDO": false, "P00017": false, "04012345678901": false, "AMOX 500": false,
		"Charge 12A": false, "": false, "(01)04012345678901(10)A B": false,
	} {
		if got := wordsByHand(text); got != words {
			t.Errorf("%q: %v", text, got)
		}
	}
}
