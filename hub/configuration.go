package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"branchline/hub/config"
	"branchline/hub/edition"
	"branchline/internal/fault"
	"branchline/internal/ui"
)

// configurationCommands look at the configuration of the branches in its folder.
type configurationCommands struct {
	Check configurationCheckCommand `cmd:"" help:"Say what is wrong in the folder of the branches' configuration, by file and line."`
	Show  configurationShowCommand  `cmd:"" help:"Print what counts at a branch: an agent.yaml without branch and data_dir, or where each value comes from."`
}

type folderFlag struct {
	configFlag
	Folder string `help:"The folder; fleet.configuration.folder of hub.yaml when left out." type:"path"`
}

// read gives the folder and the hub's branches.
func (f *folderFlag) read() (*edition.Folder, []edition.Branch, error) {
	cfg, err := config.Read(f.Config)
	if err != nil {
		return nil, nil, err
	}
	var branches []edition.Branch
	for _, b := range cfg.Branches {
		branches = append(branches, edition.Branch{Code: b.Code, Groups: b.Groups})
	}
	dir := f.Folder
	if dir == "" {
		if dir = cfg.Fleet.Configuration.Folder; dir != "" && !filepath.IsAbs(dir) {
			dir = filepath.Join(filepath.Dir(f.Config), dir)
		}
	}
	if dir == "" {
		return nil, nil, fault.New(fault.Setup, "no_folder", "nobody has said where the branches' configuration is").
			WithHint("name it with --folder, or under fleet.configuration.folder in hub.yaml")
	}
	folder, err := edition.Read(dir)
	if err != nil {
		return nil, nil, fault.New(fault.Setup, "no_folder", "the folder of the branches' configuration cannot be read: %w", err).
			WithHint("look at --folder, or at fleet.configuration.folder in hub.yaml")
	}
	return folder, branches, nil
}

type configurationCheckCommand struct{ folderFlag }

// Run ends with a failure where something is wrong.
func (c *configurationCheckCommand) Run() error {
	folder, branches, err := c.read()
	if err != nil {
		return err
	}
	wrong := folder.Check(branches)
	for _, p := range wrong {
		fmt.Println(p)
	}
	if len(wrong) > 0 {
		return fault.New(fault.Data, "bad_configuration", "%s in the branches' configuration", ui.Many(len(wrong), "thing is wrong", "things are wrong"))
	}
	fmt.Printf("The configuration of %s is right.\n", ui.Many(len(branches), "branch", "branches"))
	return nil
}

type configurationShowCommand struct {
	folderFlag
	Branch  string `arg:"" help:"The branch's code."`
	Sources bool   `help:"Each value with the file and the line that it comes from."`
}

// Run prints it, and ends with a failure where something is wrong with it.
func (c *configurationShowCommand) Run() error {
	folder, branches, err := c.read()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(branches, func(b edition.Branch) bool { return b.Code == c.Branch })
	if i < 0 {
		return fault.New(fault.Data, "unknown_branch", "there is no branch %.40q in %s", c.Branch, c.Config).WithHint("look at branches in hub.yaml")
	}
	e := folder.Effective(branches[i])
	printEffective(os.Stdout, &e, c.Sources)
	for _, p := range e.Problems {
		fmt.Fprintln(os.Stderr, p)
	}
	if len(e.Problems) > 0 {
		return fault.New(fault.Data, "bad_configuration", "%s in the configuration of %s", ui.Many(len(e.Problems), "thing is wrong", "things are wrong"), c.Branch)
	}
	return nil
}

func printEffective(out io.Writer, e *edition.Effective, sources bool) {
	if !sources {
		fmt.Fprint(out, e.Configuration)
		return
	}
	for _, v := range e.Values {
		fmt.Fprintf(out, "%s: %s  # %s:%d\n", v.Setting, v.Value, v.File, v.Line)
	}
}
