package main

import (
	"context"
	"fmt"
	"net/url"

	"streamcanary/statuspage/backtest"
	"streamcanary/statuspage/incident"
)

// backtest runs what the demo has recorded through a stricter policy, and tells what
// that would have done to the drill: as replay does for a hub.
func (d *demo) backtest(ctx context.Context) error {
	settings := d.config.Policy.Settings()
	was := settings
	settings.Quorum, settings.Threshold = 3, 2*settings.Threshold
	stricter, err := incident.NewPolicy(settings, d.config.Policy.Topology())
	if err != nil {
		return fmt.Errorf("demo: backtest: %w", err)
	}
	hub := onCall{hub: d.url, token: d.files.token}
	found, err := hub.replay(ctx, url.Values{}, stricter)
	if err != nil {
		return fmt.Errorf("demo: backtest: %w", err)
	}
	d.tell.say("drill", fmt.Sprintf("backtest: %d results of this drill, run through a policy with quorum %d (not %d) and a threshold of %.1f nats (not %.1f): %s",
		found.Recording.Results, settings.Quorum, was.Quorum, float64(settings.Threshold)/1e6, float64(was.Threshold)/1e6, backtestWords(found)))
	return nil
}

// backtestWords sums a backtest up.
func backtestWords(r backtest.Report) string {
	a, o, both := r.Figures()
	if o.Incidents == 0 {
		return fmt.Sprintf("it would have opened nothing (not %d)", a.Incidents)
	}
	words := fmt.Sprintf("%d %s (not %d), %d missed, %d false", o.Incidents, plural(o.Incidents, "incident"), a.Incidents, r.Missed(), r.False())
	if both > 0 {
		words = fmt.Sprintf("opened after %s (not %s), %s", short(o.OpenedAfter), short(a.OpenedAfter), words)
	}
	return words
}

// replay runs what a hub has recorded through a policy, as it comes.
func (o *onCall) replay(ctx context.Context, query url.Values, p incident.Policy) (backtest.Report, error) {
	body, err := o.get(ctx, "/v1/results?"+query.Encode())
	if err != nil {
		return backtest.Report{}, err
	}
	defer func() { _ = body.Close() }()
	return backtest.Replay(body, p)
}
