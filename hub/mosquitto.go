package main

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"

	"branchline/hub/broker"
	"branchline/hub/fleet"
	"branchline/internal/disk"
	"branchline/internal/fault"
	"branchline/internal/trust"
)

// brokerCommands are for a broker that is not the hub's own.
type brokerCommands struct {
	Mosquitto mosquittoCommand `cmd:"" help:"Write what a Mosquitto needs in the place of the hub's own broker: TLS 1.3 with both ends proven, each branch in its own topics, and whom it must refuse. To be run every day, and after a revocation; then Mosquitto is to reload."`
}

type mosquittoCommand struct {
	configFlag
	Folder string `arg:"" help:"Where to write it: mosquitto.conf, acl, certificates and the broker's own key, which stays there." type:"path"`
	Port   int    `help:"Where branches connect." default:"8883"`
}

// Run makes the broker's key, where there is none, and has the running hub sign for it.
func (c *mosquittoCommand) Run() error {
	if c.Port < 1 || c.Port > 65535 {
		return fault.New(fault.Setup, "bad_configuration", "--port %d is no port", c.Port)
	}
	folder, err := filepath.Abs(c.Folder)
	if err == nil {
		err = os.MkdirAll(folder, 0o750)
	}
	var key *ecdsa.PrivateKey
	if err == nil {
		key, err = brokerKey(filepath.Join(folder, "broker.key"))
	}
	var public []byte
	if err == nil {
		public, err = x509.MarshalPKIXPublicKey(key.Public())
	}
	if err != nil {
		return fault.New(fault.Setup, "broker_folder", "the folder for the broker cannot be used: %w", err).WithHint("run it as root, or name another folder")
	}
	var made fleet.BrokerFiles
	if err := c.ask("POST", "/broker", public, &made); err != nil {
		return err
	}
	files := broker.MosquittoFiles(folder, c.Port)
	files["authority.crt"], files["broker.crt"], files["revoked.crl"] = made.Authority, made.Certificate, made.Revoked
	for name, text := range files {
		if err := disk.Replace(filepath.Join(folder, name), text); err != nil {
			return fault.New(fault.Setup, "broker_folder", "%s cannot be written: %w", name, err)
		}
	}
	readable(folder, append(slices.Collect(maps.Keys(files)), "broker.key"))
	fmt.Printf("Written to %s, for port %d. Whom it refuses holds until %s: run this every day, and after a revocation, then reload Mosquitto.\n", folder, c.Port,
		made.RevokedUntil.Local().Format("2 January 2006 15:04"))
	return nil
}

// brokerKey reads the broker's key, or makes it.
func brokerKey(path string) (*ecdsa.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		key, err := trust.NewKey()
		if err != nil {
			return nil, err
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return nil, err
		}
		return key, disk.Replace(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New(path + " holds no key")
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := k.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New(path + " holds another kind of key; remove it, and a new one is made")
	}
	return key, nil
}

// readable lets the group mosquitto read the files, where there is one: it reads them
// again, when it reloads, as the user that it then is.
func readable(folder string, files []string) {
	g, err := user.LookupGroup("mosquitto")
	if err != nil {
		return
	}
	gid, err := strconv.Atoi(g.Gid)
	if err != nil {
		return
	}
	for _, name := range append(files, ".") {
		path := filepath.Join(folder, name)
		if os.Chown(path, -1, gid) != nil {
			continue // nobody but root may: then it is for whoever runs it to see to
		}
		if name != "." {
			_ = os.Chmod(path, 0o640) // its own to give
		}
	}
}
