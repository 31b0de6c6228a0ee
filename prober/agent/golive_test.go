package agent_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
)

// goLives starts a round at 20 s.
var goLives = every(prober.KindGoLive, 20*time.Second)

func TestGoLive(t *testing.T) {
	t.Parallel()
	refused := fails(prober.Fail, prober.StagePublish, prober.ReasonPublishRejected)
	gone := fails(prober.Fail, prober.StageManifest, prober.ReasonHTTPStatus)
	nothing := func(at string) []string { return []string{at + " inconclusive nothing_pushed"} }
	for name, c := range map[string]struct {
		world          func(w *world)
		later          func(w *world) // at 23 s
		push, fra, nyc []string       // of ingest fra, and its cells
	}{
		"healthy: told once it has held": {
			push: []string{"25 pass"}, fra: []string{"25 pass"}, nyc: []string{"25 pass"},
		},
		"refused: told at once": {
			world: func(w *world) { w.refuses["fra"] = refused },
			push:  []string{"20 fail publish publish_rejected"}, fra: nothing("20"), nyc: nothing("20"),
		},
		"accepted, then reset": {
			world: func(w *world) { w.resets["fra"] = 4 * time.Second },
			push:  []string{"24 fail ingest connection_reset"}, fra: nothing("24"), nyc: nothing("24"),
		},
		"the API is down": {
			world: func(w *world) { w.api = fails(prober.Fail, prober.StageProvision, prober.ReasonAPIError) },
			push:  []string{"20 fail provision api_error"}, fra: nothing("20"), nyc: nothing("20"),
		},
		"the API never answers": {
			world: func(w *world) { w.apiHangs = true },
			push:  []string{"30 fail provision api_timeout"}, fra: nothing("30"), nyc: nothing("30"),
		},
		"our key is refused": {
			world: func(w *world) {
				w.api = fails(prober.Inconclusive, prober.StageProvision, prober.ReasonAPIUnauthorized)
			},
			push: []string{"20 inconclusive provision api_unauthorized"}, fra: nothing("20"), nyc: nothing("20"),
		},
		"taken, and played nowhere": {
			world: func(w *world) { w.swallows["fra"] = true },
			push:  []string{"32 pass"}, fra: []string{"32 fail manifest http_status"}, nyc: []string{"32 fail manifest http_status"},
		},
		"played at one of two": {
			world: func(w *world) { w.playback["nyc"] = gone },
			push:  []string{"25 pass"}, fra: []string{"25 pass"}, nyc: []string{"32 fail manifest http_status"},
		},
		"played at the second later": {
			world: func(w *world) { w.playback["nyc"] = gone },
			later: func(w *world) {
				w.until(27 * time.Second)
				w.change(func() { w.playback["nyc"] = nil })
			},
			push: []string{"25 pass"}, fra: []string{"25 pass"}, nyc: []string{"27.1 pass"},
		},
		"dropped after it was good": {
			world: func(w *world) { w.playback["nyc"], w.resets["fra"] = gone, 6*time.Second },
			push:  []string{"25 pass"}, fra: []string{"25 pass"}, nyc: nothing("26"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, assign(target("fra", "nyc"), goLives), func(w *world, _ *agent.Agent) {
				if c.world != nil {
					w.change(func() { c.world(w) })
				}
				w.until(23 * time.Second)
				if c.later != nil {
					c.later(w)
				}
				w.until(39 * time.Second)
				w.expect(prober.KindGoLive, "fra", "", c.push...)
				w.expect(prober.KindGoLive, "fra", "fra", c.fra...)
				w.expect(prober.KindGoLive, "fra", "nyc", c.nyc...)
				if len(w.streams) != 0 || len(w.live) != 0 {
					t.Errorf("at 39 s there are still streams %v, broadcasts %v", w.streams, w.live)
				}
				for _, r := range w.results {
					if r.RoundOf != 6 {
						t.Errorf("round of %d, want 6", r.RoundOf)
					}
				}
			})
		})
	}
}

func TestGoLiveMeasures(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), goLives), func(w *world, _ *agent.Agent) {
		w.until(26 * time.Second)
		push, cell := w.results[0], w.results[1]
		stages := []prober.Stage{}
		for _, s := range push.Figures.Stages {
			stages = append(stages, s.Stage)
		}
		if !slices.Equal(stages, []prober.Stage{prober.StageProvision, prober.StageConnect}) || push.Figures.BytesSent != 5000 {
			t.Errorf("the push side's figures are %+v", push.Figures)
		}
		if f := cell.Figures; f.TTFF != mediaDelay || f.BytesSent != 0 || f.BytesReceived < 4000 || f.LatencyLast != mediaDelay/2 {
			t.Errorf("the cell's figures are %+v", f)
		}
	})
}

// A stop in mid-run takes the stream down and says that nothing is known.
func TestAStopInMidRun(t *testing.T) {
	t.Parallel()
	var w *world
	play(t, assign(target("fra"), goLives), func(world *world, _ *agent.Agent) {
		w = world
		w.until(22 * time.Second)
		if len(w.live) != 1 {
			t.Errorf("at 22 s there are broadcasts %v", w.live)
		}
	})
	for _, r := range w.results {
		if r.Outcome != prober.Inconclusive || r.Reason != prober.ReasonCancelled {
			t.Errorf("got %+v", r)
		}
	}
	if len(w.results) != 2 {
		t.Errorf("%d results, want 2", len(w.results))
	}
}

func TestAStopWhileTheAPIHangs(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), goLives, canaries), func(w *world, _ *agent.Agent) {
		w.change(func() { w.apiHangs = true })
		w.until(22 * time.Second)
	})
}

func TestRoundsOverlapUpToABound(t *testing.T) {
	t.Parallel()
	slow := every(prober.KindGoLive, 5*time.Second)
	slow.Timeout = time.Minute
	play(t, assign(target("fra"), slow), func(w *world, _ *agent.Agent) {
		w.change(func() { w.swallows["fra"] = true })
		w.until(52 * time.Second)
		w.expect(prober.KindGoLive, "fra", "", "45 inconclusive overlap", "50 inconclusive overlap")
		w.expect(prober.KindGoLive, "fra", "fra", "45 inconclusive overlap", "50 inconclusive overlap")
		if n := w.published["fra"]; n != 8 {
			t.Errorf("%d runs at once, want 8", n)
		}
	})
}

// On an ingest with one fixed key a run never meets another, nor the canary.
func TestOneFixedKey(t *testing.T) {
	t.Parallel()
	fixed := target("fra")
	fixed.Ingests[0].URL = "rtmp://fra/live/studio"
	fixed.Playbacks[0].URL = "http://fra/hls/studio/index.m3u8"
	slow := every(prober.KindGoLive, 4*time.Second)
	play(t, assign(fixed, slow), func(w *world, _ *agent.Agent) {
		w.until(18 * time.Second)
		w.expect(prober.KindGoLive, "fra", "", "8 inconclusive overlap", "9 pass", "16 inconclusive overlap", "17 pass")
	})
	play(t, assign(fixed, slow, canaries), func(w *world, _ *agent.Agent) {
		w.until(9 * time.Second)
		w.expect(prober.KindGoLive, "fra", "", "4 inconclusive overlap", "8 inconclusive overlap")
		w.expect(prober.KindCanary, "fra", "", "2 inconclusive nothing_pushed", "4 inconclusive nothing_pushed", "6 pass", "8 pass")
	})
}

func TestStreamsAreSwept(t *testing.T) {
	t.Parallel()
	var name string
	play(t, assign(target("fra"), goLives), func(w *world, _ *agent.Agent) {
		w.until(22 * time.Second)
		for name = range w.streams {
			if !strings.HasPrefix(name, "streamcanary-fra-1-") {
				t.Errorf("our stream is named %q", name)
			}
		}
	})
	left := name[:len(name)-12] + "leftbehind12"
	foreign := "streamcanary-fra-1-0badf00d-leftbehind"
	play(t, prober.Assignment{}, func(w *world, a *agent.Agent) {
		w.change(func() { w.streams[left], w.streams[foreign] = true, true })
		a.Assign(assign(target("fra"), goLives))
		w.until(time.Second)
		if w.streams[left] || !w.streams[foreign] {
			t.Errorf("after the sweep there are %v", w.streams)
		}
		delete(w.streams, foreign)
	})
}

// A stream that was made and then failed is deleted at once, by every attempt to
// make one.
func TestAStreamThatIsHalfMadeIsDeleted(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), canaries, every(prober.KindGoLive, 10*time.Second)), func(w *world, _ *agent.Agent) {
		w.change(func() {
			w.half, w.api = true, fails(prober.Fail, prober.StageProvision, prober.ReasonAPIError)
		})
		w.until(60 * time.Second)
		w.change(func() {
			if w.deletes < 10 || len(w.streams) > 0 {
				t.Errorf("%d were deleted; left %v", w.deletes, w.streams)
			}
		})
		w.expect(prober.KindGoLive, "fra", "", "10 fail provision api_error", "20 fail provision api_error", "30 fail provision api_error",
			"40 fail provision api_error", "50 fail provision api_error", "60 fail provision api_error")
	})
}

// Where its id is not known, it is looked for by its name.
func TestAStreamWithoutAnIDIsSweptAtOnce(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), every(prober.KindGoLive, 10*time.Second)), func(w *world, _ *agent.Agent) {
		w.change(func() {
			w.half, w.noID, w.api = true, true, fails(prober.Fail, prober.StageProvision, prober.ReasonAPIError)
		})
		w.until(35 * time.Second)
		w.change(func() {
			if w.created != 3 || len(w.streams) > 0 {
				t.Errorf("%d were made; left %v", w.created, w.streams)
			}
		})
	})
}

// Where the platform lists nothing, somebody has to know of it.
func TestAStreamWithoutAnIDThatIsNotListedIsTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ noID, told bool }{"known by its name": {true, true}, "known by its id": {false, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log strings.Builder
			play(t, assign(target("fra"), every(prober.KindGoLive, 10*time.Second)), func(w *world, _ *agent.Agent) {
				w.change(func() {
					w.half, w.unlisted, w.noID, w.api = true, true, c.noID, fails(prober.Fail, prober.StageProvision, prober.ReasonAPIError)
				})
				w.until(15 * time.Second)
				w.change(func() { clear(w.streams) })
			}, func(cfg *agent.Config) { cfg.Logger = textLogger(&log) })
			if told := strings.Contains(log.String(), "known by its name alone"); told != c.told || told && !strings.Contains(log.String(), "stream=streamcanary-fra-1-") {
				t.Errorf("the log is %q", log.String())
			}
		})
	}
}

// A sweep that fails says what it was for: nobody else tells of that stream.
func TestAStreamThatCannotBeSweptIsTold(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	var left []string
	play(t, assign(target("fra"), every(prober.KindGoLive, 10*time.Second)), func(w *world, _ *agent.Agent) {
		w.change(func() {
			w.half, w.noID, w.api = true, true, fails(prober.Fail, prober.StageProvision, prober.ReasonAPIError)
			w.unswept = fails(prober.Fail, prober.StageTeardown, prober.ReasonAPITimeout)
		})
		w.until(15 * time.Second)
		w.change(func() {
			left = slices.Collect(maps.Keys(w.streams))
			clear(w.streams)
		})
	}, func(cfg *agent.Config) { cfg.Logger = textLogger(&log) })
	if len(left) != 1 || !strings.Contains(log.String(), "prefix="+left[0]+" reason=api_timeout") {
		t.Errorf("of %q the log is %q", left, log.String())
	}
}

func TestAStreamOfAProberThatBreaksIsDeleted(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), goLives), func(w *world, _ *agent.Agent) {
		w.change(func() { w.breaks = errors.New("not a request that can be made") })
		w.until(30 * time.Second)
		w.change(func() {
			if w.deletes == 0 || len(w.streams) > 0 {
				t.Errorf("%d were deleted; left %v", w.deletes, w.streams)
			}
		})
	})
}

func TestADeleteIsTriedAgain(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), goLives), func(w *world, _ *agent.Agent) {
		w.change(func() { w.keeps = fails(prober.Fail, prober.StageTeardown, prober.ReasonAPIError) })
		w.until(25500 * time.Millisecond) // asked at 25 s
		w.change(func() { w.keeps = nil })
		w.until(27 * time.Second)
		if len(w.streams) != 0 || w.deletes != 2 {
			t.Errorf("after %d deletes there are %v", w.deletes, w.streams)
		}
	})
}

// What breaks in the prober is never the platform's fault.
func TestAProberThatBreaks(t *testing.T) {
	t.Parallel()
	broken := errors.New("no pictures today")
	for name, c := range map[string]struct {
		option func(*agent.Config)
		want   map[string]int
	}{
		"signal": {
			func(c *agent.Config) { c.Feed = func(agent.Picture) (agent.Feed, error) { return nil, broken } },
			map[string]int{"canary inconclusive configuration": 10, "golive inconclusive configuration": 2, "playback inconclusive nothing_pushed": 10},
		},
		"publisher": {
			func(c *agent.Config) {
				c.Feed = func(agent.Picture) (agent.Feed, error) { return brokenFeed{broken}, nil }
			},
			map[string]int{"canary inconclusive configuration": 10, "golive inconclusive configuration": 2, "playback inconclusive nothing_pushed": 10},
		},
		"follower": {
			func(c *agent.Config) {
				c.Follower = func(prober.Playback, string, string, prober.Signal) agent.Follower { return brokenFollower{broken} }
			},
			map[string]int{
				"canary inconclusive nothing_pushed": 2, "canary pass": 8, // at 2 and 4 s it has not held yet
				"playback inconclusive nothing_pushed": 3, "playback inconclusive configuration": 7, // its grace
				"golive pass": 1, "golive inconclusive configuration": 1,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, assign(target("fra"), canaries, playbacks, goLives), func(w *world, _ *agent.Agent) {
				w.until(21 * time.Second)
				if name == "follower" {
					w.until(33 * time.Second)
				}
				got := map[string]int{}
				for _, r := range w.results {
					if r.Ended.Sub(w.begin) <= 20*time.Second || r.Kind == prober.KindGoLive {
						got[strings.Join(strings.Fields(fmt.Sprint(r.Kind, " ", r.Outcome, " ", r.Reason)), " ")]++
					}
				}
				if !maps.Equal(got, c.want) {
					t.Errorf("got %v, want %v", got, c.want)
				}
			}, c.option)
		})
	}
}

type brokenFeed struct{ err error }

func (b brokenFeed) Publish(context.Context, prober.Secret) (agent.Broadcast, *prober.Failure, error) {
	return nil, nil, b.err
}

type brokenFollower struct{ err error }

func (b brokenFollower) Run(context.Context) error         { return b.err }
func (brokenFollower) Observe(time.Time) agent.Observation { return agent.Observation{} }
func (brokenFollower) First() <-chan struct{}              { return nil }
