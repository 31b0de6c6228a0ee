package hub_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"streamcanary/prober/report"
	"streamcanary/statuspage/hub"
)

func natsConfig(t *testing.T) hub.NATSConfig {
	t.Helper()
	return hub.NATSConfig{
		Addr: "127.0.0.1:0", StoreDir: t.TempDir(),
		Agents: []hub.NATSAgent{{ID: "fra", Key: "key-fra"}, {ID: "nyc", Key: "key-nyc"}},
	}
}

func startNATS(t *testing.T, cfg hub.NATSConfig) *hub.NATS {
	t.Helper()
	n, err := hub.StartNATS(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

func own(t *testing.T, n *hub.NATS) *nats.Conn {
	t.Helper()
	nc, err := n.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func TestNATSKeepsTheJournalOverARestart(t *testing.T) {
	t.Parallel()
	cfg := natsConfig(t)
	open := func() (*hub.NATS, *nats.Conn, *report.Journal) {
		n, err := hub.StartNATS(cfg)
		if err != nil {
			t.Fatal(err)
		}
		nc, err := n.Connect()
		if err != nil {
			t.Fatal(err)
		}
		j, err := report.OpenJournal(t.Context(), nc, report.JournalConfig{})
		if err != nil {
			t.Fatal(err)
		}
		return n, nc, j
	}
	n, nc, j := open()
	first := j.Identity()
	for range 3 {
		if _, err := j.Tick(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	nc.Close()
	n.Close()
	n, nc, j = open()
	defer n.Close()
	defer nc.Close()
	tail, err := j.Tail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := (report.Cursor{Stream: first, Seq: 3}); tail != want {
		t.Errorf("tail after a restart: %+v, want %+v", tail, want)
	}
}

func TestNATSRefusesStrangers(t *testing.T) {
	t.Parallel()
	n := startNATS(t, natsConfig(t))
	for _, who := range []struct{ user, key string }{{"", ""}, {"fra", "key-nyc"}, {"lon", "key-fra"}, {"streamcanary:hub", ""}} {
		nc, err := nats.Connect(n.ClientURL(), nats.UserInfo(who.user, who.key))
		if err == nil {
			nc.Close()
			t.Errorf("user %q with key %q may connect", who.user, who.key)
			continue
		}
		if !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("user %q with key %q: %v, want an authorization error", who.user, who.key, err)
		}
	}
}

// TestNATSAgentSeesOnlyItsOwn tries everything that an agent has no business with.
func TestNATSAgentSeesOnlyItsOwn(t *testing.T) {
	t.Parallel()
	n := startNATS(t, natsConfig(t))
	if _, err := report.OpenJournal(t.Context(), own(t, n), report.JournalConfig{}); err != nil {
		t.Fatal(err)
	}
	refused := make(chan error, 64)
	nc, err := nats.Connect(n.ClientURL(), nats.UserInfo("fra", "key-fra"),
		nats.CustomInboxPrefix("_INBOX_fra"),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	expect := func(what string, err error) {
		t.Helper()
		if err == nil {
			err = nc.Flush()
		}
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		select {
		case err := <-refused:
			if !errors.Is(err, nats.ErrPermissionViolation) {
				t.Errorf("%s: %v, want a permissions violation", what, err)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("%s: allowed", what)
		}
	}
	for _, subject := range []string{
		"streamcanary.result.nyc", "streamcanary.tick", "streamcanary.change", "streamcanary.config", "streamcanary.command",
		"streamcanary.probe-now", "streamcanary.assignment.fra", "$KV.streamcanary_assignments.fra",
		"$JS.API.STREAM.INFO.STREAMCANARY", "$JS.API.STREAM.PURGE.STREAMCANARY", "$JS.API.STREAM.DELETE.STREAMCANARY",
		"$JS.API.CONSUMER.CREATE.STREAMCANARY", "$JS.API.DIRECT.GET.KV_streamcanary_assignments.$KV.streamcanary_assignments.nyc",
		"$JS.API.DIRECT.GET.STREAMCANARY", "_INBOX_nyc.x", "$SYS.REQ.SERVER.PING",
	} {
		expect("publish to "+subject, nc.Publish(subject, nil))
	}
	for _, subject := range []string{
		">", "streamcanary.>", "streamcanary.result.*", "streamcanary.assignment.nyc", "$KV.>", "_INBOX_nyc.>", "_INBOX.>", "$SYS.>",
	} {
		_, err := nc.SubscribeSync(subject)
		expect("subscribe to "+subject, err)
	}
	// And what it may do works.
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "streamcanary.result.fra", []byte("{}")); err != nil {
		t.Errorf("publish its own result: %v", err)
	}
}

func TestNATSOverTLS(t *testing.T) {
	t.Parallel()
	cert, roots := certificate(t)
	cfg := natsConfig(t)
	cfg.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	n := startNATS(t, cfg)
	if _, err := report.OpenJournal(t.Context(), own(t, n), report.JournalConfig{}); err != nil {
		t.Errorf("the hub's own connection: %v", err)
	}
	if !strings.HasPrefix(n.ClientURL(), "tls://") {
		t.Errorf("URL %s, want tls://", n.ClientURL())
	}
	nc, err := nats.Connect(n.ClientURL(), nats.UserInfo("fra", "key-fra"), nats.Secure(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if _, err := nc.TLSConnectionState(); err != nil {
		t.Errorf("not TLS: %v", err)
	}
	if nc, err := nats.Connect(n.ClientURL(), nats.UserInfo("fra", "key-fra")); err == nil {
		nc.Close()
		t.Error("a certificate of an unknown authority was accepted")
	}
}

func TestStartNATSSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = busy.Close() }) // after the parallel subtests
	for name, test := range map[string]struct {
		change func(*hub.NATSConfig)
		want   string
	}{
		"port in use": {func(c *hub.NATSConfig) { c.Addr = busy.Addr().String() }, "address already in use"},
		"no port":     {func(c *hub.NATSConfig) { c.Addr = "127.0.0.1" }, `address "127.0.0.1": want host:port`},
		"bad port":    {func(c *hub.NATSConfig) { c.Addr = "127.0.0.1:70000" }, "want a port from 0 to 65535"},
		"no store":    {func(c *hub.NATSConfig) { c.StoreDir = "" }, "no folder for the journal"},
		"bad store":   {func(c *hub.NATSConfig) { c.StoreDir = "/dev/null/x" }, "/dev/null"},
		"agent twice": {func(c *hub.NATSConfig) { c.Agents = append(c.Agents, c.Agents[0]) }, `agent "fra": listed twice`},
		"no key":      {func(c *hub.NATSConfig) { c.Agents[0].Key = "" }, `agent "fra": no key`},
		"bad agent":   {func(c *hub.NATSConfig) { c.Agents[0].ID = "fra.>" }, `agent "fra.>"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := natsConfig(t)
			test.change(&cfg)
			n, err := hub.StartNATS(cfg)
			if err == nil {
				n.Close()
				t.Fatal("started")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q does not say %q", err, test.want)
			}
			if strings.Contains(err.Error(), "key-") {
				t.Errorf("error %q shows a key", err)
			}
		})
	}
}

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "hub"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
