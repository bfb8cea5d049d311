package broker

import (
	_ "embed"
	"fmt"
	"path/filepath"
	"strings"
)

// mosquittoACL is also published as configs/mosquitto.acl, for a Mosquitto with secrets.
//
//go:embed mosquitto.acl
var mosquittoACL []byte

// MosquittoFiles are what makes a Mosquitto let in whom the hub's own broker would, by
// their names: each branch by its certificate, with TLS 1.3, in its own topics. The
// certificates and the list of those that are revoked lie beside them in the folder, as
// authority.crt, broker.crt, broker.key and revoked.crl.
func MosquittoFiles(folder string, port int) map[string][]byte {
	at := func(name string) string { return filepath.Join(folder, name) }
	var b strings.Builder
	fmt.Fprintf(&b, "# Made by branchline-hub, which writes it anew: changes here are lost.\nlistener %d\n", port)
	for _, setting := range [][2]string{{"cafile", at("authority.crt")}, {"certfile", at("broker.crt")}, {"keyfile", at("broker.key")}, {"crlfile", at("revoked.crl")},
		{"tls_version", "tlsv1.3"}, {"require_certificate", "true"}, {"use_identity_as_username", "true"}, {"allow_anonymous", "false"},
		{"acl_file", at("acl")}, {"max_packet_size", "1100000"}, {"max_keepalive", "120"}, {"persistence", "false"}} {
		fmt.Fprintf(&b, "%s %s\n", setting[0], setting[1])
	}
	return map[string][]byte{"mosquitto.conf": []byte(b.String()), "acl": mosquittoACL}
}
