// Package daemon runs an app on the console, under systemd or under the
// Windows service manager, and installs it there.
//
// What it takes care of: a wrong configuration is told to the service manager
// as a failed start; an app that dies ends the process, since a service
// manager only restarts what has ended; systemd's watchdog is fed only while
// the app says that it is alive; stopping has an end.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	sd "github.com/coreos/go-systemd/v22/daemon"
	"github.com/kardianos/service"

	"branchline/internal/fault"
	"branchline/packaging"
)

// App is what runs. Run returns when ctx has ended and all is put away, or
// earlier with the error that it cannot go on with. Alive is asked from
// another goroutine and must answer at once.
type App interface {
	Run(ctx context.Context) error
	Alive() bool
}

// Daemon is an app and how it is known to the system.
type Daemon struct {
	// Name is the service's name: "branchline-agent".
	Name        string
	Title       string
	Description string
	// Config is the configuration file that the installed service starts
	// with.
	Config string
	// New validates, binds and opens; whatever it returns as an error is
	// shown as a failed start.
	New func() (App, error)
	Log *slog.Logger
}

// stopWithin is how long a stop may take. Windows gives a service 20 s before
// it ends it by force.
const stopWithin = 15 * time.Second

// Run runs the app until it is told to stop by a signal or by the service
// manager. An error of the app itself ends the process with exit code 1 when a
// service manager is there.
func (d Daemon) Run() error {
	if service.Interactive() || isSystemd() {
		return d.runHere()
	}
	s, err := d.service()
	if err != nil {
		return err
	}
	return s.Run()
}

func isSystemd() bool { return os.Getenv("INVOCATION_ID") != "" || os.Getenv("NOTIFY_SOCKET") != "" }

// runHere runs on a console or under systemd, which both stop by signal.
func (d Daemon) runHere() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	app, err := d.New()
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- app.Run(ctx) }()
	notify(sd.SdNotifyReady)
	defer notify(sd.SdNotifyStopping)
	go feedWatchdog(ctx, app)
	select {
	case err = <-done:
		return err
	case <-ctx.Done():
	}
	stop() // a second signal ends the process at once
	select {
	case err = <-done:
		return err
	case <-time.After(stopWithin):
		return fmt.Errorf("%s did not stop within %v", d.Name, stopWithin)
	}
}

func notify(state string) { _, _ = sd.SdNotify(false, state) }

func feedWatchdog(ctx context.Context, app App) {
	every, err := sd.SdWatchdogEnabled(false)
	if err != nil || every == 0 {
		return
	}
	tick := time.NewTicker(every / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if app.Alive() {
				notify(sd.SdNotifyWatchdog)
			}
		}
	}
}

// program is the app as the Windows service manager sees it.
type program struct {
	d      Daemon
	cancel context.CancelFunc
	done   chan struct{}
}

func (p *program) Start(service.Service) error {
	app, err := p.d.New()
	if err != nil {
		p.d.Log.Error("not started", "err", err)
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel, p.done = cancel, make(chan struct{})
	go func() {
		defer close(p.done)
		if err := app.Run(ctx); err != nil && ctx.Err() == nil {
			// Reporting "stopped" would count as a clean stop and nobody
			// would start it again.
			p.d.Log.Error("ended", "err", err)
			os.Exit(1)
		}
	}()
	return nil
}

func (p *program) Stop(service.Service) error {
	p.cancel()
	select {
	case <-p.done:
		return nil
	case <-time.After(stopWithin):
		os.Exit(1)
		return nil
	}
}

func (d Daemon) service() (service.Service, error) {
	options := service.KeyValue{
		"OnFailure":              "restart",
		"OnFailureDelayDuration": "5s",
		"OnFailureResetPeriod":   3600,
		"DelayedAutoStart":       true,
	}
	if unit, err := packaging.SystemdUnit(d.Name); err == nil {
		options["SystemdScript"] = forConfig(unit, d.Config)
	}
	return service.New(&program{d: d}, &service.Config{
		Name: d.Name, DisplayName: d.Title, Description: d.Description,
		Arguments: []string{"run", "--config", d.Config}, Option: options,
	})
}

// forConfig makes a unit file the template that kardianos/service fills in, with
// the program, configuration and secrets of this installation.
func forConfig(unit, config string) string {
	lines := strings.Split(unit, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "ExecStart=") {
			lines[i] = "ExecStart={{Path | cmdEscape}}{{range Arguments}} {{. | cmd}}{{end}}"
		}
		if strings.HasPrefix(l, "LoadCredential=") {
			lines[i] = strings.Replace(l, ":/etc/branchline/", ":"+filepath.Dir(config)+"/", 1)
		}
	}
	return strings.Join(lines, "\n")
}

// Control installs, uninstalls, starts or stops the service, or writes its
// state to w. Errors are faults of class Setup.
func (d Daemon) Control(action string, w io.Writer) error {
	var err error
	if d.Config, err = filepath.Abs(d.Config); err != nil {
		return err
	}
	s, err := d.service()
	if err != nil {
		return d.failed(action, err)
	}
	switch action {
	case "install":
		if _, err := os.Stat(d.Config); err != nil {
			return d.failed(action, fmt.Errorf("the service would start with %s: %w", d.Config, err))
		}
		err = s.Install()
	case "uninstall":
		err = s.Uninstall()
	case "start":
		err = s.Start()
	case "stop":
		err = s.Stop()
	case "status":
		return d.status(s, w)
	default:
		err = fmt.Errorf("there is no such action")
	}
	if err != nil {
		return d.failed(action, err)
	}
	_, err = fmt.Fprintf(w, "%s: %s done\n", d.Name, action)
	return err
}

func (d Daemon) status(s service.Service, w io.Writer) error {
	st, err := s.Status()
	word := "unknown"
	switch {
	case errors.Is(err, service.ErrNotInstalled):
		word = "not installed as a service"
	case err != nil:
		return fault.New(fault.Setup, "service_status", "the service manager did not say whether %s is installed: %w", d.Name, err).
			WithHint("ask as administrator, on a system with a service manager; what runs on a console is none of its services")
	case st == service.StatusRunning:
		word = "running"
	case st == service.StatusStopped:
		word = "stopped"
	}
	_, err = fmt.Fprintf(w, "%s: %s\n", d.Name, word)
	return err
}

func (d Daemon) failed(action string, err error) error {
	return fault.New(fault.Setup, "service_"+action, "the service manager did not %s %s: %w", action, d.Name, err).
		WithHint("run it as administrator, and see that the service manager of this system is running")
}
