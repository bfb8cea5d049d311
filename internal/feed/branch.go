package feed

// Branch is one of the branches that goods can be sent to, or come from.
type Branch struct {
	Code string `json:"k"`
	// Name is that of its warehouse in Odoo.
	Name string `json:"n,omitempty"`
}

// Words are name and code together, as people tell branches apart.
func (b Branch) Words() string {
	if b.Name == "" || b.Name == b.Code {
		return b.Code
	}
	return b.Name + " (" + b.Code + ")"
}
