package scan

import "strings"

// forms begin what is about people and lies on a pharmacy's counter: the German
// medication plan and health card, e-prescriptions, licences and identity cards of
// AAMVA and ICAO, cards of contacts, links. No product's code begins so: it has
// digits, letters, or one of the signs + * - [ ( behind its symbology identifier.
var forms = []string{"<", "{", "@", "%", "BEGIN:", "MECARD:", "http:", "https:", "HTTP:", "HTTPS:", "UPN_", "AAMVA", "ANSI ", "P<", "I<", "ID<", "A<", "C<"}

// aboutPerson tells whether a code can be about a person by its form. Nothing of
// it is kept then.
func aboutPerson(body string) bool {
	body = strings.TrimLeft(body, " \t\r\n")
	for _, form := range forms {
		if strings.HasPrefix(body, form) {
			return true
		}
	}
	return strings.Contains(body, "\nANSI ") || strings.Contains(body, "\rANSI ") || strings.Contains(body, "\nDCS")
}

// Personal tells whether what a scanner sent can be about a person by its form,
// also when it was cut or is without an end.
func Personal(raw []byte) bool {
	_, body := split(string(raw))
	return aboutPerson(body)
}
