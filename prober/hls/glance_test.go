package hls

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/media"
)

// unmarkedOrigin serves media without markers, as a platform that transcodes.
func unmarkedOrigin(o *origin) {
	o.to = time.Hour
	o.fault = onSegments(func(_ *origin, w http.ResponseWriter) {
		_, _ = w.Write(segmentOf("", time.Now().Add(-2*time.Second), time.Now(), 0))
	})
}

// What decoding shows decides where no marker comes through.
func TestFollowerLook(t *testing.T) {
	t.Parallel()
	ours := func(age time.Duration) []prober.Barcode {
		return []prober.Barcode{prober.Marker{Tag: prober.RunTag(ourRun), Seq: 7, Clock: time.Now().Add(-age)}.Barcode()}
	}
	other := []prober.Barcode{prober.Marker{Tag: prober.RunTag("another"), Clock: time.Unix(0, 0)}.Barcode()}
	look := func(change func(*prober.Look)) Looker {
		return func(context.Context, []byte, []byte) (prober.Look, error) {
			l := prober.Look{HasVideo: true, HasAudio: true, Pictures: 6, Width: 640, Height: 360, Barcodes: ours(3 * time.Second)}
			change(&l)
			return l, nil
		}
	}
	none := func(context.Context, []byte, []byte) (prober.Look, error) {
		return prober.Look{}, errors.New("ffmpeg is not installed")
	}
	hangs := func(ctx context.Context, _, _ []byte) (prober.Look, error) {
		<-ctx.Done()
		return prober.Look{}, ctx.Err()
	}
	tests := []struct {
		name       string
		look       Looker
		transcoded bool
		want       string
		proof      prober.Means
	}{
		{"ours", look(func(*prober.Look) {}), false, "good", prober.MeansBarcode},
		{"black", look(func(l *prober.Look) { l.Black, l.Barcodes = true, nil }), false, "media/picture_black", ""},
		{"frozen", look(func(l *prober.Look) { l.Frozen = true }), false, "media/picture_frozen", ""},
		{"silent", look(func(l *prober.Look) { l.Silent = true }), false, "media/sound_silent", prober.MeansBarcode},
		{"another stream", look(func(l *prober.Look) { l.Barcodes = other }), false, "media/not_ours", ""},
		{"an old recording", look(func(l *prober.Look) { l.Barcodes = ours(time.Minute) }), false, "media/marker_stale", ""},
		{"without ffmpeg", none, false, "media/no_marker", ""},
		{"without ffmpeg, and transcoded", none, true, "good", ""},
		{"no look, and transcoded", nil, true, "good", ""},
		{"a look that hangs", hangs, true, "good", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin()
				pass(9 * time.Second)
				unmarkedOrigin(o)
				turns := watch(t, o, Config{Look: tt.look, Transcoded: tt.transcoded}, 25*time.Second)
				end := turns[len(turns)-1]
				if end.verdict() != tt.want || tt.proof != "" && !failing(end.Failure) && end.Proof != tt.proof || tt.proof == "" && end.Proof != "" {
					t.Errorf("%s by %q: %+v", end.verdict(), end.Proof, end.Failure)
				}
				if tt.name == "ours" && (end.LatencyBy != prober.MeansBarcode || end.LatencyFirst < 2*time.Second || end.LatencyFirst > 4*time.Second ||
					end.LastMarker.Clock.IsZero() || !end.Playing) {
					t.Errorf("latency %s by %s, marker %v", end.LatencyFirst, end.LatencyBy, end.LastMarker)
				}
				segments := 0
				for _, turn := range turns {
					segments += turn.Segments
				}
				if segments < 11 && tt.want == "good" {
					t.Errorf("%d segments of 2 s in 25 s", segments)
				}
			})
		})
	}
}

// A look is taken now and then, not at each segment, and not where pictures and
// sound have markers.
func TestFollowerLooksSeldom(t *testing.T) {
	t.Parallel()
	for _, marked := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			o := newOrigin()
			pass(9 * time.Second)
			if !marked {
				unmarkedOrigin(o)
			}
			looks := 0
			turns := watch(t, o, Config{Inspect: func(segment, init []byte) (media.Summary, error) {
				s, err := testInspect(segment, init)
				if marked {
					s.AudioMarkers = s.Markers // the sound is ours, too
				}
				return s, err
			}, Look: func(_ context.Context, segment, _ []byte) (prober.Look, error) {
				looks++
				if !strings.Contains(string(segment), "transport stream") {
					t.Errorf("%.40q is looked at", segment)
				}
				return prober.Look{HasVideo: true, Pictures: 1, Width: 640,
					Barcodes: []prober.Barcode{prober.Marker{Tag: prober.RunTag(ourRun), Clock: time.Now()}.Barcode()}}, nil
			}}, 35*time.Second)
			if end := turns[len(turns)-1]; end.Failure != nil {
				t.Errorf("%+v", end.Failure)
			}
			if marked && looks > 0 || !marked && (looks < 3 || looks > 4) {
				t.Errorf("marked %v: %d looks in 35 s", marked, looks)
			}
		})
	}
}

// Where sound is passed through, pictures may be black all the same, until their
// markers are back.
func TestFollowerLooksBesideMarkers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		pass(9 * time.Second)
		start := time.Now()
		dark := func() bool { d := time.Since(start); return d > 10*time.Second && d < 30*time.Second }
		turns := watch(t, o, Config{Inspect: func(segment, init []byte) (media.Summary, error) {
			s, err := testInspect(segment, init)
			s.AudioMarkers = s.Markers
			if dark() {
				s.Markers = nil
			}
			return s, err
		}, Look: func(context.Context, []byte, []byte) (prober.Look, error) {
			return prober.Look{HasVideo: true, HasAudio: true, Pictures: 6, Width: 640, Black: true}, nil
		}}, 40*time.Second)
		seen := ""
		for _, turn := range turns {
			if turn.verdict() != "good" && seen == "" {
				seen = turn.verdict()
				if turn.at < 10*time.Second || turn.at > 15*time.Second {
					t.Errorf("%s after %s", seen, turn.at)
				}
			}
		}
		if end := turns[len(turns)-1]; seen != "media/picture_black" || end.verdict() != "good" || end.Proof != prober.MeansSEI {
			t.Errorf("seen %q, and at the end %s by %s: %+v", seen, end.verdict(), end.Proof, end.Failure)
		}
	})
}
