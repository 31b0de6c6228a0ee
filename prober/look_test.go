package prober_test

import (
	"testing"
	"time"

	"streamcanary/prober"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	at := clock()
	code := func(run string, age time.Duration) prober.Barcode {
		return prober.Marker{Tag: prober.RunTag(run), Clock: at.Add(-age)}.Barcode()
	}
	ours, old, foreign := code("run", 3*time.Second), code("run", time.Hour), code("other", time.Second)
	both := prober.Look{HasVideo: true, HasAudio: true, Pictures: 6, Width: 640, Height: 360}
	with := func(change func(*prober.Look)) prober.Look {
		l := both
		change(&l)
		return l
	}
	for _, tt := range []struct {
		name   string
		look   prober.Look
		means  prober.Means
		reason prober.Reason
		detail string
	}{
		{name: "ours, live", look: with(func(l *prober.Look) { l.Barcodes = []prober.Barcode{ours} }), means: prober.MeansBarcode},
		{name: "one old picture before live ones", look: with(func(l *prober.Look) { l.Barcodes = []prober.Barcode{old, ours} }), means: prober.MeansBarcode},
		{name: "ours after another's, as at a switch", look: with(func(l *prober.Look) { l.Barcodes = []prober.Barcode{foreign, ours} }), means: prober.MeansBarcode},
		{name: "an old recording", look: with(func(l *prober.Look) { l.Barcodes = []prober.Barcode{old} }),
			reason: prober.ReasonMarkerStale, detail: "our pictures, but sent 1h0m0s ago by their barcode, bound 30s"},
		{name: "another broadcast of ours", look: with(func(l *prober.Look) { l.Barcodes = []prober.Barcode{foreign} }),
			reason: prober.ReasonNotOurs, detail: "pictures with another broadcast's barcode"},
		{name: "another stream", look: both, reason: prober.ReasonNoMarker, detail: "6 pictures without our barcode"},
		{name: "too small to read", look: with(func(l *prober.Look) { l.Width, l.Height = 160, 90 })},
		{name: "frozen", look: with(func(l *prober.Look) { l.Barcodes, l.Frozen = []prober.Barcode{ours, ours}, true }),
			reason: prober.ReasonPictureFrozen, detail: "all of 6 pictures are the same one of ours, sent 3s ago"},
		{name: "a slide", look: with(func(l *prober.Look) { l.Frozen = true }),
			reason: prober.ReasonPictureFrozen, detail: "all of 6 pictures are the same, and not ours"},
		{name: "black", look: with(func(l *prober.Look) { l.Black, l.Frozen, l.Silent = true, true, true }),
			reason: prober.ReasonPictureBlack, detail: "all of 6 pictures are black"},
		{name: "silence", look: with(func(l *prober.Look) { l.Barcodes, l.Silent = []prober.Barcode{ours}, true }),
			means: prober.MeansBarcode, reason: prober.ReasonSoundSilent, detail: "there is sound, and nothing to be heard in it"},
		{name: "sound alone", look: prober.Look{HasAudio: true}},
		{name: "silence alone", look: prober.Look{HasAudio: true, Silent: true},
			reason: prober.ReasonSoundSilent, detail: "there is sound, and nothing to be heard in it"},
		{name: "nothing that decodes", look: prober.Look{Trouble: "no frame!"},
			reason: prober.ReasonNotDecodable, detail: "neither a picture nor sound could be decoded: no frame!"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			means, failure := tt.look.Judge(prober.Sought{
				Tag: prober.RunTag("run"), At: at, MaxAge: 30 * time.Second, Video: true, Audio: true,
			})
			if failure == nil {
				failure = &prober.Failure{}
			}
			want := prober.Failure{}
			if tt.reason != "" {
				want = prober.Failure{Outcome: prober.Fail, Stage: prober.StageMedia, Reason: tt.reason, Detail: tt.detail}
			}
			if means != tt.means || *failure != want {
				t.Errorf("\n got %q, %+v\nwant %q, %+v", means, *failure, tt.means, want)
			}
		})
	}
	silent := prober.Look{HasVideo: true, HasAudio: true, Width: 640, Barcodes: []prober.Barcode{ours}, Silent: true}
	if _, failure := silent.Judge(prober.Sought{Tag: prober.RunTag("run"), At: at, MaxAge: time.Minute, Video: true}); failure != nil {
		t.Errorf("a broadcast that has no sound is silent: %+v", failure)
	}
}
