package installation

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/matryer/is"
)

// NATSServer is the name of the part that the others meet at.
const NATSServer = "nats-server"

var natsReady = regexp.MustCompile(`NATS listens on (\S+)\n`)

// StartNATS starts a NATS server on the directory that the all-in-one uses too, at the address that it had before if it had
// one. It takes the settings of nats.conf.
func (i *Installation) StartNATS(t *testing.T) {
	t.Helper()
	p := Spawn(t, natsReady, AllInOne, "nats", "--conf", natsConf(t, i.Data, i.NATS), "--auth", i.Auth(), "--db", i.Views())
	i.Parts[NATSServer], i.NATS = p, p.Says(t, natsReady)
}

// natsConf writes a copy of nats.conf with another directory and other ports: all else is as a user has it.
func natsConf(t *testing.T, data, url string) (file string) {
	t.Helper()
	is := is.New(t)
	root, err := Root()
	is.NoErr(err)
	text, err := os.ReadFile(filepath.Join(root, "nats.conf"))
	is.NoErr(err)
	address := ListenAt(url)
	if url == "" {
		address = "127.0.0.1:-1" // how nats-server says: any
	}
	for line, other := range map[string]string{
		`(?m)^listen: .*$`:        "listen: " + address,
		`(?m)^http: .*$`:          "http: 127.0.0.1:-1",
		`(?m)^(\s*)store_dir: .*`: fmt.Sprintf("${1}store_dir: %q", filepath.Join(data, "nats")),
	} {
		pattern := regexp.MustCompile(line)
		is.True(pattern.Match(text)) // nats.conf has the line that is replaced
		text = pattern.ReplaceAll(text, []byte(other))
	}
	file = filepath.Join(data, "nats.conf")
	is.NoErr(os.WriteFile(file, text, 0o600))
	return file
}

// ListenAt is where to listen to be found at a URL; on any port where there is none yet.
func ListenAt(url string) string {
	if url == "" {
		return FreePort
	}
	return regexp.MustCompile(`^\w+://`).ReplaceAllString(url, "")
}
