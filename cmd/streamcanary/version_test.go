package main

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersionLine(t *testing.T) {
	t.Parallel()
	stamped := &debug.BuildInfo{
		Main: debug.Module{Version: "v0.0.0-20260131"},
		Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.modified", Value: "true"},
		},
	}
	for _, tt := range []struct {
		name    string
		release string
		info    *debug.BuildInfo
		want    string
	}{
		{"release", "v1.2.3", stamped, "streamcanary v1.2.3 (commit 0123456789ab, modified, go1."},
		{"module", "", stamped, "streamcanary v0.0.0-20260131 (commit 0123456789ab, modified, go1."},
		{"no repository", "", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "streamcanary development (commit unknown, go1."},
		{"no information", "", nil, "streamcanary development (commit unknown, go1."},
	} {
		if got := versionLine(tt.release, tt.info); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: got %q, want it to begin with %q", tt.name, got, tt.want)
		}
	}
}
