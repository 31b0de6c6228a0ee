package hls

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"streamcanary/prober/media"
)

func TestCheckLadder(t *testing.T) {
	t.Parallel()
	variant := func(resolution string, bandwidth int64, codecs string) Variant {
		return Variant{URI: fmt.Sprint(resolution, bandwidth, codecs), Resolution: resolution, Bandwidth: bandwidth, Codecs: codecs}
	}
	full := []Variant{variant("1280x720", 3_000_000, "avc1.64001f,mp4a.40.2"), variant("640x360", 800_000, "avc1.64001e,mp4a.40.2")}
	ladder := []Rung{
		{Width: 1280, Height: 720, Bandwidth: 2_800_000, Codecs: "avc1.64,mp4a"},
		{Width: 640, Height: 360, Bandwidth: 800_000, Codecs: "avc1"},
	}
	english := []Rendition{{Type: "AUDIO", Group: "a", Language: "en", URI: "en.m3u8"}}
	tests := []struct {
		name       string
		ladder     []Rung
		variants   []Variant
		renditions []Rendition
		want       string
	}{
		{"as expected", ladder, full, nil, ""},
		{"not asked", nil, full[:1], nil, ""},
		{"one missing", ladder, full[:1], nil, "degraded rendition_missing 360p"},
		{"one too many", ladder[:1], full, nil, "note rendition_unexpected 360p"},
		{"another width", ladder, []Variant{full[0], variant("480x360", 800_000, "avc1.64001e")}, nil, "degraded rendition_mismatch 360p"},
		{"another bitrate", ladder, []Variant{full[0], variant("640x360", 300_000, "avc1.64001e")}, nil, "degraded rendition_mismatch 360p"},
		{"another codec", ladder, []Variant{variant("1280x720", 3_000_000, "hvc1.1.6.L93,mp4a.40.2"), full[1]}, nil, "degraded rendition_mismatch 720p"},
		{"two of one height", ladder, []Variant{variant("1280x720", 6_000_000, "avc1.64001f,mp4a.40.2"), full[0], full[1]}, nil, "note rendition_unexpected 720p 6000k"},
		{"sound is there", append(ladder[:2:2], Rung{Rendition: "audio en"}), full, english, ""},
		{"sound is missing", append(ladder[:2:2], Rung{Rendition: "audio de"}), full, english, "degraded rendition_missing audio de"},
		{"by bitrate alone", []Rung{{Bandwidth: 3_000_000}, {Bandwidth: 800_000}}, full, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, f := range checkLadder(tt.ladder, listings(&Playlist{Variants: tt.variants, Renditions: tt.renditions}, nil)) {
				got = append(got, fmt.Sprint(f.Severity, " ", f.Reason, " ", f.Where))
			}
			if all := strings.Join(got, ", "); all != tt.want {
				t.Errorf("got %q, want %q", all, tt.want)
			}
		})
	}
}

// A media playlist lists no ladder.
func TestFollowerAloneLadder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		pass(9 * time.Second)
		var missing []string
		turns := watch(t, o, Config{Ladder: []Rung{{Height: 720}, {Height: 1080}}}, 8*time.Second)
		for _, turn := range turns {
			for _, f := range turn.Findings {
				missing = append(missing, string(f.Reason)+" "+f.Where)
			}
		}
		if got := strings.Join(missing, ", "); got != "rendition_missing 720p, rendition_missing 1080p" {
			t.Errorf("found %s", got)
		}
		if v := turns[len(turns)-1].verdict(); v != "degraded manifest/rendition_missing" {
			t.Error(v)
		}
	})
}

func TestCheckPicture(t *testing.T) {
	t.Parallel()
	l := listing{name: "720p", variant: Variant{Resolution: "1280x720"}}
	of := func(width, height int) media.Summary {
		return media.Summary{Tracks: []media.Track{{Kind: media.Video, Units: 1, Width: width, Height: height}}}
	}
	for _, tt := range []struct {
		width, height, want int
	}{{1280, 720, 0}, {1280, 734, 0}, {0, 0, 0}, {640, 360, 1}, {1920, 1080, 1}} {
		if got := checkPicture(l, of(tt.width, tt.height)); len(got) != tt.want {
			t.Errorf("%dx%d: %v", tt.width, tt.height, got)
		}
	}
}

func TestListingNames(t *testing.T) {
	t.Parallel()
	p := &Playlist{
		Variants: []Variant{
			{URI: "a", Bandwidth: 64_000, Codecs: "mp4a.40.2"}, {URI: "b", Bandwidth: 3_000_000, Resolution: "1280x720"},
			{URI: "c", Bandwidth: 1_000_000, Resolution: "1280x720"}, {URI: "d", Bandwidth: 500_000}, {URI: "d", Bandwidth: 600_000},
			{URI: "e", Bandwidth: 500_000},
		},
		Renditions: []Rendition{{Type: "AUDIO", Name: "Main"}, {Type: "AUDIO", Language: "en", URI: "f"},
			{Type: "SUBTITLES", Language: "de", URI: "g"}, {Type: "AUDIO", Language: "en", URI: "h"}, {Type: "AUDIO", URI: "a", Name: "again"}},
	}
	var names []string
	for _, l := range listings(p, nil) {
		names = append(names, l.name)
	}
	want := "720p 3000k, 720p 1000k, 500k, 500k #2, audio 64k, audio en, subtitles de, audio en #2"
	if got := strings.Join(names, ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// No two renditions have one name, whatever a server calls them.
func TestNamesAreTheirOwn(t *testing.T) {
	t.Parallel()
	for names, want := range map[string]string{
		"a,a,a #2":          "audio a, audio a #2, audio a #2 #2",
		"a #2,a,a":          "audio a #2, audio a, audio a #3",
		"a,a #2,a,a,a #3":   "audio a, audio a #2, audio a #3, audio a #4, audio a #3 #2",
		"a,a,a,b":           "audio a, audio a #2, audio a #3, audio b",
		"64k,a,64k #2,64k":  "audio 64k, audio 64k #2, audio a, audio 64k #2 #2, audio 64k #3",
		"a #2 #2,a #2,a #2": "audio a #2 #2, audio a #2, audio a #2 #3",
	} {
		p := &Playlist{}
		if strings.Contains(names, "64k") {
			p.Variants = []Variant{{URI: "v", Bandwidth: 64_000, Codecs: "mp4a.40.2"}}
		}
		for i, name := range strings.Split(names, ",") {
			p.Renditions = append(p.Renditions, Rendition{Type: "AUDIO", Name: name, URI: strconv.Itoa(i)})
		}
		var got []string
		for _, l := range listings(p, nil) {
			got = append(got, l.name)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: got %s, want %s", names, strings.Join(got, ", "), want)
		}
	}
}
