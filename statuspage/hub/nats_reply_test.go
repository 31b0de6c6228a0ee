package hub_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"streamcanary/prober"
	"streamcanary/prober/report"
	"streamcanary/statuspage/hub"
)

// agentConn is an agent's own connection over TCP, without the client of ours.
func agentConn(t *testing.T, n *hub.NATS, agent string) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(n.ClientURL(), nats.UserInfo(agent, "key-"+agent), nats.CustomInboxPrefix("_INBOX_"+agent))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// TestReplySubjectsReachNothing: the server sends an answer to whatever reply
// subject a request names, and asks for no permission. So a request that an agent
// may make must not carry its answer to where the agent may not publish.
func TestReplySubjectsReachNothing(t *testing.T) {
	t.Parallel()
	n := startNATS(t, natsConfig(t))
	conn := own(t, n)
	j, err := report.OpenJournal(t.Context(), conn, report.JournalConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for _, agent := range []string{"fra", "nyc"} {
		if err := j.Assign(t.Context(), agent, prober.Assignment{Revision: 7, Targets: []prober.Target{}}); err != nil {
			t.Fatal(err)
		}
	}
	// What arrives where only the hub may write, and what the other agent hears.
	forged := make(chan string, 64)
	hear := func(who string, nc *nats.Conn, subject string) {
		if _, err := nc.Subscribe(subject, func(m *nats.Msg) { forged <- fmt.Sprintf("%s hears %q on %s", who, m.Data, m.Subject) }); err != nil {
			t.Fatal(err)
		}
		if err := nc.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	for _, subject := range []string{
		"streamcanary.tick", "streamcanary.change", "streamcanary.config", "streamcanary.command", "streamcanary.probe-now",
		"streamcanary.result.nyc", "streamcanary.assignment.*", "$KV.>", "_INBOX.stolen", "_INBOX_nyc.>",
	} {
		hear("the hub", conn, subject)
	}
	nyc := agentConn(t, n, "nyc")
	for _, subject := range []string{"streamcanary.probe-now", "streamcanary.assignment.nyc", "_INBOX_nyc.>"} {
		hear("nyc", nyc, subject)
	}
	fra := agentConn(t, n, "fra")
	requests := []string{"streamcanary.result.fra", "$JS.API.DIRECT.GET.KV_streamcanary_assignments.$KV.streamcanary_assignments.fra"}
	replies := []string{
		"streamcanary.tick", "streamcanary.change", "streamcanary.config", "streamcanary.command",
		"streamcanary.result.nyc", "streamcanary.probe-now", "streamcanary.assignment.nyc", "$KV.streamcanary_assignments.nyc",
		"$KV.streamcanary_assignments.fra", "$JS.API.STREAM.PURGE.STREAMCANARY", "$JS.API.STREAM.DELETE.STREAMCANARY", "_INBOX.stolen", "_INBOX_nyc.x",
	}
	for _, request := range requests {
		for _, reply := range replies {
			if err := fra.PublishRequest(request, reply, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	// These two are answered behind all of the above.
	for _, request := range requests {
		if _, err := fra.Request(request, nil, 5*time.Second); err != nil {
			t.Fatalf("a request to %s: %v", request, err)
		}
	}
	for _, nc := range []*nats.Conn{conn, nyc} {
		if err := nc.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case got := <-forged:
		t.Error(got)
		for len(forged) > 0 {
			t.Error(<-forged)
		}
	default:
	}
	checkJournalIsOf(t, j, "fra", len(replies)+1)
	for _, agent := range []string{"fra", "nyc"} {
		m, err := agentConn(t, n, agent).Request(requests[1][:len(requests[1])-len("fra")]+agent, nil, 5*time.Second)
		if err != nil || !strings.Contains(string(m.Data), `"revision":7`) {
			t.Errorf("assignment of %s: %v, %v", agent, m, err)
		}
	}
}

// checkJournalIsOf wants n entries, all of them results of the agent.
func checkJournalIsOf(t *testing.T, j *report.Journal, agent string, n int) {
	t.Helper()
	tail, err := j.Tail(t.Context())
	if err != nil || tail.Seq != uint64(n) {
		t.Errorf("the journal ends at %d (%v), want %d", tail.Seq, err, n)
	}
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	err = j.Read(ctx, report.Cursor{}, func(batch []report.Entry) error {
		for _, e := range batch {
			if e.Kind != report.KindResult || e.Agent != agent {
				t.Errorf("entry %d is a %s of %q", e.Seq, e.Kind, e.Agent)
			}
		}
		if batch[len(batch)-1].Seq == tail.Seq {
			stop()
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
