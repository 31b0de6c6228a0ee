package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The incident of 8 April 2024, in short: a fix is deployed, the roll-out
// restarts the media servers non-gracefully, running broadcasts drop, new ones
// are refused, playback stops in every region, and then it comes back.
const (
	aprilChange   = "media server roll-out 2024-04-08"
	aprilDown     = 20 * time.Second
	aprilPatience = 4 * time.Minute
)

// april plays the incident and says whether the page told it right.
func (d *demo) april(ctx context.Context, watch *pageWatch) error {
	if err := d.reportChange(ctx, aprilChange); err != nil {
		return err
	}
	d.tell.say("drill", "a change is reported (for on-call only): "+aprilChange)
	d.tell.say("drill", fmt.Sprintf("every media server restarts without grace and is away for %s", aprilDown))
	watch.since = time.Now()
	begun := watch.since
	go func() {
		if err := d.platform.inject(ctx, "restart", "", aprilDown); err != nil && ctx.Err() == nil {
			d.tell.say("drill", err.Error())
			return
		}
		d.tell.say("drill", "the media servers are back")
	}()
	limit, cancel := context.WithTimeoutCause(ctx, aprilPatience, fmt.Errorf("the incident did not open and resolve within %s", aprilPatience))
	defer cancel()
	err := watch.follow(limit, func() bool {
		all, err := watch.incidents(limit)
		return err == nil && time.Since(begun) > aprilDown && len(since(all, begun)) > 0 &&
			!slices.ContainsFunc(since(all, begun), func(in publicIncident) bool { return in.Status != "resolved" })
	})
	watch.since = time.Time{}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	if err := d.judge(ctx, watch, begun); err != nil {
		return fmt.Errorf("the drill is over, but the page did not tell it right: %w", err)
	}
	d.tell.say("drill", "over: one incident, opened, updated and resolved by itself; the change stands in the on-call feed and not on the page")
	return nil
}

func since(all []publicIncident, at time.Time) []publicIncident {
	return slices.DeleteFunc(slices.Clone(all), func(in publicIncident) bool { return in.CreatedAt.Before(at.Truncate(time.Second)) })
}

// judge reads the page and the feed as anybody could, and says what is wrong.
func (d *demo) judge(ctx context.Context, watch *pageWatch, begun time.Time) error {
	all, err := watch.incidents(ctx)
	if err != nil {
		return err
	}
	all = since(all, begun)
	if len(all) != 1 {
		return fmt.Errorf("%d incidents opened, not one", len(all))
	}
	var wrong []error
	said, named := "", map[string]bool{}
	for _, u := range all[0].Updates {
		said += u.Body + "\n"
		for _, c := range u.Affected {
			named[c.Name] = true
		}
	}
	for _, want := range []string{"Running broadcasts dropped in all regions", "New broadcasts cannot start in any region"} {
		if !strings.Contains(said, want) {
			wrong = append(wrong, fmt.Errorf("no update says %q", want))
		}
	}
	for _, r := range d.platform.regions {
		for _, what := range []string{"Live ingest - " + r.name + " ingest", "Live playback - " + r.name + " playback"} {
			if !named[what] {
				wrong = append(wrong, fmt.Errorf("no update names %q", what))
			}
			delete(named, what)
		}
	}
	for other := range named {
		wrong = append(wrong, fmt.Errorf("an update names %q, which did not fail", other))
	}
	wrong = append(wrong, d.judgeChange(ctx, all[0].ID))
	return errors.Join(wrong...)
}

// judgeChange says whether the change is in the feed, and nowhere in public.
func (d *demo) judgeChange(ctx context.Context, id string) error {
	feed, err := d.fetch(ctx, "/alerts", d.files.token)
	if err != nil {
		return err
	}
	if !bytes.Contains(feed, []byte(aprilChange)) {
		return errors.New("the change is not in the on-call feed")
	}
	for _, path := range []string{"/", "/history", "/history.atom", "/incidents/" + id, "/api/v2/summary.json", "/api/v2/incidents.json"} {
		public, err := d.fetch(ctx, path, "")
		if err != nil {
			return err
		}
		if bytes.Contains(public, []byte(aprilChange)) {
			return fmt.Errorf("the change is public on %s", path)
		}
	}
	return nil
}

// reportChange tells the hub of a deploy, as a pipeline would.
func (d *demo) reportChange(ctx context.Context, summary string) error {
	body, err := json.Marshal(map[string]string{"summary": summary, "source": "deploy pipeline"})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url+"/v1/changes", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+d.files.token.Reveal())
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("report a change: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusAccepted {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		return fmt.Errorf("report a change: %s: %s", resp.Status, text)
	}
	return nil
}
