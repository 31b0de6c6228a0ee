package agent_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
)

// checking answers checks by their URL: after a second, with what is given.
func checking(answers map[string]*prober.Failure) func(*agent.Config) {
	return func(c *agent.Config) {
		c.Check = func(ctx context.Context, c prober.APICheck, bound time.Duration) (agent.Checked, error) {
			select {
			case <-ctx.Done():
				return agent.Checked{Failure: fails(prober.Inconclusive, prober.StageProvision, prober.ReasonCancelled)}, nil
			case <-time.After(min(time.Second, bound)):
			}
			if c.URL == "broken" {
				return agent.Checked{}, errors.New("no such check")
			}
			return agent.Checked{Failure: answers[c.URL], Bytes: 10, Times: prober.HTTPTimes{FirstByte: time.Second}}, nil
		}
	}
}

func checks(urls ...string) prober.Probe {
	p := every(prober.KindAPI, 10*time.Second)
	for _, u := range urls {
		p.Checks = append(p.Checks, prober.APICheck{Name: u, URL: u})
	}
	return p
}

func TestAPIChecks(t *testing.T) {
	t.Parallel()
	answers := map[string]*prober.Failure{
		"down": fails(prober.Fail, prober.StageProvision, prober.ReasonAPIError), "late": fails(prober.Degraded, prober.StageLatency, prober.ReasonLatencyHigh),
		"refused": fails(prober.Inconclusive, prober.StageProvision, prober.ReasonAPIUnauthorized),
	}
	for _, c := range []struct {
		urls     []string
		want     string
		findings []string
	}{
		{[]string{"a", "b"}, "11 pass", nil},
		{[]string{"a", "late"}, "11 degraded latency latency_high", []string{"late degraded latency_high"}},
		{[]string{"a", "late", "refused"}, "11 inconclusive provision api_unauthorized", []string{"late degraded latency_high", "refused note api_unauthorized"}},
		{[]string{"late", "down", "a"}, "11 fail provision api_error", []string{"down fail api_error", "late degraded latency_high"}},
		{[]string{"a", "broken"}, "11 inconclusive provision configuration", []string{"broken note configuration"}},
	} {
		play(t, assign(target("fra"), checks(c.urls...)), func(w *world, _ *agent.Agent) {
			w.until(15 * time.Second)
			w.expect(prober.KindAPI, "", "", c.want)
			if len(w.results) != 1 {
				t.Fatalf("%d results of one round", len(w.results))
			}
			var findings []string
			for _, f := range w.results[0].Findings {
				findings = append(findings, strings.Join([]string{f.Where, string(f.Severity), string(f.Reason)}, " "))
			}
			if !slices.Equal(findings, c.findings) || w.published["fra"] != 0 {
				t.Errorf("%v: findings %q, want %q", c.urls, findings, c.findings)
			}
		}, checking(answers))
	}
}

func TestStopDuringChecks(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), checks("a")), func(w *world, _ *agent.Agent) { w.until(10500 * time.Millisecond) }, checking(nil))
}

// Without what they need, kinds are not run.
func TestKindsThatCannotRun(t *testing.T) {
	t.Parallel()
	recordings := every(prober.KindRecording, time.Minute)
	recordings.Recording = &prober.RecordingCheck{Broadcast: time.Second}
	play(t, assign(target("fra"), checks("a"), recordings), func(w *world, _ *agent.Agent) {
		w.until(70 * time.Second)
		if len(w.results) > 0 {
			t.Errorf("results %+v", w.results)
		}
	})
}

// replaying plays whatever is asked for, once it is there.
func replaying(w **world, found agent.Replayed) func(*agent.Config) {
	return func(c *agent.Config) {
		inner := c.Platform
		c.Platform = func(p prober.Platform) (agent.Platform, error) {
			made, err := inner(p)
			*w = made.(worldly).theWorld()
			return made, err
		}
		c.Replay = func(context.Context, agent.Replay) (agent.Replayed, error) { return found, nil }
	}
}

type worldly interface{ theWorld() *world }

func (w *world) theWorld() *world { return w }

func recordings(url string) prober.Probe {
	p := every(prober.KindRecording, time.Minute)
	p.Recording = &prober.RecordingCheck{Broadcast: 10 * time.Second, Within: 20 * time.Second, Tolerance: time.Second, URL: url}
	return p
}

func TestRecording(t *testing.T) {
	t.Parallel()
	failure := func(stage prober.Stage, r prober.Reason) *prober.Failure { return fails(prober.Fail, stage, r) }
	for name, c := range map[string]struct {
		found agent.Replayed
		url   string // in the configuration; "" asks the platform
		there bool   // the platform knows a recording from the 5th second after the end
		want  string
	}{
		"good":       {found: agent.Replayed{Duration: 10500 * time.Millisecond}, url: "http://vod/{stream}/{id}", want: "70 pass"},
		"by the API": {found: agent.Replayed{Duration: 9500 * time.Millisecond}, there: true, want: "75 to 85, pass"},
		"never":      {want: "90 fail recording recording_missing"},
		"not there":  {found: agent.Replayed{Failure: failure(prober.StageManifest, prober.ReasonHTTPStatus), Absent: true}, url: "http://vod/x", want: "90 fail recording recording_missing"},
		"no end":     {found: agent.Replayed{Failure: failure(prober.StageManifest, prober.ReasonPlaylistStale), Unfinished: true}, url: "http://vod/x", want: "90 fail recording recording_missing"},
		"denied":     {found: agent.Replayed{Failure: failure(prober.StageManifest, prober.ReasonHTTPStatus), Denied: true}, url: "http://vod/x", want: "90 fail recording recording_denied"},
		"a hole":     {found: agent.Replayed{Failure: failure(prober.StageSegment, prober.ReasonHTTPStatus), Absent: true}, url: "http://vod/x", want: "90 fail recording recording_unplayable"},
		"graded":     {found: agent.Replayed{Failure: fails(prober.Degraded, prober.StageManifest, prober.ReasonPlaylistStale), Unfinished: true}, url: "http://vod/x", want: "90 degraded recording recording_unplayable"},
		"too short":  {found: agent.Replayed{Duration: 8 * time.Second}, url: "http://vod/x", want: "90 fail recording recording_duration"},
		"too long":   {found: agent.Replayed{Duration: 12 * time.Second}, url: "http://vod/x", want: "90 fail recording recording_duration"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var fake *world
			play(t, assign(target("fra", "nyc"), recordings(c.url)), func(w *world, _ *agent.Agent) {
				w.until(75 * time.Second)
				if c.there {
					w.change(func() { w.recordings = "http://vod/x" })
				}
				w.until(100 * time.Second)
				got := w.story(prober.KindRecording, "fra", "")
				// How far apart the looks are is random; the last is when the time is over.
				if len(got) != 1 || got[0] != c.want && (!c.there || !strings.HasSuffix(got[0], " pass") || got[0] < "75") {
					t.Errorf("got %q, want %q", got, c.want)
				}
				w.until(135 * time.Second) // the next round goes to the next ingest
				if w.published["fra"] != 1 || w.published["nyc"] != 1 {
					t.Errorf("pushed to %v", w.published)
				}
			}, replaying(&fake, c.found))
		})
	}
}

// What goes wrong before there is anything to record says nothing of recordings.
func TestRecordingOfNothing(t *testing.T) {
	t.Parallel()
	var fake *world
	play(t, assign(target("fra"), recordings("http://vod/x")), func(w *world, _ *agent.Agent) {
		w.change(func() { w.refuses["fra"] = fails(prober.Fail, prober.StageConnect, prober.ReasonConnectionRefused) })
		w.until(65 * time.Second)
		w.expect(prober.KindRecording, "fra", "", "60 inconclusive nothing_pushed")
		w.change(func() { w.api = fails(prober.Fail, prober.StageProvision, prober.ReasonAPIError) })
		w.until(125 * time.Second)
		w.expect(prober.KindRecording, "fra", "", "60 inconclusive nothing_pushed", "120 fail provision api_error")
		w.change(func() { w.api, w.refuses = nil, map[string]*prober.Failure{} })
		w.until(185 * time.Second) // and stops in mid-broadcast
	}, replaying(&fake, agent.Replayed{}))
}

// pulls plays streams that others push, two of them at one playback.
func pulls(vod bool) prober.Probe {
	p := every(prober.KindPlayback, time.Minute)
	p.Pulls = []prober.Pull{{Name: "news", Playback: "fra", URL: "http://fra/hls/news/index.m3u8", VOD: vod},
		{Name: "sport", Playback: "fra", URL: "http://fra/hls/sport/index.m3u8"}, {Name: "news", Playback: "nyc", URL: "http://nyc/hls/news/index.m3u8", VOD: vod}}
	return p
}

func TestPullsOfStreamsThatOthersPush(t *testing.T) {
	t.Parallel()
	live := func(w *world, keys ...string) {
		w.change(func() {
			for _, key := range keys {
				w.live[key] = &fakeBroadcast{world: w, host: "theirs", key: key, began: w.begin}
			}
		})
	}
	play(t, assign(target("fra", "nyc"), pulls(false)), func(w *world, _ *agent.Agent) {
		live(w, "news", "sport")
		w.until(70 * time.Second)
		w.expect(prober.KindPlayback, "", "fra", "60.5 pass")
		w.expect(prober.KindPlayback, "", "nyc", "60.5 pass")
		w.change(func() { delete(w.live, "sport") })
		w.until(145 * time.Second)
		w.expect(prober.KindPlayback, "", "fra", "60.5 pass", "140 fail manifest http_status")
		w.expect(prober.KindPlayback, "", "nyc", "60.5 pass", "120.5 pass")
		var last prober.Result
		w.change(func() { last = w.results[len(w.results)-1] })
		if len(last.Findings) != 1 || last.Findings[0].Where != "sport" || !strings.HasPrefix(last.Detail, "sport: ") {
			t.Errorf("got %+v", last)
		}
		if w.published["fra"] != 0 {
			t.Error("pushed something")
		}
		w.until(190 * time.Second) // and stops in mid-pull
		w.change(func() { w.live = map[string]*fakeBroadcast{} })
	})
	var fake *world
	play(t, assign(target("fra", "nyc"), pulls(true)), func(w *world, _ *agent.Agent) {
		live(w, "sport")
		w.until(70 * time.Second)
		w.expect(prober.KindPlayback, "", "nyc", "60 fail segment http_status")
		w.change(func() { w.live = map[string]*fakeBroadcast{} })
	}, replaying(&fake, agent.Replayed{Failure: fails(prober.Fail, prober.StageSegment, prober.ReasonHTTPStatus)}))
}

// endedFollower has played a stream to its end.
type endedFollower struct{}

func (endedFollower) Run(ctx context.Context) error { <-ctx.Done(); return nil }
func (endedFollower) Observe(time.Time) agent.Observation {
	return agent.Observation{Ended: true, Segments: 5, PlayingSince: time.Now()}
}
func (endedFollower) First() <-chan struct{} { return nil }

func TestPullOfStreamThatHasEnded(t *testing.T) {
	t.Parallel()
	for expect, want := range map[prober.Expect]string{
		prober.ExpectLive: "60.5 fail manifest stream_ended", prober.ExpectEvent: "60.5 fail manifest stream_ended",
		prober.ExpectVOD: "60.5 pass", prober.ExpectAny: "60.5 pass",
	} {
		at := target("fra", "nyc")
		for i := range at.Playbacks {
			at.Playbacks[i].Pull.Expect = expect
		}
		play(t, assign(at, pulls(false)), func(w *world, _ *agent.Agent) {
			w.until(70 * time.Second)
			w.expect(prober.KindPlayback, "", "nyc", want)
		}, func(c *agent.Config) {
			c.Follower = func(prober.Playback, string, string, prober.Signal) agent.Follower { return endedFollower{} }
		})
	}
}

// Recordings and VOD are reached as the playbacks are; a playback's headers go to
// no host but its own.
func TestReplaysAreReachedAsPlaybacks(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		probe   prober.Probe
		headers int
	}{
		"VOD":                        {pulls(true), 1},
		"recording at the playback":  {recordings("http://fra/{stream}.m3u8"), 1},
		"recording at another place": {recordings("http://store/{stream}.m3u8"), 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := target("fra", "nyc")
			for i := range at.Playbacks {
				at.Playbacks[i].Pull = prober.Pulling{CA: "ca", HTTP: "2", Headers: []prober.Header{{Name: "Authorization", Value: "s3cret"}}}
			}
			var mu sync.Mutex
			var asked []agent.Replay
			play(t, assign(at, tt.probe), func(w *world, _ *agent.Agent) {
				w.until(85 * time.Second)
				mu.Lock()
				defer mu.Unlock()
				if len(asked) == 0 {
					t.Fatal("nothing was played")
				}
				if p := asked[0].Pull; p.CA != "ca" || p.HTTP != "2" || len(p.Headers) != tt.headers {
					t.Errorf("%s is reached by CA %q, HTTP %q and %d headers, want %d", asked[0].URL, p.CA, p.HTTP, len(p.Headers), tt.headers)
				}
			}, func(c *agent.Config) {
				c.Replay = func(_ context.Context, r agent.Replay) (agent.Replayed, error) {
					mu.Lock()
					defer mu.Unlock()
					asked = append(asked, r)
					return agent.Replayed{Duration: 10 * time.Second}, nil
				}
			})
		})
	}
}

// What is recorded is what the ingest's canary broadcasts.
func TestRecordingPushesWhatIsConfigured(t *testing.T) {
	t.Parallel()
	silent := target("fra")
	silent.Ingests[0].Signal = prober.Signal{NoAudio: true}
	silent.Ingests[0].RTMP.EveryAddress = true
	var pictures []agent.Picture
	var mu sync.Mutex
	var fake *world
	play(t, assign(silent, recordings("http://vod/x")), func(w *world, _ *agent.Agent) {
		w.until(75 * time.Second)
	}, replaying(&fake, agent.Replayed{Duration: 10 * time.Second}), func(c *agent.Config) {
		feed := c.Feed
		c.Feed = func(p agent.Picture) (agent.Feed, error) {
			mu.Lock()
			defer mu.Unlock()
			pictures = append(pictures, p)
			return feed(p)
		}
	})
	mu.Lock()
	defer mu.Unlock()
	found := false
	for _, p := range pictures {
		found = found || p.Signal.NoAudio && p.RTMP.EveryAddress && !p.Small
	}
	if !found {
		t.Errorf("%+v", pictures)
	}
}
