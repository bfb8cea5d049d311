package app

import (
	"context"
	"net/http"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"branchline/hub/access"
	"branchline/hub/alert"
	"branchline/hub/api"
	"branchline/hub/broker"
	"branchline/hub/ledger"
	"branchline/hub/room"
	"branchline/hub/web"
	"branchline/internal/disk"
	"branchline/internal/fault"
	"branchline/internal/feed"
	"branchline/internal/webserver"
)

// firstPassword is where the administrator finds the first one.
const firstPassword = "first-password.txt"

// toPeople builds the control room and who may use it.
func (a *App) toPeople(metrics *prometheus.Registry) error {
	branches := make([]room.Branch, len(a.cfg.Branches))
	for i, b := range a.cfg.Branches {
		zone, err := time.LoadLocation(b.Zone)
		if err != nil {
			zone = time.UTC // the configuration has been checked
		}
		branches[i] = room.Branch{Code: b.Code, Name: b.Name, Groups: b.Groups, Zone: zone, Hours: b.Open}
	}
	a.room = room.New(room.Parts{Version: a.version, Branches: branches, Ledger: a.ledger, Connections: a.connections, LineTrouble: a.broker.Trouble,
		Catalogue: a.catalogue, Goods: a.catalogue.Goods, Product: a.catalogue.Product, Place: a.catalogue.Place, SecondPerson: a.cfg.Access.SecondPerson,
		Products: a.odoo, OdooURL: a.cfg.Odoo.URL, Planning: a.planner.Alarms, OldCopies: a.oldCopies, Identities: a.identities(), Expected: func(branch string) ([]feed.Delivery, time.Time) { return a.feed.Expected(branch) },
		Posting: func() room.Posting { return room.Posting(a.poster.Status()) }, Reconciling: func() room.Reconciling { return room.Reconciling(a.reconciler.Status()) }, Log: a.log})
	a.room.Refill = a.refill()
	if err := a.room.Remember(context.Background()); err != nil {
		return err
	}
	a.broker.Tell(func(c broker.LineChange) { a.room.LineChanged(ledger.LineChange(c)) })
	metrics.MustRegister(a.room.Collector())
	a.watchman = alert.New(a.cfg.Alerts, a.ledger, a.room.Watch, a.freeForLedger, a.log, nil)
	a.access = access.New(a.cfg.Access, a.ledger, a.log, nil)
	file := filepath.Join(a.cfg.DataDir, firstPassword)
	made, err := a.access.First(context.Background(), file)
	if err != nil {
		return err
	}
	if made {
		a.log.Warn("the control room has its first person; the one-time password is in a file", "sign in as", "admin", "file", file)
	}
	changed, _ := a.ledger.Watch(ledger.BatchCommitted | ledger.Projected | ledger.Ruled | ledger.PostingsChanged | ledger.ReconciliationChanged)
	a.site, err = web.New(web.Options{Room: a.room, Access: a.access, People: a.ledger, Changed: changed, Version: a.version, Log: a.log})
	if err != nil {
		return err
	}
	forPrograms, err := api.New(api.Options{Room: a.room, Access: a.access, Log: a.log})
	if err != nil {
		return err
	}
	pages := http.NewServeMux()
	pages.Handle("/", a.site)
	pages.Handle("/api/", forPrograms)
	out := a.access.Metrics(promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	a.page, err = webserver.New(a.cfg.Web, pages, a.room.Health, out, a.log)
	return err
}

func (a *App) connections() []room.Connection {
	lines := a.broker.Connections()
	all := make([]room.Connection, len(lines))
	for i, c := range lines {
		all[i] = room.Connection(c)
	}
	return all
}

// oldCopies tells of branches that know Odoo only as it was long ago.
func (a *App) oldCopies() (all []string) {
	for _, o := range a.feed.Old() {
		all = append(all, o.Words(time.Now()))
	}
	return all
}

// freeForLedger tells the bytes free on the ledger's disk, negative where the
// ledger is a database elsewhere.
func (a *App) freeForLedger() int64 {
	free, err := disk.Free(filepath.Dir(a.cfg.Ledger.Path))
	if err != nil {
		return -1
	}
	return free
}

// User is what is to be done about a person, on the control socket.
type User struct {
	// Do is add, roles, password or disable.
	Do    string        `json:"do"`
	Login string        `json:"login"`
	Name  string        `json:"name"`
	Roles []access.Role `json:"roles"`
	Who   string        `json:"who"`
}

// user does it; where it makes a password, that is the answer.
func (a *App) user(ctx context.Context, u User) (password string, err error) {
	switch u.Do {
	case "add":
		return a.access.Add(ctx, u.Who, u.Login, u.Name, u.Roles)
	case "roles":
		return "", a.access.SetRoles(ctx, u.Who, u.Login, u.Roles)
	case "password":
		return a.access.ResetPassword(ctx, u.Who, u.Login)
	case "disable":
		return "", a.access.Disable(ctx, u.Who, u.Login)
	}
	return "", fault.New(fault.Data, "bad_request", "%.20q cannot be done about a person", u.Do)
}
