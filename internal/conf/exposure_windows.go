package conf

// NotLookedAt ends a list of what a check leaves out: the modes that Windows
// gives for a file say nothing of its access list.
const NotLookedAt = ", who may read the secret (let its file's security settings name SYSTEM and Administrators only)"

func exposure(string) string { return "" }
