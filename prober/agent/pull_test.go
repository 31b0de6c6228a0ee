package agent_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
)

// TestPullsTellFindings: what a follower of others' streams finds is in the result, each
// with its stream, whether it plays or not.
func TestPullsTellFindings(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra", "nyc"), pulls(false)), func(w *world, _ *agent.Agent) {
		w.change(func() {
			for _, key := range []string{"news", "sport"} {
				w.live[key] = &fakeBroadcast{world: w, host: "theirs", key: key, began: w.begin}
			}
			for _, f := range []prober.Finding{finding(prober.SeverityNote, "720p", 1), finding(prober.SeverityDegraded, "", 2)} {
				f.Rule = "target-integer"
				w.findings = append(w.findings, f)
			}
		})
		w.until(70 * time.Second)
		told := func(playback string) (all []string) {
			for _, r := range w.results {
				if r.Playback != playback {
					continue
				}
				for _, f := range r.Findings {
					if f.Rule != "target-integer" || f.Section != "4.4.3.1" || f.Detail != "as the test has it" {
						t.Errorf("%+v", f)
					}
					all = append(all, fmt.Sprint(f.Severity, " ", f.Where))
					// It is looked at each 100 ms, and has played after half a second.
					if f.Count < 4 || f.Count > 10 {
						t.Errorf("%s: %d times", f.Where, f.Count)
					}
				}
			}
			return all
		}
		for playback, want := range map[string][]string{
			"fra": {"degraded news", "degraded sport", "note news 720p", "note sport 720p"},
			"nyc": {"degraded news", "note news 720p"},
		} {
			if got := told(playback); !slices.Equal(got, want) {
				t.Errorf("%s: got %q, want %q", playback, got, want)
			}
		}
		w.change(func() { w.live = map[string]*fakeBroadcast{} })
	})
}

// TestPullsFindingsAreBounded: the gravest of all streams is within the bound.
func TestPullsFindingsAreBounded(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra", "nyc"), pulls(false)), func(w *world, _ *agent.Agent) {
		w.change(func() {
			for _, key := range []string{"news", "sport"} {
				w.live[key] = &fakeBroadcast{world: w, host: "theirs", key: key, began: w.begin}
			}
			for i := range 2 * prober.MaxFindings {
				w.findings = append(w.findings, finding(prober.SeverityNote, fmt.Sprint(i), 1))
			}
			w.findings = append(w.findings, finding(prober.SeverityFail, "last", 1))
		})
		w.until(70 * time.Second)
		for _, r := range w.results {
			f := r.Findings
			if len(f) != prober.MaxFindings || f[0].Where != "news last" || r.Playback == "fra" && f[1].Where != "sport last" {
				t.Errorf("%s: %+v", r.Playback, f)
			}
		}
		if len(w.results) != 2 {
			t.Errorf("%d results", len(w.results))
		}
		w.change(func() { w.live = map[string]*fakeBroadcast{} })
	})
}

// staleFollower is of a stream that is stale by a rule.
type staleFollower struct{ endedFollower }

func (staleFollower) Observe(time.Time) agent.Observation {
	return agent.Observation{
		Failure: &prober.Failure{Outcome: prober.Fail, Stage: prober.StageManifest, Reason: prober.ReasonPlaylistStale, Detail: "no new segment"},
		Findings: []prober.Finding{{Rule: "stale", Section: "6.2.1", Severity: prober.SeverityFail, Stage: prober.StageManifest,
			Reason: prober.ReasonPlaylistStale, Where: "360p", Detail: "no new segment", Count: 1}},
	}
}

// TestPullToldByRule: a failure that a rule has found is told by that, and once.
func TestPullToldByRule(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra", "nyc"), pulls(false)), func(w *world, _ *agent.Agent) {
		w.until(90 * time.Second)
		w.expect(prober.KindPlayback, "", "nyc", "80 fail manifest playlist_stale")
		for _, r := range w.results {
			if r.Playback == "nyc" && (len(r.Findings) != 1 || r.Findings[0].Rule != "stale" || r.Findings[0].Where != "news 360p") {
				t.Errorf("%+v", r.Findings)
			}
		}
	}, func(c *agent.Config) {
		c.Follower = func(prober.Playback, string, string, prober.Signal) agent.Follower { return staleFollower{} }
	})
}

// longFollower is of a stream of long segments, which may go on.
type longFollower struct {
	endedFollower
	target time.Duration
	starts time.Duration // when the first segment has come
	until  prober.Reason // what is told before; "" is that nothing has come yet
	goes   bool
	fails  bool // after the first segment
	blip   bool // it fails from 24 to 25 s after that
	badly  bool // it plays badly all the time
	began  *time.Time
}

func (f longFollower) Observe(now time.Time) agent.Observation {
	obs := agent.Observation{Target: f.target}
	first := f.began.IsZero()
	if first {
		*f.began = now.Add(f.starts)
	}
	since := now.Sub(*f.began)
	if since < 0 {
		obs.Failure = fails(prober.Fail, prober.StageMedia, cmp.Or(f.until, prober.ReasonMarkerMissing))
		return obs
	}
	obs.PlayingSince = *f.began
	if !f.goes || since < f.target {
		obs.Unrenewed = []string{""}
	}
	if f.badly {
		obs.Failure = fails(prober.Degraded, prober.StageManifest, prober.ReasonPlaylistStale)
	}
	if f.blip && since >= 24*time.Second && since < 25*time.Second || f.fails && !first {
		obs.Failure = fails(prober.Fail, prober.StageManifest, prober.ReasonPlaylistStale)
	}
	return obs
}

// A stream of long segments is waited for, unless the configuration forbids it; but no
// server's target duration holds a round up, nor does what has failed.
func TestPullOfLongSegments(t *testing.T) {
	t.Parallel()
	const half, two, day = 30 * time.Second, 121 * time.Second, 24 * time.Hour
	for name, c := range map[string]struct {
		follower longFollower
		timeout  time.Duration
		want     string
	}{
		"it goes on":                         {longFollower{target: half, goes: true}, 0, "3630.5 pass"},
		"it stands":                          {longFollower{target: half}, 0, "3670 fail manifest playlist_stale"},
		"a timeout too short":                {longFollower{target: half, goes: true}, 20 * time.Second, "3620 inconclusive configuration"},
		"a timeout long enough":              {longFollower{target: half}, 70 * time.Second, "3670 fail manifest playlist_stale"},
		"a timeout of less":                  {longFollower{target: half}, 69 * time.Second, "3669 inconclusive configuration"},
		"short segments, and a short one":    {longFollower{target: 2 * time.Second}, 6 * time.Second, "3606 fail manifest playlist_stale"},
		"a target duration of a day":         {longFollower{target: day}, 0, "3850 inconclusive configuration"},
		"a blip":                             {longFollower{target: half, goes: true, blip: true}, 0, "3630.5 pass"},
		"it plays badly, and stands":         {longFollower{target: half, badly: true}, 0, "3670 degraded manifest playlist_stale"},
		"two minutes, and a timeout of more": {longFollower{target: two}, 253 * time.Second, "3853 fail manifest playlist_stale"},
		"two minutes, and a timeout of less": {longFollower{target: two}, 251 * time.Second, "3851 inconclusive configuration"},
		"and it fails":                       {longFollower{target: day, fails: true}, 0, "3620 fail manifest playlist_stale"},
		"the first comes late":               {longFollower{target: half, goes: true, starts: half}, 0, "3660.5 pass"},
		"the first comes too late":           {longFollower{target: half, goes: true, starts: 71 * time.Second}, 0, "3670 fail media marker_missing"},
		"it has just begun":                  {longFollower{target: half, goes: true, starts: half, until: prober.ReasonPlaylistNoSegments}, 0, "3660.5 pass"},
		"nothing begins":                     {longFollower{target: half, starts: day, until: prober.ReasonPlaylistNoSegments}, 0, "3670 fail media playlist_no_segments"},
		"nothing begins, of short segments":  {longFollower{target: 2 * time.Second, starts: day}, 0, "3620 fail media marker_missing"},
		"something else until then":          {longFollower{target: half, goes: true, starts: half, until: prober.ReasonHTTPStatus}, 0, "3620 fail media http_status"},
		"a timeout in the first segment":     {longFollower{target: half, goes: true, starts: 25 * time.Second}, 20 * time.Second, "3620 inconclusive configuration"},
		"a timeout, and nothing begins":      {longFollower{target: 10 * time.Second, starts: day}, 20 * time.Second, "3620 fail media marker_missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			probe := every(prober.KindPlayback, time.Hour)
			probe.Timeout = c.timeout
			probe.Pulls = []prober.Pull{{Name: "news", Playback: "fra", URL: "http://fra/hls/news/index.m3u8"}}
			play(t, assign(target("fra"), probe), func(w *world, _ *agent.Agent) {
				w.until(time.Hour + 5*time.Minute)
				w.expect(prober.KindPlayback, "", "fra", c.want)
			}, func(config *agent.Config) {
				config.Follower = func(prober.Playback, string, string, prober.Signal) agent.Follower {
					f := c.follower
					f.began = new(time.Time)
					return f
				}
			})
		})
	}
}

// pullsAt gives a follower by the stream's name.
func pullsAt(followers map[string]func() agent.Follower) func(*agent.Config) {
	return func(c *agent.Config) {
		c.Follower = func(_ prober.Playback, url, _ string, _ prober.Signal) agent.Follower {
			return followers[strings.Split(url, "/")[4]]()
		}
	}
}

// badFollower is of a stream that fails from the beginning.
type badFollower struct{ endedFollower }

func (badFollower) Observe(time.Time) agent.Observation {
	return agent.Observation{Failure: fails(prober.Fail, prober.StageConnect, prober.ReasonConnectionRefused)}
}

// A stream of long segments holds up no verdict but its own playback's, and that only
// while nothing there has failed; nor any other playback's next round.
func TestPullsDoNotWaitForOthers(t *testing.T) {
	t.Parallel()
	long := func() agent.Follower {
		return longFollower{target: 100 * time.Second, goes: true, began: new(time.Time)}
	}
	short := func() agent.Follower { return longFollower{target: 2 * time.Second, goes: true, began: new(time.Time)} }
	stands := func() agent.Follower { return longFollower{target: 30 * time.Second, began: new(time.Time)} }
	bad := func() agent.Follower { return badFollower{} }
	for name, c := range map[string]struct {
		news, sport, nyc func() agent.Follower // the first two at one playback
		fra, atNYC       []string
		note             string // of what was not waited for, in the first result of fra
	}{
		"another playback": {long, short, bad, []string{"160.5 pass"}, []string{"80 fail connect connection_refused", "140 fail connect connection_refused", "200 fail connect connection_refused"}, ""},
		"another plays":    {long, long, short, []string{"160.5 pass"}, []string{"62.5 pass", "122.5 pass", "182.5 pass"}, ""},
		"the same playback": {long, bad, short, []string{"81 fail connect connection_refused", "141 fail connect connection_refused", "201 fail connect connection_refused"},
			[]string{"62.5 pass", "122.5 pass", "182.5 pass"}, "news"},
		"both stand": {stands, stands, short, []string{"130 fail manifest playlist_stale"}, []string{"62.5 pass", "122.5 pass", "182.5 pass"}, ""},
		"both fail": {bad, bad, short, []string{"80 fail connect connection_refused", "140 fail connect connection_refused", "200 fail connect connection_refused"},
			[]string{"62.5 pass", "122.5 pass", "182.5 pass"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			probe := pulls(false)
			probe.Pulls[2].URL = "http://nyc/hls/other/index.m3u8"
			play(t, assign(target("fra", "nyc"), probe), func(w *world, _ *agent.Agent) {
				w.until(215 * time.Second)
				w.expect(prober.KindPlayback, "", "fra", c.fra...)
				w.expect(prober.KindPlayback, "", "nyc", c.atNYC...)
				note := ""
				both := strings.HasPrefix(name, "both")
				for _, r := range w.results {
					if both && r.Playback == "fra" && len(r.Findings) != 2 {
						t.Errorf("of both: %+v", r.Findings)
					}
					for _, f := range r.Findings {
						if r.Playback == "fra" && f.Reason == prober.ReasonCancelled {
							note = f.Where
						}
					}
				}
				if note != c.note {
					t.Errorf("not waited for: %q, want %q", note, c.note)
				}
			}, pullsAt(map[string]func() agent.Follower{"news": c.news, "sport": c.sport, "other": c.nyc}))
		})
	}
}

// Rounds that are asked for are each playback's, too.
func TestPullsNowDoNotWaitForOthers(t *testing.T) {
	t.Parallel()
	probe := pulls(false)
	probe.Schedule, probe.Pulls = "@every 1h", probe.Pulls[1:]
	probe.Pulls[1].URL = "http://nyc/hls/other/index.m3u8"
	play(t, assign(target("fra", "nyc"), probe), func(w *world, a *agent.Agent) {
		w.until(5 * time.Second)
		a.ProbeNow(prober.ProbeNow{ID: "now", Target: "video", Kinds: []prober.Kind{prober.KindPlayback}, Rounds: 3, Spacing: 2 * time.Second})
		w.until(2 * time.Minute)
		w.expect(prober.KindPlayback, "", "fra", "7.5 pass", "12 pass", "16.5 pass")
		w.expect(prober.KindPlayback, "", "nyc", "35.5 pass", "68 pass", "100.5 pass")
	}, pullsAt(map[string]func() agent.Follower{
		"sport": func() agent.Follower { return longFollower{target: 2 * time.Second, goes: true, began: new(time.Time)} },
		"other": func() agent.Follower {
			return longFollower{target: 30 * time.Second, goes: true, began: new(time.Time)}
		},
	}))
}

// ladderFollower is of a ladder of which some renditions have something to show.
type ladderFollower struct {
	endedFollower
	renditions []prober.Rendition
	unrenewed  []string
	failure    *prober.Failure
}

func (f ladderFollower) Observe(now time.Time) agent.Observation {
	return agent.Observation{Failure: f.failure, PlayingSince: now, Segments: len(f.renditions), Target: 2 * time.Second, Renditions: f.renditions, Unrenewed: f.unrenewed}
}

// Each rendition has to show that it goes on: what does not while a variant does is
// degraded, unless it is to fail alone. How many segments came of all is no matter.
func TestPullOfLadder(t *testing.T) {
	t.Parallel()
	high, low := prober.Rendition{Name: "720p", Type: prober.RenditionVariant, Playing: true}, prober.Rendition{Name: "360p", Type: prober.RenditionVariant, Playing: true}
	sound := prober.Rendition{Name: "audio en", Type: prober.RenditionAudio, Playing: true}
	for name, c := range map[string]struct {
		follower ladderFollower
		alone    bool
		want     string
		detail   string
	}{
		"it goes on":            {follower: ladderFollower{}, want: "60.5 pass"},
		"it stands":             {follower: ladderFollower{unrenewed: []string{"720p", "360p", "audio en"}}, want: "80 fail manifest playlist_stale", detail: "no new segment came in 20s of 720p, 360p, audio en"},
		"one stands":            {follower: ladderFollower{unrenewed: []string{"360p"}}, want: "80 degraded manifest playlist_stale", detail: "no new segment came in 20s of 360p"},
		"one stands, and fails": {follower: ladderFollower{unrenewed: []string{"360p"}}, alone: true, want: "80 fail manifest playlist_stale"},
		"sound alone goes on":   {follower: ladderFollower{unrenewed: []string{"720p", "360p"}}, want: "80 fail manifest playlist_stale"},
		"one is told": {follower: ladderFollower{unrenewed: []string{"360p"}, failure: fails(prober.Degraded, prober.StageSegment, prober.ReasonHTTPStatus)},
			want: "80 degraded segment http_status"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := target("fra")
			at.Playbacks[0].Pull.FailAlone = c.alone
			probe := every(prober.KindPlayback, time.Minute)
			probe.Pulls = []prober.Pull{{Name: "news", Playback: "fra", URL: "http://fra/hls/news/index.m3u8"}}
			play(t, assign(at, probe), func(w *world, _ *agent.Agent) {
				w.until(90 * time.Second)
				w.expect(prober.KindPlayback, "", "fra", c.want)
				if c.detail != "" && w.results[0].Detail != "news: "+c.detail {
					t.Errorf("got %q, want %q", w.results[0].Detail, c.detail)
				}
			}, func(config *agent.Config) {
				c.follower.renditions = []prober.Rendition{high, low, sound}
				config.Follower = func(prober.Playback, string, string, prober.Signal) agent.Follower { return c.follower }
			})
		})
	}
}
