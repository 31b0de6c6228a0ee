package origin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"streamcanary/prober"
)

// stage is two linked origins with a running broadcast at each.
type stage struct {
	faulty, other *Origin
	here, there   *client // pushed at faulty, at other
	hereEnded     <-chan struct{}
	thereEnded    <-chan struct{}
}

func setStage(t *testing.T) *stage {
	t.Helper()
	origins := start(t, 2, Config{})
	s := &stage{faulty: origins[0], other: origins[1]}
	s.here, s.there = mustPublish(t, s.faulty, "here"), mustPublish(t, s.other, "there")
	s.hereEnded, s.thereEnded = s.here.keepPushing(), s.there.keepPushing()
	s.healthy(t)
	return s
}

// healthy waits until both broadcasts play at both origins.
func (s *stage) healthy(t *testing.T) {
	t.Helper()
	for _, c := range []*client{s.here, s.there} {
		id := map[*client]string{s.here: "here", s.there: "there"}[c]
		for _, o := range []*Origin{s.faulty, s.other} {
			eventually(t, id+" plays at "+o.config.Region, func() error { return plays(t, o, id, c.run) })
		}
	}
}

func running(t *testing.T, ended <-chan struct{}, want bool) {
	t.Helper()
	select {
	case <-ended:
		if want {
			t.Error("a running broadcast was ended")
		}
	default:
		if !want {
			t.Error("a broadcast still runs")
		}
	}
}

// TestPlaybackFaults sees each from outside, at that origin alone, until it heals.
func TestPlaybackFaults(t *testing.T) {
	t.Parallel()
	for _, of := range []struct {
		name   string
		broken func(t *testing.T, s *stage, segment string) error
	}{
		{"playlist-404", func(t *testing.T, s *stage, segment string) error {
			t.Helper()
			return errors.Join(answers(t, s.url("here"), 404, ""), answers(t, segment, 200, "video/mp2t"))
		}},
		{"empty-playlist", func(t *testing.T, s *stage, _ string) error {
			t.Helper()
			_, body, _, err := get(t, s.url("here"))
			return errors.Join(err, answers(t, s.url("here"), 200, ""), size(body, 0), answers(t, s.url("nobody"), 404, ""))
		}},
		{"html-playlist", func(t *testing.T, s *stage, _ string) error {
			t.Helper()
			return answers(t, s.url("there"), 200, "text/html; charset=utf-8")
		}},
		{"segment-404", func(t *testing.T, s *stage, segment string) error {
			t.Helper()
			return errors.Join(answers(t, segment, 404, ""), answers(t, s.url("here"), 200, ""))
		}},
		{"garbage-segments", func(t *testing.T, _ *stage, segment string) error {
			t.Helper()
			body, err := fetch(t, segment)
			if n := len(prober.FindMarkers(body, 0)); err == nil && (n > 0 || len(body) < 1000) {
				err = fmt.Errorf("%d bytes with %d markers", len(body), n)
			}
			return err
		}},
	} {
		t.Run(of.name, func(t *testing.T) {
			t.Parallel()
			s := setStage(t)
			heal := within(t, s.faulty, of.name)
			eventually(t, "the fault", func() error {
				own, err := s.segment()
				if err != nil {
					return err
				}
				return of.broken(t, s, own)
			})
			if err := plays(t, s.other, "here", s.here.run); err != nil {
				t.Errorf("the other origin is not well: %v", err)
			}
			heal()
			s.healthy(t)
			running(t, s.hereEnded, true)
			running(t, s.thereEnded, true)
		})
	}
}

func (s *stage) url(id string) string { return prober.StreamURL(s.faulty.HLSURL(), id) }

// segment is the URL of a segment that is there now, taken past the faults.
func (s *stage) segment() (string, error) {
	out := s.faulty.playback.output("here")
	if out == nil {
		return "", errors.New("no output")
	}
	answer := newRecorded()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "/main_stream.m3u8", nil)
	if err != nil {
		return "", err
	}
	out.ServeHTTP(answer, r)
	uris := playlistURIs(string(answer.body))
	if answer.status != http.StatusOK || len(uris) == 0 {
		return "", fmt.Errorf("status %d", answer.status)
	}
	return strings.TrimSuffix(s.url("here"), "index.m3u8") + uris[len(uris)-1], nil
}

func answers(t *testing.T, url string, status int, contentType string) error {
	t.Helper()
	got, _, header, err := get(t, url)
	switch {
	case err != nil:
		return err
	case got != status:
		return fmt.Errorf("%s answers %d, want %d", url, got, status)
	case contentType != "" && header.Get("Content-Type") != contentType:
		return fmt.Errorf("%s is %q, want %q", url, header.Get("Content-Type"), contentType)
	case header.Get("Access-Control-Allow-Origin") != "*":
		return fmt.Errorf("%s: a browser may not read it", url)
	}
	return nil
}

func size(b []byte, want int) error {
	if len(b) != want {
		return fmt.Errorf("%d bytes, want %d", len(b), want)
	}
	return nil
}

func TestFreezePlaylist(t *testing.T) {
	t.Parallel()
	s := setStage(t)
	heal := within(t, s.faulty, "freeze-playlist")
	var frozen string
	var segments []string
	eventually(t, "the playlist is frozen while the broadcast goes on", func() (err error) {
		before, _, err := playlist(t, s.other, "here")
		if err != nil {
			return err
		}
		if frozen, segments, err = playlist(t, s.faulty, "here"); err != nil {
			return err
		}
		eventually(t, "the other origin goes on", func() error {
			if after, _, err := playlist(t, s.other, "here"); err != nil || lastSegment(after) <= lastSegment(before)+2*listedSegments {
				return fmt.Errorf("at %d, %w", lastSegment(after), err)
			}
			return nil
		})
		if later, _, err := playlist(t, s.faulty, "here"); err != nil || later != frozen {
			return fmt.Errorf("it changed, %w", err)
		}
		return nil
	})
	for _, url := range segments {
		if body, err := fetch(t, url); err != nil || len(prober.FindMarkers(body, 0)) == 0 {
			t.Errorf("a segment of the frozen playlist: %d bytes, %v", len(body), err)
		}
	}
	heal()
	s.healthy(t)
	eventually(t, "the playlist goes on", func() error {
		later, _, err := playlist(t, s.faulty, "here")
		if err == nil && lastSegment(later) <= lastSegment(frozen) {
			err = errors.New("still the frozen one")
		}
		return err
	})
}

// lastSegment is the media sequence number of a playlist's last segment.
func lastSegment(playlist string) int {
	_, rest, _ := strings.Cut(playlist, "#EXT-X-MEDIA-SEQUENCE:")
	var first int
	_, _ = fmt.Sscanf(rest, "%d", &first)
	return first + strings.Count(playlist, "#EXTINF") - 1
}

func TestRestart(t *testing.T) {
	t.Parallel()
	s := setStage(t)
	made, err := s.faulty.platform.create(streamRequest{Name: "n"})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // on the same ports each time
		heal := within(t, s.faulty, "restart")
		<-s.hereEnded
		if !errors.Is(s.here.ended, syscall.ECONNRESET) {
			t.Errorf("the running broadcast ended with %v, want a reset", s.here.ended)
		}
		if _, err := publish(t, s.faulty, "new"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("a new broadcast: %v, want refused", err)
		}
		for _, url := range []string{s.url("there"), s.faulty.APIURL() + "/stream"} {
			if _, _, _, err := get(t, url); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("%s: %v, want refused", url, err)
			}
		}
		eventually(t, "its broadcast is gone everywhere", func() error {
			return answers(t, prober.StreamURL(s.other.HLSURL(), "here"), 404, "")
		})
		if err := plays(t, s.other, "there", s.there.run); err != nil {
			t.Errorf("the other origin is not well: %v", err)
		}
		heal()
		s.here = mustPublish(t, s.faulty, "here")
		s.hereEnded = s.here.keepPushing()
		s.healthy(t)
	}
	running(t, s.thereEnded, true)
	if _, err := s.faulty.platform.get(made.ID); err != nil {
		t.Errorf("a stream of the API after the restart: %v", err)
	}
}

func TestRestartTwiceAtOnceAndClose(t *testing.T) {
	t.Parallel()
	o := start(t, 1, Config{})[0]
	over := make(chan error, 1)
	go func() { over <- o.Inject(t.Context(), Fault{Name: "restart", For: time.Minute}) }()
	eventually(t, "it is down", func() error {
		if _, _, _, err := get(t, o.APIURL()+"/stream"); !errors.Is(err, syscall.ECONNREFUSED) {
			return fmt.Errorf("it answers, %w", err)
		}
		return nil
	})
	if err := o.Inject(t.Context(), Fault{Name: "restart"}); !errors.Is(err, errNotUp) {
		t.Errorf("a restart of what is down: %v", err)
	}
	o.Close()
	if err := <-over; !errors.Is(err, errNotUp) {
		t.Errorf("the restart ended with %v", err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", o.ports.rtmp.addr.String())
	if err != nil {
		t.Errorf("the port is not free after Close: %v", err)
		return
	}
	_ = l.Close()
}

func TestRefuseConnect(t *testing.T) {
	t.Parallel()
	s := setStage(t)
	heal := within(t, s.faulty, "refuse-connect")
	healOther := within(t, s.faulty, "refuse-connect") // faults of a kind may overlap
	refused := func() error {
		if _, err := publish(t, s.faulty, "new"); !errors.Is(err, syscall.ECONNREFUSED) {
			return fmt.Errorf("a new connection: %w", err)
		}
		return nil
	}
	eventually(t, "refused", refused)
	healOther()
	if err := refused(); err != nil {
		t.Error(err)
	}
	s.healthy(t)
	running(t, s.hereEnded, true)
	heal()
	mustPublish(t, s.faulty, "healed")        // "new" may run, if it was there before the fault
	restart := within(t, s.faulty, "restart") // resets those from before too
	<-s.hereEnded
	restart()
}

func TestDropBroadcasts(t *testing.T) {
	t.Parallel()
	s := setStage(t)
	if err := s.faulty.Inject(t.Context(), Fault{Name: "drop-broadcasts"}); err != nil {
		t.Fatal(err)
	}
	<-s.hereEnded
	running(t, s.thereEnded, true)
	eventually(t, "the name is free", func() error {
		c, err := publish(t, s.faulty, "here")
		if err != nil {
			return err
		}
		c.headers()
		s.here, s.hereEnded = c, c.keepPushing()
		return nil
	})
	s.healthy(t)
}

func TestRefusePublish(t *testing.T) {
	t.Parallel()
	s := setStage(t)
	heal := within(t, s.faulty, "refuse-publish")
	eventually(t, "refused", func() error {
		c, err := publish(t, s.faulty, "new")
		if err == nil || err.Error() != "onStatus NetStream.Publish.Denied" {
			if c != nil {
				_ = c.conn.Close()
			}
			return fmt.Errorf("a new broadcast: %w", err)
		}
		return nil
	})
	mustPublish(t, s.other, "elsewhere")
	s.healthy(t)
	running(t, s.hereEnded, true)
	heal()
	mustPublish(t, s.faulty, "newer")
}

func TestStallIngest(t *testing.T) {
	t.Parallel()
	s := setStage(t)
	heal := within(t, s.faulty, "stall-ingest")
	eventually(t, "nothing is read", func() error {
		before, _, err := playlist(t, s.faulty, "here")
		if err != nil {
			return err
		}
		there, _, err := playlist(t, s.other, "there")
		if err != nil {
			return err
		}
		eventually(t, "the other goes on", func() error {
			if now, _, err := playlist(t, s.other, "there"); err != nil || lastSegment(now) <= lastSegment(there)+listedSegments {
				return fmt.Errorf("at %d, %w", lastSegment(now), err)
			}
			return nil
		})
		if after, _, err := playlist(t, s.faulty, "here"); err != nil || after != before {
			return fmt.Errorf("it goes on, %w", err)
		}
		return nil
	})
	running(t, s.hereEnded, true)
	heal()
	s.healthy(t)
	within(t, s.faulty, "stall-ingest")
	within(t, s.faulty, "restart") // ends what stalls
	<-s.hereEnded
}

func TestAPI500(t *testing.T) {
	t.Parallel()
	s := setStage(t)
	heal := within(t, s.faulty, "api-500")
	url := func(o *Origin) string { return o.APIURL() + "/stream" }
	status := func(o *Origin, want int) error {
		if got, body, _, err := get(t, url(o)); err != nil || got != want {
			return fmt.Errorf("%d %s, %w", got, body, err)
		}
		return nil
	}
	eventually(t, "500", func() error { return status(s.faulty, 500) })
	if err := status(s.other, 200); err != nil {
		t.Errorf("the other API: %v", err)
	}
	heal()
	if err := status(s.faulty, 200); err != nil {
		t.Errorf("healed: %v", err)
	}
}

// TestInjectLastsAsLongAsAsked also shows that faults heal by themselves.
func TestInjectLastsAsLongAsAsked(t *testing.T) {
	t.Parallel()
	o, low := start(t, 1, everything())[0], start(t, 1, Config{Container: LowLatency})[0]
	var all sync.WaitGroup
	for _, f := range Faults() {
		if f.Name == "restart" || f.Name == "refuse-connect" {
			continue // one at a time, below
		}
		o := o
		if strings.HasPrefix(f.Help, "low latency: ") {
			o = low
		}
		all.Go(func() {
			if err := o.Inject(t.Context(), Fault{Name: f.Name, For: 50 * time.Millisecond}); err != nil {
				t.Errorf("%s: %v", f.Name, err)
			}
		})
	}
	all.Wait()
	for _, name := range []string{"refuse-connect", "restart"} {
		began := time.Now()
		if err := o.Inject(t.Context(), Fault{Name: name, For: 50 * time.Millisecond}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := time.Since(began); d < 50*time.Millisecond {
			t.Errorf("%s lasted %s", name, d)
		}
	}
	c := mustPublish(t, o, "show")
	c.push(3)
	eventually(t, "playback", func() error { return plays(t, o, "show", c.run) })
}

func TestFaultsAreNamed(t *testing.T) {
	t.Parallel()
	var names []string
	for _, f := range Faults() {
		names = append(names, f.Name)
		if f.Help == "" || strings.Contains(f.Help, "\n") {
			t.Errorf("%s: help %q is not one line", f.Name, f.Help)
		}
	}
	for _, want := range []string{"restart", "refuse-publish", "freeze-playlist", "playlist-404", "segment-404", "garbage-segments", "api-500"} {
		if !slices.Contains(names, want) {
			t.Errorf("no fault %s", want)
		}
	}
	o, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []struct {
		fault Fault
		want  string
	}{
		{Fault{Name: "reboot"}, `no fault "reboot": want one of restart, `},
		{Fault{Name: "restart", For: -1}, "duration -1ns is negative"},
		{Fault{Name: "restart"}, "not up"},
	} {
		if err := o.Inject(t.Context(), f.fault); err == nil || !strings.Contains(err.Error(), f.want) {
			t.Errorf("%+v: %v, want %s", f.fault, err, f.want)
		}
	}
}
