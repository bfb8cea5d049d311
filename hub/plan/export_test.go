package plan

// LookAt has a look take fewer loose movements, so that what is behind many needs
// not so many to be shown.
func (r *Runner) LookAt(loose int) { r.maxLoose = loose }
