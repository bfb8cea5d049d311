package main

import (
	"os"
	"path/filepath"
)

func defaultConfig() string {
	return filepath.Join(os.Getenv("ProgramData"), "Branchline", "hub.yaml")
}
