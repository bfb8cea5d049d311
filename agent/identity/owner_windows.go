package identity

// handOver has nothing to do: files inherit the rights of the data folder.
func handOver(string, ...string) error { return nil }
