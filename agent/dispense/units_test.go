package dispense

import "testing"

func TestUnitsThatAreKnown(t *testing.T) {
	for _, unit := range []string{"Stk", "Stck.", "STÜCK", "Pckg", "Pkg", "Tabs", "Caps", "Tabl.", "TABL", "Kaps.", "Amps", "Supp.", "Filmtabletten",
		"Brausetabletten", "N1", "N3", "OP", "FTA", "each", "EACH", "Tablet(s)", "Vial(s)", "100 ml", "Ampoule 10ml", "Inj.-Lsg.", "Salbe", "Creme",
		"Tropfen", "Augentropfen", "Sirup", "Spray", "Nasenspray", "Packungsgröße N1", "Roll", "Stripe", "Carton", "Case", "Pair", "Sheet", "Bag", "Jar",
		"Can", "Prefilled syringe", "Fertigspritze", "Fertigpen", "Zylinderampulle", "Durchstechflasche", "Film-coated tablets", "Comprimés pelliculés",
		"gélules", "Boîte de 30", "comprimidos recubiertos", "Frasco ampolla", "compresse rivestite", "Flaconcino", "filmomhulde tabletten", "stuks", "Zetpillen"} {
		if !known([]byte(unit), nil, isUnit) {
			t.Errorf("%s is not known", unit)
		}
	}
	for _, name := range []string{"Musterfrau", "Müller", "Anna Tablet", "Erika", "Schmidt 10 ml", "DOE^JOHN", "Flaschenmeier"} {
		if known([]byte(name), nil, isUnit) {
			t.Errorf("%s is taken for a unit", name)
		}
	}
}

func TestReasonsThatAreKnown(t *testing.T) {
	for _, reason := range []string{"expired", "Expired on shelf", "dropped on floor", "broke in transit", "glass broken", "past expiry date",
		"customer complaint", "returned to wholesaler", "supplier recall", "out of date", "fridge failure", "Kühlschrank defekt", "heruntergefallen",
		"Glasbruch", "MHD abgelaufen", "Rückruf Hersteller", "Bruch beim Auspacken", "Schwund", "Inventurdifferenz", "stock count difference",
		"shrinkage", "R1", "04"} {
		if !known([]byte(reason), nil, isReason) {
			t.Errorf("%s is not known", reason)
		}
	}
	for _, name := range []string{"broken by Erika", "Frau Müller", "for Anna", "DOE^JOHN"} {
		if known([]byte(name), nil, isReason) {
			t.Errorf("%s is taken for a reason", name)
		}
	}
}
