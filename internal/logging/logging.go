// Package logging makes the log of a process: text on the console or for the
// journal, or a file that rotates, as a Windows service has no console.
package logging

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"gopkg.in/natefinch/lumberjack.v2"

	"branchline/internal/conf"
)

// Config is where the log goes.
type Config struct {
	// Level is debug, info, warn or error.
	Level string `yaml:"level"`
	// Format is text or json.
	Format string `yaml:"format"`
	// File is the log file; empty is standard error. It rotates at 10 MB, and
	// five old ones are kept for 30 days.
	File string `yaml:"file"`
}

// Default logs what matters as text to standard error.
func Default() Config { return Config{Level: "info", Format: "text"} }

// Validate checks level and format.
func (c *Config) Validate() error {
	if err := new(slog.Level).UnmarshalText([]byte(c.Level)); err != nil {
		return conf.Bad("level", c.Level, "is not debug, info, warn or error")
	}
	if !slices.Contains([]string{"text", "json"}, c.Format) {
		return conf.Bad("format", c.Format, "is not text or json")
	}
	return nil
}

// New opens the log. Relative files lie in dir. Close the closer last.
func New(c Config, dir string) (*slog.Logger, io.Closer) {
	var w io.WriteCloser = keepOpen{os.Stderr}
	if c.File != "" {
		path := c.File
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		w = &lumberjack.Logger{Filename: path, MaxSize: 10, MaxBackups: 5, MaxAge: 30}
	}
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Level)) // Validate has read it before
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), w
	}
	return slog.New(slog.NewTextHandler(w, options)), w
}

type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }
