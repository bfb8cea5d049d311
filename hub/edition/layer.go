package edition

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Bounds of a folder.
const (
	maxFile  = 256 << 10 // bytes
	maxFiles = 10_000
	maxDepth = 20
)

// Problem is one thing that is wrong in the folder.
type Problem struct {
	// File is relative to the folder, empty where none is to blame; Line counts from 1,
	// 0 for the whole file.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Branches are those that it concerns; empty for a file that cannot be read at all.
	Branches []string `json:"branches,omitempty"`
	Text     string   `json:"text"`
}

// Folder is all layers, read. It does not change.
type Folder struct {
	defaults *layer
	groups   map[string]*layer
	branches map[string]*layer
	problems []Problem
}

type layer struct {
	file string
	root *node
}

// Read reads a folder. What is wrong in its files is told by [Folder.Check]; an error is
// of the folder itself.
func Read(dir string) (*Folder, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, err
	}
	return read(os.DirFS(filepath.Clean(dir)))
}

func read(dir fs.FS) (*Folder, error) {
	f := &Folder{groups: map[string]*layer{}, branches: map[string]*layer{}}
	f.defaults = f.layer(dir, "defaults.yaml")
	for sub, to := range map[string]map[string]*layer{"groups": f.groups, "branches": f.branches} {
		files, err := fs.ReadDir(dir, sub)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if len(files) > maxFiles {
			return nil, fmt.Errorf("%s has %d files, more than %d", sub, len(files), maxFiles)
		}
		for _, e := range files {
			name, isYAML := strings.CutSuffix(e.Name(), ".yaml")
			file := path.Join(sub, e.Name())
			switch {
			case strings.HasPrefix(e.Name(), "."):
			case e.IsDir() || !isYAML:
				f.wrong(file, 0, "is no layer: want files that end in .yaml")
			default:
				to[name] = f.layer(dir, file)
			}
		}
	}
	return f, nil
}

func (f *Folder) wrong(file string, line int, format string, args ...any) {
	f.problems = append(f.problems, Problem{File: file, Line: line, Text: fmt.Sprintf(format, args...)})
}

// layer reads a file; one that is not there, or is empty, sets nothing.
func (f *Folder) layer(dir fs.FS, file string) *layer {
	l := &layer{file: file}
	text, err := readBounded(dir, file)
	if errors.Is(err, fs.ErrNotExist) {
		return l
	}
	if err != nil {
		f.wrong(file, 0, "cannot be read: %v", err)
		return l
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return l
	case err != nil:
		f.wrong(file, 0, "is not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
		return l
	case !errors.Is(dec.Decode(new(yaml.Node)), io.EOF):
		f.wrong(file, 0, "holds more than one document")
		return l
	}
	if len(doc.Content) != 1 || doc.Content[0].Tag == "!!null" {
		return l
	}
	root, err := l.node(doc.Content[0], 0)
	var at *lineError
	switch {
	case errors.As(err, &at):
		f.wrong(file, at.line, "%s", at.text)
	case root.kind != group:
		f.wrong(file, root.at.Line, "is not a group of settings")
	default:
		l.root = root
	}
	return l
}

func readBounded(dir fs.FS, file string) ([]byte, error) {
	r, err := dir.Open(file)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("it has more than %d bytes", maxFile)
	}
	return text, err
}

// Names lists the groups, or the branches, that have a layer of their own.
func (f *Folder) Names() (groups, branches []string) {
	list := func(of map[string]*layer) (names []string) {
		for n := range of {
			names = append(names, n)
		}
		slices.Sort(names)
		return names
	}
	return list(f.groups), list(f.branches)
}
