package hub_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"golang.org/x/sync/errgroup"

	"streamcanary/prober"
	"streamcanary/prober/report"
)

// Agents that are connected to a hub that runs hear of each other's broadcasts.
func TestAgentsHearOfEachOther(t *testing.T) {
	t.Parallel()
	h := newPlan(t).start(t)
	clients := map[string]*report.Client{}
	var running errgroup.Group
	for _, r := range regions[:2] {
		outbox, err := report.OpenOutbox(t.Context(), report.OutboxConfig{Path: filepath.Join(t.TempDir(), "outbox.db")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = outbox.Close() })
		c, err := report.NewClient(report.ClientConfig{URL: h.ClientURL(), Agent: r, Key: prober.Secret("key-" + r), Outbox: outbox})
		if err != nil {
			t.Fatal(err)
		}
		clients[r] = c
		running.Go(func() error { return c.Run(t.Context()) })
	}
	t.Cleanup(func() {
		if err := running.Wait(); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	list := []prober.Broadcast{{Target: "live", Ingest: "fra", Run: "run-1", Playback: "abc"}}
	from, to := regions[0], regions[1]
	eventually(t, "what "+from+" has up is heard at "+to, func() error {
		if err := clients[from].Announce(list); err != nil {
			return err
		}
		select {
		case b := <-clients[to].Broadcasts():
			if fmt.Sprint(b) != fmt.Sprint(prober.Broadcasts{Pusher: from, List: list}) {
				t.Errorf("heard %+v", b)
			}
			return nil
		default:
			return fmt.Errorf("nothing is heard")
		}
	})
}
