package catalogue

// Place says in words what a location of a company is; empty for one that the
// catalogue does not know.
func (c *Catalogue) Place(companyID, id int64) string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if id == 0 {
		return ""
	}
	for _, w := range c.data.Warehouses {
		if w.StockID == id {
			return "stock of " + w.Code
		}
	}
	p := c.data.Places[companyID]
	switch id {
	case p.Customers:
		return "customers"
	case p.Suppliers:
		return "suppliers"
	case p.Inventory:
		return "corrections of stock"
	case p.Scrap:
		return "waste"
	case p.Transit:
		return "between the warehouses"
	}
	return ""
}
