package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
)

// Of an address what may be a token is never shown.
func TestCleanPaths(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ playback, detail, want string }{
		{"https://cdn.example.com/live/index.m3u8", "cdn.example.com/live/index.m3u8: status 404", "cdn.example.com/.../index.m3u8: status 404"},
		{"https://cdn.example.com/hdnts-s3cret/live/index.m3u8", "segment 3: 10.0.0.1:8080/x/hdnts-s3cret/seg.ts (71 bytes)", "segment 3: 10.0.0.1:8080/.../seg.ts (71 bytes)"},
		{"https://cdn.example.com/hdnts-s3cret/index.m3u8", `PART "hdnts-s3cret" is gone`, `PART "..." is gone`},
		{"https://cdn.example.com/a%20s3cret%20key/index.m3u8", `"a s3cret key" and a%20s3cret%20key`, `"..." and ...`},
		{"http://[::1]:8080/s3cret-key/index.m3u8", "[::1]:8080/s3cret-key/index.m3u8: refused", "[::1]:8080/.../index.m3u8: refused"},
		{"https://cdn.example.com/index.m3u8", "cdn.example.com/index.m3u8: no answer", "cdn.example.com/index.m3u8: no answer"},
		{"https://cdn.example.com/live/index.m3u8", "missing PAT (ISO/IEC 13818-1 2.4.4.3), 3 packets/s live", "missing PAT (ISO/IEC 13818-1 2.4.4.3), 3 packets/s live"},
	} {
		got := cleanPaths(tt.playback)(tt.detail)
		if got != tt.want {
			t.Errorf("%s: got  %s\nwant %s", tt.playback, got, tt.want)
		}
	}
	for playback, want := range map[string]string{
		"https://user:s3cret@cdn.example.com:8443/s3cret/live/index.m3u8?token=s3cret#s3cret": "https://cdn.example.com:8443/.../index.m3u8",
		"https://stream.example.com/name.m3u8":                                                "https://stream.example.com/name.m3u8",
		"https://stream.example.com/":                                                         "https://stream.example.com/",
	} {
		if got := shownPlaylist(playback); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// Looks half a second apart: when a validation is over, and with which verdict.
func TestValidation(t *testing.T) {
	t.Parallel()
	fail := func(o prober.Outcome, s prober.Stage, r prober.Reason) *prober.Failure {
		return &prober.Failure{Outcome: o, Stage: s, Reason: r, Detail: "cdn.example.com/s3cret-token/x.ts"}
	}
	gone := fail(prober.Fail, prober.StageManifest, prober.ReasonHTTPStatus)
	nothing := fail(prober.Fail, prober.StageMedia, prober.ReasonMarkerMissing)
	slow := fail(prober.Degraded, prober.StageSegment, prober.ReasonSegmentSlow)
	live := prober.Rendition{Name: "720p", Type: prober.RenditionVariant, TargetDuration: time.Second, Playing: true, Segments: 1}
	long := live
	long.TargetDuration = time.Minute
	// From a look on, one after the other with a new segment; the first has one.
	going := func(r prober.Rendition, since int) func(int) agent.Observation {
		return func(i int) agent.Observation {
			now := r
			if i > 0 && i < since {
				now.Segments = 0
			}
			return agent.Observation{Renditions: []prober.Rendition{now}}
		}
	}
	const never = 1 << 20
	stale := func(o prober.Outcome, f ...prober.Finding) func(int) agent.Observation {
		return func(i int) agent.Observation {
			obs := going(long, never)(i)
			if i >= 240 {
				obs.Findings = f
				if o != "" {
					obs.Failure = fail(o, prober.StageManifest, prober.ReasonPlaylistStale)
					obs.Renditions[0].Failure = obs.Failure
				}
			}
			return obs
		}
	}
	hours := long
	hours.TargetDuration = time.Hour
	ended, failed, starts := live, live, live
	ended.EndList, ended.Ended = true, true
	failed.Name, failed.Playing, failed.Failure, failed.TargetDuration = "360p", false, gone, 0
	starts.Playing, starts.Failure = false, nothing
	note := prober.Finding{Rule: "stale", Severity: prober.SeverityNote, Stage: prober.StageManifest, Reason: prober.ReasonPlaylistStale, Where: "720p"}
	tests := []struct {
		name    string
		flags   probeOptions
		looks   func(i int) agent.Observation
		over    time.Duration
		outcome prober.Outcome
		reason  prober.Reason
		count   int // findings
	}{
		{"a live stream", probeOptions{}, func(int) agent.Observation {
			return agent.Observation{Renditions: []prober.Rendition{live}, Segments: 1}
		},
			time.Minute, prober.Pass, "", 0},
		{"for a set time", probeOptions{length: 5 * time.Second}, func(int) agent.Observation { return agent.Observation{Renditions: []prober.Rendition{live}} },
			5 * time.Second, prober.Pass, "", 0},
		{"a note is no degradation", probeOptions{}, func(int) agent.Observation {
			return agent.Observation{Renditions: []prober.Rendition{live}, Findings: []prober.Finding{note}}
		}, time.Minute, prober.Pass, "", 1},
		{"a live stream of a long target duration", probeOptions{}, going(long, 239), 130 * time.Second, prober.Pass, "", 0},
		{"a frozen one of it", probeOptions{}, stale(prober.Fail), 130 * time.Second, prober.Fail, prober.ReasonPlaylistStale, 1},
		{"a frozen one of it, and that is a note", probeOptions{}, stale("", note), 130 * time.Second, prober.Pass, "", 1},
		{"a frozen one of it, and that is off", probeOptions{}, stale(""), 130 * time.Second, prober.Inconclusive, prober.ReasonConfiguration, 0},
		{"a frozen one of hours", probeOptions{}, going(hours, never), 250 * time.Second, prober.Inconclusive, prober.ReasonConfiguration, 0},
		{"a frozen one, for too short", probeOptions{length: 30 * time.Second}, going(long, never), 30 * time.Second, prober.Inconclusive, prober.ReasonConfiguration, 0},
		{"for short, and a second segment comes", probeOptions{length: 30 * time.Second}, going(long, 59), 30 * time.Second, prober.Pass, "", 0},
		{"for short, and a note", probeOptions{length: 30 * time.Second}, func(i int) agent.Observation {
			obs := going(long, never)(i)
			obs.Findings = []prober.Finding{{Rule: "version", Severity: prober.SeverityNote, Stage: prober.StageManifest, Reason: prober.ReasonPlaylistMalformed, Where: "720p"}}
			return obs
		}, 30 * time.Second, prober.Inconclusive, prober.ReasonConfiguration, 1},
		{"one of two of one name is frozen", probeOptions{length: 30 * time.Second}, func(i int) agent.Observation {
			return agent.Observation{Renditions: append(going(long, never)(i).Renditions, going(long, 0)(i).Renditions...)}
		}, 30 * time.Second, prober.Inconclusive, prober.ReasonConfiguration, 0},
		{"subtitles have nothing to say", probeOptions{length: 30 * time.Second}, func(i int) agent.Observation {
			words := going(long, never)(i).Renditions[0]
			words.Type, words.Name = prober.RenditionSubtitles, "subtitles en"
			return agent.Observation{Renditions: append(going(long, 0)(i).Renditions, words)}
		}, 30 * time.Second, prober.Pass, "", 0},
		{"one comes at last", probeOptions{length: 30 * time.Second}, func(i int) agent.Observation {
			obs := going(long, 0)(i)
			if i >= 50 {
				late := going(long, never)(i - 50).Renditions[0]
				late.Name = "360p"
				obs.Renditions = append(obs.Renditions, late)
			}
			return obs
		}, 30 * time.Second, prober.Pass, "", 0},
		{"an end", probeOptions{}, func(int) agent.Observation { return agent.Observation{Renditions: []prober.Rendition{ended}} },
			500 * time.Millisecond, prober.Pass, "", 0},
		{"an end of two renditions, which are compared", probeOptions{}, func(int) agent.Observation { return agent.Observation{Renditions: []prober.Rendition{ended, ended}} },
			5 * time.Second, prober.Pass, "", 0},
		{"one of them never plays", probeOptions{}, func(int) agent.Observation {
			return agent.Observation{Failure: gone, Renditions: []prober.Rendition{ended, failed}}
		}, 10 * time.Second, prober.Fail, prober.ReasonHTTPStatus, 1},
		{"one starts late", probeOptions{length: 10 * time.Second}, func(i int) agent.Observation {
			if i < 8 {
				return agent.Observation{Failure: nothing, Renditions: []prober.Rendition{live, starts}}
			}
			return agent.Observation{Renditions: []prober.Rendition{live, live}}
		}, 10 * time.Second, prober.Pass, "", 0},
		{"nothing there", probeOptions{}, func(int) agent.Observation { return agent.Observation{Failure: gone} },
			5500 * time.Millisecond, prober.Fail, prober.ReasonHTTPStatus, 1},
		{"it comes to be", probeOptions{}, func(i int) agent.Observation {
			if i < 8 {
				return agent.Observation{Failure: gone}
			}
			return agent.Observation{Renditions: []prober.Rendition{ended}}
		}, 4500 * time.Millisecond, prober.Pass, "", 0},
		{"never anything to play", probeOptions{}, func(int) agent.Observation {
			return agent.Observation{Failure: nothing, Renditions: []prober.Rendition{starts}}
		},
			12 * time.Second, prober.Fail, prober.ReasonMarkerMissing, 1},
		{"it fails once, and plays on", probeOptions{length: 20 * time.Second}, func(i int) agent.Observation {
			if i < 20 || i > 24 {
				return agent.Observation{Renditions: []prober.Rendition{live}}
			}
			broken := live
			broken.Failure = gone
			return agent.Observation{Failure: gone, Renditions: []prober.Rendition{broken}}
		}, 20 * time.Second, prober.Fail, prober.ReasonHTTPStatus, 1},
		{"it is slow", probeOptions{length: 20 * time.Second}, func(int) agent.Observation {
			worse := live
			worse.Failure = slow
			return agent.Observation{Failure: slow, Renditions: []prober.Rendition{worse}}
		}, 20 * time.Second, prober.Degraded, prober.ReasonSegmentSlow, 1},
		{"it is slow, and then breaks of the same reason", probeOptions{length: 20 * time.Second}, func(i int) agent.Observation {
			worse := live
			worse.Failure = slow
			if i >= 20 {
				worse.Failure = fail(prober.Fail, slow.Stage, slow.Reason)
			}
			return agent.Observation{Failure: worse.Failure, Renditions: []prober.Rendition{worse}}
		}, 20 * time.Second, prober.Fail, prober.ReasonSegmentSlow, 2},
	}
	// A finding of one reason, and 15 looks later a condition of the same.
	malformed := func(s prober.Severity) []prober.Finding {
		return []prober.Finding{{Rule: "version", Severity: s, Stage: prober.StageManifest, Reason: prober.ReasonPlaylistMalformed, Where: "720p"}}
	}
	then := func(before prober.Severity, o prober.Outcome, name string) func(i int) agent.Observation {
		return func(i int) agent.Observation {
			r := live
			switch {
			case i == 0:
				return agent.Observation{Findings: malformed(before), Renditions: []prober.Rendition{live}}
			case i < 15:
				return agent.Observation{Renditions: []prober.Rendition{live}}
			case name == "":
				return agent.Observation{Failure: fail(o, prober.StageManifest, prober.ReasonPlaylistMalformed), Renditions: []prober.Rendition{live}}
			}
			r.Name, r.Failure = name, fail(o, prober.StageManifest, prober.ReasonPlaylistMalformed)
			return agent.Observation{Failure: r.Failure, Renditions: []prober.Rendition{r}}
		}
	}
	for _, c := range []struct {
		before  prober.Severity
		then    prober.Outcome
		outcome prober.Outcome
		count   int
	}{
		{prober.SeverityNote, prober.Fail, prober.Fail, 2},
		{prober.SeverityNote, prober.Degraded, prober.Degraded, 2},
		{prober.SeverityDegraded, prober.Fail, prober.Fail, 2},
		{prober.SeverityDegraded, prober.Degraded, prober.Degraded, 1},
		{prober.SeverityFail, prober.Fail, prober.Fail, 1},
		{prober.SeverityFail, prober.Degraded, prober.Fail, 1},
	} {
		for _, where := range []string{"720p", ""} {
			tests = append(tests, struct {
				name    string
				flags   probeOptions
				looks   func(i int) agent.Observation
				over    time.Duration
				outcome prober.Outcome
				reason  prober.Reason
				count   int
			}{fmt.Sprintf("a %s, then %s of one reason at %q", c.before, c.then, where), probeOptions{length: 20 * time.Second}, then(c.before, c.then, where),
				20 * time.Second, c.outcome, prober.ReasonPlaylistMalformed, c.count})
		}
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			zero := time.Unix(1_700_000_000, 0)
			tt.flags.playback, tt.flags.timeout = "https://cdn.example.com/s3cret-token/index.m3u8", 12*time.Second
			v := newValidation(tt.flags, zero)
			now := zero
			for i, done := 0, false; !done; i++ {
				now = now.Add(validationTurn)
				done = v.turn(now, tt.looks(i))
				if now.Sub(zero) > 15*time.Minute {
					t.Fatal("it does not end")
				}
			}
			sum := v.end(now)
			if took := now.Sub(zero); took != tt.over || sum.Outcome != tt.outcome || sum.Reason != tt.reason || len(sum.Findings) != tt.count {
				t.Errorf("after %s %s %s, findings %+v", took, sum.Outcome, sum.Reason, sum.Findings)
			}
			var text strings.Builder
			if err := sum.Text(&text); err != nil || strings.Contains(text.String(), "s3cret") {
				t.Errorf("%v: %s", err, text.String())
			}
		})
	}
}

// An interrupt before anything played, or before anything new came, says nothing, and
// after it what was seen.
func TestValidationInterrupted(t *testing.T) {
	t.Parallel()
	zero := time.Unix(1_700_000_000, 0)
	for _, tt := range []struct {
		rendition prober.Rendition
		want      prober.Outcome
	}{
		{prober.Rendition{}, prober.Inconclusive},
		{prober.Rendition{Segments: 1}, prober.Inconclusive},
		{prober.Rendition{Playing: true, Segments: 0}, prober.Inconclusive},
		{prober.Rendition{Playing: true, Segments: 1}, prober.Pass},
		{prober.Rendition{Playing: true, EndList: true}, prober.Pass},
	} {
		tt.rendition.TargetDuration = time.Second
		v := newValidation(probeOptions{playback: "https://cdn.example.com/index.m3u8", timeout: time.Minute}, zero)
		for i := range 2 {
			v.turn(zero.Add(time.Duration(i+1)*time.Second), agent.Observation{Renditions: []prober.Rendition{tt.rendition}})
		}
		v.interrupted = true
		if got := v.end(zero.Add(3 * time.Second)); got.Outcome != tt.want || (got.Reason == prober.ReasonCancelled) != (tt.want == prober.Inconclusive) {
			t.Errorf("%+v: %s %s: %s", tt.rendition, got.Outcome, got.Reason, got.Detail)
		}
	}
}

// What is no playlist is a finding of the rules of its section, and so a failure of
// theirs in a JUnit report.
func TestValidationSections(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, content, section, group string }{
		{"an empty answer", "", "4.4.1.1", "Playlist structure (RFC 8216bis 4.1 to 4.4.2)"},
		{"a blank answer", "\n\n", "4.4.1.1", "Playlist structure (RFC 8216bis 4.1 to 4.4.2)"},
		{"an HTML page", "<html><body>Not found</body></html>", "4.4.1.1", "Playlist structure (RFC 8216bis 4.1 to 4.4.2)"},
		{"no target duration", "#EXTM3U\n#EXTINF:4,\na.ts\n", "4.4.3.1", "Media Playlist Tags (RFC 8216bis 4.4.3)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, tt.content) }))
			defer server.Close()
			pulls := newPuller(nil, "")
			defer pulls.close()
			ctx, cancel := context.WithCancel(t.Context())
			follower := pulls.validator(prober.Pulling{}, server.URL+"/index.m3u8", false)
			ended := make(chan error, 1)
			go func() { ended <- follower.Run(ctx) }()
			var seen agent.Observation
			eventually(t, "it fails", e2ePatience, func() error {
				if seen = follower.Observe(time.Now()); seen.Failure == nil || seen.Failure.Reason == prober.ReasonMarkerMissing {
					return errors.New("not yet")
				}
				return nil
			})
			cancel()
			<-ended
			now := time.Unix(1_700_000_000, 0)
			v := newValidation(probeOptions{playback: server.URL + "/index.m3u8", timeout: time.Minute}, now)
			for done := false; !done; done = v.turn(now, seen) {
				now = now.Add(validationTurn)
			}
			sum := v.end(now)
			if len(sum.Findings) != 1 || sum.Findings[0].Section != tt.section {
				t.Fatalf("findings %+v", sum.Findings)
			}
			var junit strings.Builder
			if err := sum.JUnit(&junit); err != nil {
				t.Fatal(err)
			}
			_, group, _ := strings.Cut(junit.String(), `<testcase name="`+tt.group+`"`)
			if own, _, _ := strings.Cut(group, "</testcase>"); !strings.Contains(own, "<failure ") {
				t.Errorf("%s does not fail: %s", tt.group, junit.String())
			}
		})
	}
}
