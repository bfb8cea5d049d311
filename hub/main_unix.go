//go:build !windows

package main

func defaultConfig() string { return "/etc/branchline/hub.yaml" }
