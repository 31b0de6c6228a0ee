package prober_test

import (
	"slices"
	"testing"

	"streamcanary/prober"
)

func TestMarkersOfPicturesAndSoundAreToldApart(t *testing.T) {
	t.Parallel()
	want := []prober.Marker{
		{Tag: prober.RunTag("a"), Seq: 7, Clock: clock()},
		{Audio: true, Tag: prober.RunTag("a"), Seq: 9, Clock: clock()},
		{Tag: prober.RunTag("b"), Seq: 1<<64 - 1, Clock: clock()},
	}
	b := []byte("\xc5\x9ascan between \xc5\x9ascanxx0000000000000000000000000000000000000000")
	for _, m := range want {
		b = m.Append(b)
		if len(b) < prober.MarkerSize || slices.Contains(b[len(b)-prober.MarkerSize:], 0) {
			t.Errorf("marker %+v has a zero byte, or is too short", m)
		}
		b = append(b, "\xc5\x9a"...)
	}
	if got := prober.FindMarkers(b, 0); !slices.Equal(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	if got := prober.FindMarkers(b, 2); !slices.Equal(got, want[:2]) {
		t.Errorf("with a limit of 2: %+v", got)
	}
}

// FuzzFindMarkers reads whatever comes: what is found encodes to bytes that are there.
func FuzzFindMarkers(f *testing.F) {
	f.Add(prober.Marker{Tag: prober.RunTag("a"), Seq: 7, Clock: clock()}.Append(nil))
	f.Add(prober.Marker{Audio: true, Tag: prober.RunTag("a"), Clock: clock()}.Append([]byte("\xc5\x9ascanau")))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, m := range prober.FindMarkers(b, 100) {
			if again := prober.FindMarkers(m.Append(nil), 0); m.Clock.Year() < 9999 && len(again) != 1 {
				t.Errorf("%+v does not read back: %+v", m, again)
			}
		}
	})
}
