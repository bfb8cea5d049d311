package dispense

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// drawn are what tills of today name their sales by, each of its own alphabet.
var drawn = map[string]func(r *rand.Rand) string{
	"uuid": func(r *rand.Rand) string {
		a, b := r.Uint64()&^0xf000|0x4000, r.Uint64()&^(3<<62)|1<<63
		return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", a>>32, a>>16&0xffff, a&0xffff, b>>48, b&(1<<48-1))
	},
	"UUID": func(r *rand.Rand) string {
		return fmt.Sprintf("{%08X-%04X-4%03X-A%03X-%012X}", r.Uint32(), r.Uint32()>>16, r.Uint32()>>20, r.Uint32()>>20, r.Uint64()>>16)
	},
	"hex of 24": func(r *rand.Rand) string { return fmt.Sprintf("%016x%08x", r.Uint64(), r.Uint32()) },
	"ulid":      func(r *rand.Rand) string { return "01" + letters(r, 24, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") },
	"nanoid": func(r *rand.Rand) string {
		return letters(r, 21, "_-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	},
	"ksuid": func(r *rand.Rand) string {
		return "2" + letters(r, 26, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	},
	"number": func(r *rand.Rand) string { return fmt.Sprint(r.Uint32()) },
	"by date": func(r *rand.Rand) string {
		return fmt.Sprintf("%02d.%02d.2026/%04d", r.IntN(28)+1, r.IntN(12)+1, r.IntN(10000))
	},
	"Odoo, by session": func(r *rand.Rand) string {
		return fmt.Sprintf("Order %05d-%03d-%04d", r.IntN(99999), r.IntN(999), r.IntN(9999))
	},
	"Odoo, by shop":    func(r *rand.Rand) string { return fmt.Sprintf("Main Store/%04d", r.IntN(9999)) },
	"a town's":         func(r *rand.Rand) string { return fmt.Sprintf("Shop Berlin/%04d", r.IntN(9999)) },
	"KASSE-HAUPT":      func(r *rand.Rand) string { return fmt.Sprintf("KASSE-HAUPT-%06d", r.IntN(999999)) },
	"Filiale Mitte":    func(r *rand.Rand) string { return fmt.Sprintf("Filiale Mitte/2026/%06d", r.IntN(999999)) },
	"Kassenbon":        func(r *rand.Rand) string { return fmt.Sprintf("Kassenbon Nr. %d", r.IntN(9999)) },
	"Ticket de caisse": func(r *rand.Rand) string { return fmt.Sprintf("Ticket de caisse n° %d", r.IntN(9999)) },
	"INV":              func(r *rand.Rand) string { return fmt.Sprintf("INV/BRANCH/2026/%05d", r.IntN(99999)) },
	"Rezept":           func(r *rand.Rand) string { return fmt.Sprintf("Rezept-Nr. %d", r.IntN(9999)) },
	"lot of letters":   func(r *rand.Rand) string { return "LOT " + letters(r, 8, "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ") + "7" },
}

func letters(r *rand.Rand, n int, of string) string {
	var b strings.Builder
	for range n {
		b.WriteByte(of[r.IntN(len(of))])
	}
	return b.String()
}

// Whatever a till draws for the number of a receipt, it is one.
func TestNumbersOfReceiptsAreNoWords(t *testing.T) {
	for name, draw := range drawn {
		r := rand.New(rand.NewPCG(26, 11))
		for range 4000 {
			if id := draw(r); !numbered([]byte(id)) {
				t.Errorf("%s: %s goes to a person", name, id)
				break
			}
		}
	}
}

func TestLotsAndNumbersAndNames(t *testing.T) {
	for text, want := range map[string]string{ // as a lot, and as the number of a receipt
		"A1234": "both", "LOT 12345": "both", "Ch.-B. 12A": "both", "B-2291/A": "both", "24K17": "both", "Charge 12345": "both", "N/A": "both",
		"000123": "both", "RE-2026-0001": "both", "POS/0001": "both", "Beleg Kasse 2/17": "both", "STORE-BERLIN-17": "both", "12.2026": "both",
		"SALE-REFUND-0003": "both", "01.12.2026": "both", "Shop Berlin/0042": "both", "LOT 1953-04-12": "both", "ohne": "both", "Kasse 2": "both",
		"ABKQ": "lot", "XWTPL": "lot", "KCVF": "lot", "ABCDEFGH": "lot",
		"Musterfrau": "", "MUSTERFRAU": "", "Müller, Anna": "", "Anna Maria Müller": "", "DOE^JOHN": "", "Hr. Schmidt 12.03.1956": "",
		"Musterfrau 3.4.1961": "", "Musterfrau geb. 3.4.1961": "", "Eva 3.4.1961": "", "UWE 03/04/1961": "", "Musterfrau_3.4.1961": "",
		"Erika Musterfrau 1": "", "MUSTERFRAU 12": "", "Müller,Anna 12345": "", "Meier-Schulze": "", "Meier-Schulze 7": "", "Иванов 7": "",
		"Ó Néill 12": "", "Papadimitrakopoulos": "", "McDonald": "", "Musterfrau/19610403": "", "Musterfrau/4711": "", "Musterfrau_3.4.61": "", "Musterfrau-030461": "", "Musterfrau4711": "", "Erika.Musterfrau.61": "",
		"McMüller61": "", "03.04.1961": "", "1961-04-03": "", "Frau Musterfrau, 12 Jahre": "",
	} {
		lot, number := numbered([]byte(text)) || capitals([]byte(text)), numbered([]byte(text))
		if lot != (want != "") || number != (want == "both") {
			t.Errorf("%s: lot %v, number of a receipt %v", text, lot, number)
		}
	}
}
