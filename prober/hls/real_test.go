package hls

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

// version is a playlist and when it was first seen.
type version struct {
	at   time.Duration
	text string
}

// recorded reads one file of testdata/real.
func recorded(t *testing.T, path string) []version {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []version
	for piece := range strings.SplitSeq("\n"+string(b), "\n-- ") {
		if piece == "" || piece == "\n" {
			continue
		}
		number, text, ok := strings.Cut(piece, "\n")
		ms, err := strconv.Atoi(number)
		if !ok || err != nil {
			t.Fatalf("%s: %q", path, number)
		}
		all = append(all, version{time.Duration(ms) * time.Millisecond, text})
	}
	if len(all) == 0 {
		t.Fatalf("%s is empty", path)
	}
	return all
}

// follow analyzes versions as a follower that polls them comes by: each when it
// appears, and again just before the next one.
func follow(t *testing.T, r Rules, all []version) []prober.Finding {
	t.Helper()
	var found []prober.Finding
	var before *Playlist
	for i, v := range all {
		p, fail := Parse([]byte(v.text))
		if fail != nil {
			t.Fatalf("%s: %s", v.at, fail.Detail)
		}
		at := noon.Add(v.at)
		found = append(found, r.Analyze(before, p, at)...)
		p.Updated, p.PartsUpdated = at, at
		if before != nil && compare(before, p) != advanced {
			p.Updated = before.Updated
		}
		if i+1 < len(all) {
			found = append(found, r.Analyze(p, p, noon.Add(all[i+1].at))...)
		}
		before = p
	}
	return found
}

// Real servers break no rule, but for those which the RFC says they do.
func TestRealPlaylists(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "real", "*.txt"))
	if err != nil || len(files) < 10 {
		t.Fatalf("%v: %d files", err, len(files))
	}
	known := map[string]string{
		// The first segment has EXT-X-DISCONTINUITY, and is removed without
		// EXT-X-DISCONTINUITY-SEQUENCE (6.2.2).
		"nginx-rtmp": ruleDSNMissing,
		// 2.5 part target durations, where 4.4.3.8 says that it should be 3.
		"mediamtx-low-latency":       rulePartHoldBackShort,
		"mediamtx-low-latency-audio": rulePartHoldBackShort,
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules := Rules{}
			if strings.HasSuffix(name, "-vod") {
				rules.Expect = ExpectVOD
			}
			seen := make(map[string]prober.Finding)
			for _, f := range follow(t, rules, recorded(t, file)) {
				seen[f.Rule] = f
			}
			for id, f := range seen {
				if id != known[name] {
					t.Errorf("%+v", f)
				}
			}
			if id := known[name]; id != "" && seen[id].Severity != prober.SeverityNote {
				t.Errorf("%s: %+v", id, seen[id])
			}
		})
	}
}

// Picture and sound of one real broadcast fit each other, and its multivariant
// playlist. They were recorded side by side.
func TestRealRenditions(t *testing.T) {
	t.Parallel()
	for _, variant := range []string{"fmp4", "low-latency"} {
		t.Run(variant, func(t *testing.T) {
			t.Parallel()
			at := func(name string) []version {
				return recorded(t, filepath.Join("testdata", "real", "mediamtx-"+variant+name+".txt"))
			}
			sound := at("-audio")
			for i, v := range at("") {
				late := sound[min(i, len(sound)-1)]
				for _, s := range sound {
					if s.at <= v.at {
						late = s // the newest that was there by then
					}
				}
				all := []Observed{{Name: "video", At: noon.Add(v.at)}, {Name: "audio", At: noon.Add(late.at)}}
				for j, text := range []string{v.text, late.text} {
					p, fail := Parse([]byte(text))
					if fail != nil {
						t.Fatal(fail.Detail)
					}
					all[j].Playlist = p
				}
				if found := (Rules{}).Renditions(all); len(found) > 0 {
					t.Errorf("%s: %+v", v.at, found)
				}
			}
		})
	}
}
