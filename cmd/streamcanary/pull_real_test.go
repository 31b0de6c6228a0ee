package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
	"streamcanary/prober/platform"
)

// othersLadder is a stream that others push, of a second a segment: in two variants at
// /NAME/top.m3u8 with sound of its own at /NAME/split.m3u8, or alone at /NAME/a.m3u8. All
// segments are alike, each behind a discontinuity.
type othersLadder struct {
	begin          time.Time
	picture, sound []byte
	stands, ends   string        // names of what stands still, "ab", and of what has an end
	listed         int           // segments, five if 0
	lost           string        // the segments that are not there
	gone, garbage  string        // of what is not there, and of what is no media
	length         time.Duration // of a picture's segment, and
	within         time.Duration // how long it takes to come
	measured       bool          // each load of the multivariant playlist has other bitrates, and nothing else
}

func (o othersLadder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, file, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), ".")
	switch {
	case name == "top", name == "split":
		list := "#EXTM3U\n#EXT-X-VERSION:4\n"
		group := ""
		if name == "split" {
			list += `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="s",NAME="en",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,URI="s.m3u8"` + "\n"
			group = `,AUDIO="s"`
		}
		for _, v := range []string{"a", "b"} {
			if o.measured {
				list += fmt.Sprintf("#EXT-X-STREAM-INF:BANDWIDTH=%d,CODECS=\"avc1.42c01e,mp4a.40.2\"%s\n%s.m3u8\n", int(6+v[0]-'a')*100_000+int(time.Since(o.begin)/time.Second)%7*3000, group, v)
				continue
			}
			list += fmt.Sprintf("#EXT-X-STREAM-INF:BANDWIDTH=%d00000,AVERAGE-BANDWIDTH=%d50000,RESOLUTION=640x360,CODECS=\"avc1.42c01e,mp4a.40.2\"%s\n%s.m3u8\n", 6+v[0]-'a', 5+v[0]-'a', group, v)
		}
		_, _ = w.Write([]byte(list))
	case strings.Contains(o.gone, name):
		http.NotFound(w, r)
	case file == "m3u8":
		_, _ = w.Write([]byte(o.window(name)))
	case o.lost != "" && strings.Contains(o.lost, name+"."+file):
		http.NotFound(w, r)
	case strings.Contains(o.garbage, name):
		_, _ = w.Write([]byte(strings.Repeat("garbage ", 1000)))
	case name == "s":
		_, _ = w.Write(o.sound)
	default:
		_, _ = w.Write(o.picture)
	}
}

func (o othersLadder) window(name string) string {
	length := max(o.length, time.Second)
	if name == "s" {
		length = 747 * time.Millisecond
	}
	n := int(time.Since(o.begin) / length)
	if strings.Contains(o.stands+o.ends, name) {
		n = int(time.Minute / length)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:%.0f\n#EXT-X-MEDIA-SEQUENCE:%d\n#EXT-X-DISCONTINUITY-SEQUENCE:%d\n", max(length, time.Second).Seconds(), n, n)
	for i := range cmp.Or(o.listed, 5) {
		fmt.Fprintf(&b, "#EXT-X-DISCONTINUITY\n#EXTINF:%.3f,\n%s.%d.ts\n", length.Seconds(), name, n+i)
	}
	if strings.Contains(o.ends, name) {
		b.WriteString("#EXT-X-ENDLIST\n")
	}
	return b.String()
}

// RoundTrip is a network without a machine's, so that time is the test's.
func (o othersLadder) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	o.ServeHTTP(rec, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	answer := rec.Result()
	answer.Request = r
	if strings.HasSuffix(r.URL.Path, ".ts") && o.within > 0 {
		answer.Body = io.NopCloser(&slowly{ctx: r.Context(), body: answer.Body, wait: o.within / 20, most: len(o.picture)/20 + 1})
	}
	return answer, nil
}

// slowly gives a body in parts, after a wait each.
type slowly struct {
	ctx  context.Context
	body io.Reader
	wait time.Duration
	most int
}

func (s *slowly) Read(b []byte) (int, error) {
	select {
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	case <-time.After(s.wait):
	}
	return s.body.Read(b[:min(len(b), s.most)])
}

// othersMedia is a segment without our markers, which others' streams have not.
func othersMedia(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("../../prober/media/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.ReplaceAll(b, []byte("\xc5\x9ascan"), []byte("\xc5\x9anone"))
}

// TestPullOfOthersLadder pulls streams that others push as an agent does, with a real
// follower and real media.
func TestPullOfOthersLadder(t *testing.T) {
	t.Parallel()
	picture, sound := othersMedia(t, "segment.ts"), othersMedia(t, "sound.ts")
	ended := prober.Pulling{Expect: prober.ExpectAny, Severity: map[string]prober.Severity{"duration_mismatch": prober.SeverityNote}}
	long, vod := prober.Pulling{Severity: ended.Severity}, ended
	vod.Expect = prober.ExpectVOD
	sampled := func(p prober.Pulling, n int) prober.Pulling { p.Sample = n; return p }
	lost := lostOf(61, 360)
	for name, c := range map[string]struct {
		stream othersLadder
		path   string
		pull   prober.Pulling
		want   string
		within time.Duration // from the first look
	}{
		"one":                                   {path: "a", want: "pass", within: 3 * time.Second},
		"one, and it stands":                    {stream: othersLadder{stands: "a"}, path: "a", want: "fail manifest playlist_stale", within: 21 * time.Second},
		"one, each 20th":                        {path: "a", pull: prober.Pulling{Sample: 20}, want: "pass", within: 3 * time.Second},
		"one, each 20th, and it stands":         {stream: othersLadder{stands: "a"}, path: "a", pull: prober.Pulling{Sample: 20}, want: "fail manifest playlist_stale", within: 21 * time.Second},
		"one, each 20th, of garbage":            {stream: othersLadder{garbage: "a"}, path: "a", pull: prober.Pulling{Sample: 20}, want: "fail media not_media", within: 21 * time.Second},
		"one of long segments that come slowly": {stream: othersLadder{length: 30 * time.Second, within: 20 * time.Second}, path: "a", pull: long, want: "pass", within: 70 * time.Second},
		"a playlist":                            {path: "a", pull: prober.Pulling{Sample: prober.SampleNone}, want: "pass", within: 3 * time.Second},
		"a playlist, and it stands":             {stream: othersLadder{stands: "a"}, path: "a", pull: prober.Pulling{Sample: prober.SampleNone}, want: "fail manifest playlist_stale", within: 21 * time.Second},
		"a ladder":                              {path: "top", want: "pass", within: 3 * time.Second},
		"a ladder stands":                       {stream: othersLadder{stands: "ab"}, path: "top", want: "fail manifest playlist_stale", within: 21 * time.Second},
		"a ladder's playlists":                  {path: "top", pull: prober.Pulling{Sample: prober.SampleNone}, want: "pass", within: 3 * time.Second},
		"a ladder's playlists stand":            {stream: othersLadder{stands: "ab"}, path: "top", pull: prober.Pulling{Sample: prober.SampleNone}, want: "fail manifest playlist_stale", within: 21 * time.Second},
		"one of a ladder stands":                {stream: othersLadder{stands: "b"}, path: "top", want: "degraded manifest playlist_stale", within: 21 * time.Second},
		"one of a ladder stands, alone":         {stream: othersLadder{stands: "b"}, path: "top", pull: prober.Pulling{FailAlone: true}, want: "fail manifest playlist_stale", within: 21 * time.Second},
		"one of a ladder is not there":          {stream: othersLadder{gone: "b"}, path: "top", want: "degraded manifest http_status", within: 21 * time.Second},
		"one of a ladder is no media":           {stream: othersLadder{garbage: "b"}, path: "top", want: "degraded media not_media", within: 21 * time.Second},
		"with sound of its own":                 {path: "split", want: "pass", within: 3 * time.Second},
		"with sound of its own, all stand":      {stream: othersLadder{stands: "abs"}, path: "split", want: "fail manifest playlist_stale", within: 21 * time.Second},
		"its sound stands":                      {stream: othersLadder{stands: "s"}, path: "split", want: "degraded manifest playlist_stale", within: 21 * time.Second},
		"its sound is not there":                {stream: othersLadder{gone: "s"}, path: "split", want: "degraded manifest http_status", within: 21 * time.Second},
		"measured bitrates":                     {stream: othersLadder{measured: true, length: 10 * time.Second}, path: "top", pull: long, want: "pass", within: 15 * time.Second},
		"measured bitrates, sound of its own":   {stream: othersLadder{measured: true, length: 10 * time.Second}, path: "split", pull: long, want: "pass", within: 15 * time.Second},
		"measured bitrates, and they stand":     {stream: othersLadder{measured: true, length: 10 * time.Second, stands: "ab"}, path: "top", pull: long, want: "fail manifest playlist_stale", within: 31 * time.Second},
		"measured bitrates, and one stands":     {stream: othersLadder{measured: true, length: 10 * time.Second, stands: "b"}, path: "top", pull: long, want: "degraded manifest playlist_stale", within: 31 * time.Second},
		"an end":                                {stream: othersLadder{ends: "a"}, path: "a", pull: ended, want: "pass", within: time.Second},
		"an end, and it has to be live":         {stream: othersLadder{ends: "a", listed: 90}, path: "a", pull: long, want: "fail manifest stream_ended", within: 21 * time.Second},
		"a live window that has just ended":     {stream: othersLadder{ends: "a", listed: 10, length: 6 * time.Second}, path: "a", pull: ended, want: "pass", within: time.Second},
		"an end after minutes":                  {stream: othersLadder{ends: "a", listed: 300}, path: "a", pull: ended, want: "pass", within: time.Second},
		"an end after hours of long segments":   {stream: othersLadder{ends: "a", listed: 20, length: 10 * time.Minute}, path: "a", pull: ended, want: "pass", within: time.Second},
		"an end, and it comes slowly":           {stream: othersLadder{ends: "a", listed: 40, length: 6 * time.Second, within: 4 * time.Second}, path: "a", pull: ended, want: "pass", within: 9 * time.Second},
		"an end, and a VOD":                     {stream: othersLadder{ends: "a", listed: 300}, path: "a", pull: vod, want: "pass", within: time.Second},
		"an end, each 20th":                     {stream: othersLadder{ends: "a", listed: 300}, path: "a", pull: sampled(ended, 20), want: "pass", within: time.Second},
		"an end, each 50th, which is none":      {stream: othersLadder{ends: "a", listed: 30}, path: "a", pull: sampled(ended, 50), want: "pass", within: time.Second},
		"an end, the playlist":                  {stream: othersLadder{ends: "a", listed: 300}, path: "a", pull: sampled(ended, prober.SampleNone), want: "pass", within: time.Second},
		"an end, and its first alone is there":  {stream: othersLadder{ends: "a", listed: 300, lost: lost}, path: "a", pull: ended, want: "fail segment http_status", within: 21 * time.Second},
		"an end, its first alone, each 2nd":     {stream: othersLadder{ends: "a", listed: 300, lost: lost}, path: "a", pull: sampled(ended, 2), want: "fail segment http_status", within: 21 * time.Second},
		"an end, its first alone, each 20th":    {stream: othersLadder{ends: "a", listed: 300, lost: lost}, path: "a", pull: sampled(ended, 20), want: "fail segment http_status", within: 21 * time.Second},
		"a short end, its first alone there":    {stream: othersLadder{ends: "a", listed: 20, lost: lost}, path: "a", pull: sampled(ended, 2), want: "fail segment http_status", within: 21 * time.Second},
		"an end, its second alone is there":     {stream: othersLadder{ends: "a", listed: 20, length: 40 * time.Second, lost: "a.1.ts " + lostOf(3, 30)}, path: "a", pull: ended, want: "fail segment http_status", within: 91 * time.Second},
		"an end of a ladder":                    {stream: othersLadder{ends: "ab", listed: 300}, path: "top", pull: ended, want: "pass", within: time.Second},
		"an end, with sound of its own":         {stream: othersLadder{ends: "abs", listed: 300}, path: "split", pull: ended, want: "pass", within: time.Second},
		"an end of one of a ladder":             {stream: othersLadder{ends: "b", listed: 300}, path: "top", pull: ended, want: "pass", within: 3 * time.Second},
		"an end of one, and the other stands":   {stream: othersLadder{ends: "b", stands: "a", listed: 300}, path: "top", pull: ended, want: "degraded manifest playlist_stale", within: 21 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := c.stream
				o.begin, o.picture, o.sound = time.Now().Add(-time.Minute), picture, sound
				got, took := pullOnce(t, o, c.path, c.pull)
				if verdict := strings.Join(strings.Fields(fmt.Sprint(got.Outcome, " ", got.Stage, " ", got.Reason)), " "); verdict != c.want || took > c.within {
					t.Errorf("after %s: %s %s, %+v; want %s within %s", took, verdict, got.Detail, got.Findings, c.want, c.within)
				}
			})
		})
	}
}

// lostOf names segments.
func lostOf(from, to int) (names string) {
	for i := from; i <= to; i++ {
		names += fmt.Sprintf("a.%d.ts ", i)
	}
	return names
}

// pullOnce runs a playback probe's first round.
func pullOnce(t *testing.T, o othersLadder, path string, pull prober.Pulling) (prober.Result, time.Duration) {
	t.Helper()
	pulls := newPuller(nil, "")
	defer pulls.close()
	seen := &resultLog{t: t, more: make(chan struct{})}
	a, err := agent.New(agent.Config{Agent: "agent-1", Site: "site-1", Sink: seen,
		Platform: func(of prober.Platform) (agent.Platform, error) {
			made, err := platform.New(of, http.DefaultClient)
			return platformForAgent{made}, err
		},
		Feed: func(agent.Picture) (agent.Feed, error) { return nil, errors.New("nothing is pushed") },
		Follower: func(p prober.Playback, url, run string, pushed prober.Signal) agent.Follower {
			cfg, err := pulls.config(p.Pull, url, run, pushed)
			if err != nil {
				return brokenForAgent{err}
			}
			cfg.Transport, cfg.Look = o, nil
			return newFollowerForAgent(cfg, newPullSecrets(p.Pull, url))
		}})
	if err != nil {
		t.Fatal(err)
	}
	url := "http://others.test/" + path + ".m3u8"
	a.Assign(prober.Assignment{
		Targets: []prober.Target{{ID: "watch", Platform: prober.Platform{Type: "static"}, Playbacks: []prober.Playback{{ID: "fra", Region: "fra", URL: url, Pull: pull}}}},
		Probes:  []prober.Probe{{Kind: prober.KindPlayback, Target: "watch", Schedule: "@every 100s", Pulls: []prober.Pull{{Name: "channel", Playback: "fra", URL: url}}}},
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	<-time.After(3*time.Minute - time.Second)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	all := seen.all()
	if len(all) != 1 {
		t.Fatalf("%d results of one round", len(all))
	}
	return all[0], all[0].Ended.Sub(all[0].Started)
}

// A healthy ladder whose bitrates are measured, so that each load of the multivariant
// playlist has others, is as good as any, and one that stands still is told.
func TestValidationOfMeasuredBitrates(t *testing.T) {
	t.Parallel()
	picture := othersMedia(t, "segment.ts")
	for stands, want := range map[string]prober.Outcome{"": prober.Pass, "b": prober.Fail} {
		synctest.Test(t, func(t *testing.T) {
			stream := othersLadder{begin: time.Now().Add(-time.Minute), picture: picture, stands: stands, length: 6 * time.Second, measured: true}
			pulls := newPuller(nil, "")
			defer pulls.close()
			o := probeOptions{playback: "http://others.test/top.m3u8", timeout: 20 * time.Second}
			cfg, err := pulls.validation(prober.Pulling{Severity: map[string]prober.Severity{"duration_mismatch": prober.SeverityNote}}, o.playback, false)
			if err != nil {
				t.Fatal(err)
			}
			cfg.Transport, cfg.Look = stream, nil
			follower := newFollowerForAgent(cfg, newPullSecrets(o.pull, o.playback))
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- follower.Run(ctx) }()
			v := newValidation(o, time.Now())
			for done := false; !done; {
				<-time.After(validationTurn)
				done = v.turn(time.Now(), follower.Observe(time.Now()))
			}
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			sum := v.end(time.Now())
			if sum.Outcome != want || len(sum.Renditions) != 2 || want == prober.Fail && sum.Reason != prober.ReasonPlaylistStale {
				t.Errorf("%q stands: %s %s %s, %d renditions, want %s", stands, sum.Outcome, sum.Reason, sum.Detail, len(sum.Renditions), want)
			}
		})
	}
}
