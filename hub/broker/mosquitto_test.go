package broker_test

import (
	"os"
	"strings"
	"testing"

	"branchline/hub/broker"
)

// The list that is published is the one that is written.
func TestThePublishedAccessList(t *testing.T) {
	published, err := os.ReadFile("../../configs/mosquitto.acl")
	if err != nil {
		t.Fatal(err)
	}
	files := broker.MosquittoFiles("/etc/mosquitto/branchline", 8883)
	if string(files["acl"]) != string(published) {
		t.Error("configs/mosquitto.acl and hub/broker/mosquitto.acl differ")
	}
	for _, want := range []string{"listener 8883\n", "require_certificate true\n", "acl_file /etc/mosquitto/branchline/acl\n"} {
		if !strings.Contains(string(files["mosquitto.conf"]), want) {
			t.Errorf("no %q in %s", want, files["mosquitto.conf"])
		}
	}
}
