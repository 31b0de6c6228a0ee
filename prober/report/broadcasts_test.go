package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"streamcanary/prober"
	"streamcanary/prober/report"
)

func up(playback string) []prober.Broadcast {
	return []prober.Broadcast{{Target: "live", Ingest: "fra", Run: "boot-run-1", Playback: playback}}
}

// announced has fra announce until nyc hears of it: a list that was told before
// the other was connected is lost.
func announced(t *testing.T, fra, nyc *report.Client, list []prober.Broadcast) prober.Broadcasts {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		if err := fra.Announce(list); err != nil {
			t.Fatal(err)
		}
		select {
		case b := <-nyc.Broadcasts():
			return b
		case <-time.After(50 * time.Millisecond):
		case <-limit:
			t.Fatal("nyc hears nothing")
		}
	}
}

func TestAgentsHearOfEachOthersBroadcasts(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	stop, err := n.journal(report.JournalConfig{}).RelayBroadcasts()
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	fra, _ := runClient(t, report.ClientConfig{URL: n.url(), Agent: "fra", Key: "key-fra"})
	nyc, _ := runClient(t, report.ClientConfig{URL: n.url(), Agent: "nyc", Key: "key-nyc"})
	got := announced(t, fra, nyc, up("abc-1"))
	if want := (prober.Broadcasts{Pusher: "fra", List: up("abc-1")}); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	select {
	case b := <-fra.Broadcasts():
		t.Errorf("fra hears of its own: %+v", b)
	default:
	}
	if err := fra.Announce(up("../admin")); err == nil {
		t.Error("a playback id that leads elsewhere was announced")
	}
}

// Whoever has an agent's key can tell of its broadcasts alone, and nothing that
// would lead others elsewhere.
func TestNobodyAnnouncesForAnother(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	stop, err := n.journal(report.JournalConfig{}).RelayBroadcasts()
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	heard, err := n.connect("nyc", "key-nyc").SubscribeSync("streamcanary.fleet")
	if err != nil {
		t.Fatal(err)
	}
	fra := n.connect("fra", "key-fra", nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	list := func(pusher, playback string) string {
		return fmt.Sprintf(`{"version":1,"broadcasts":{"pusher":%q,"list":[{"target":"live","ingest":"fra","run":"r","playback":%q}]}}`, pusher, playback)
	}
	for _, m := range []struct{ subject, body string }{
		{"streamcanary.broadcasts.nyc", list("nyc", "a")}, // denied
		{"streamcanary.fleet", list("fra", "a")},          // denied
		{"streamcanary.broadcasts.fra", list("nyc", "a")}, // refused
		{"streamcanary.broadcasts.fra", list("fra", "a/../../b")},
		{"streamcanary.broadcasts.fra", list("fra", "a?b")},
		{"streamcanary.broadcasts.fra", `{"version":2}`},
		{"streamcanary.broadcasts.fra", strings.Repeat("x", 200<<10)},
		{"streamcanary.broadcasts.fra", list("fra", "last")},
	} {
		if err := fra.Publish(m.subject, []byte(m.body)); err != nil {
			t.Fatal(err)
		}
	}
	m, err := heard.NextMsg(10 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(m.Data); got != list("fra", "last") {
		t.Errorf("nyc heard %s", got)
	}
}

// FuzzDecodeBroadcasts: what is taken can be sent on, is the same then, and leads
// no agent elsewhere.
func FuzzDecodeBroadcasts(f *testing.F) {
	f.Add([]byte(`{"version":1,"broadcasts":{"pusher":"fra","list":[{"target":"live","ingest":"fra","run":"r","playback":"a.b-c_d~e"}]}}`))
	f.Add([]byte(`{"version":1,"broadcasts":{"pusher":"fra","list":null}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := report.DecodeBroadcasts(body)
		if err != nil {
			return
		}
		again, err := report.EncodeBroadcasts(b)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := report.DecodeBroadcasts(again); err != nil || fmt.Sprint(back) != fmt.Sprint(b) {
			t.Errorf("%+v became %+v, %v", b, back, err)
		}
		for _, one := range b.List {
			if strings.ContainsAny(one.Playback, "/?#%\\@: ") || strings.HasPrefix(one.Playback, ".") {
				t.Errorf("playback id %q", one.Playback)
			}
		}
	})
}
