package capture

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"branchline/agent/outbox"
	"branchline/agent/scan"
	"branchline/internal/movement"
)

// keeping is a store that keeps all.
type keeping struct{ list []*movement.Movement }

func (k *keeping) Append(_ context.Context, w outbox.Write) ([]outbox.Place, error) {
	k.list = append(k.list, w.Movements...)
	return make([]outbox.Place, len(w.Movements)), nil
}

// Codes about patients that lie on every pharmacy's counter, scanned by mistake
// with the scanner for stock.
func TestNothingAboutAPersonIsKeptThatIsScanned(t *testing.T) {
	for name, code := range map[string]string{
		"German medication plan (BMP, ISO 'MP v023')": `<MP v="023" U="02BD2867FB024401A590D59D94E1FFAE" l="de-DE"><P g="Erika" f="Musterfrau" b="19400324" s="W"/><A lanr="123456789" n="Praxis Dr. Schmidt"/><S><M p="230272" m="1"/></S></MP>`,
		"German e-prescription token":                 `{"urls":["Task/160.000.006.741.854.66/$accept?ac=777bea0e13cc9c42ceec14aec3ddee2263325dc2c6c699db115f58fe423607ea"]}`,
		"US driver's licence (AAMVA)":                 "@\n\x1e\rANSI 636026080102DL00410288ZA03290015DLDAQD12345678\nDCSMUSTERFRAU\nDACERIKA\nDBB03241940\nDAG123 MAIN ST\n",
		"AAMVA longer than any product's":             "@\n\x1e\rANSI 636026080102DL00410288ZA03290015DLDAQD12345678\nDCSMUSTERFRAU\nDACERIKA\nDBB03241940\n" + strings.Repeat("ZZ1 STATE DATA\n", 40),
	} {
		t.Run(name, func(t *testing.T) {
			k := &keeping{}
			c, err := New(Config{}, Options{Handler: Direct{Store: k}, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			a := c.Typed(t.Context(), Typed{Text: code, Purpose: scan.Dispense, Station: "front"})
			for _, m := range k.list {
				stored := string(m.AppendJSON(nil))
				for _, secret := range []string{"Musterfrau", "MUSTERFRAU", "19400324", "03241940", "777bea0e13cc9c42"} {
					if strings.Contains(stored, secret) {
						t.Errorf("%q is kept and sent to the hub (answer %v %s): %.160s…", secret, a.Sound, a.Code, stored)
						break
					}
				}
			}
		})
	}
}
