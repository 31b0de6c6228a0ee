package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

// kinds is a file with every type of platform and every kind of probe.
const kinds = `
installation: example
page: {name: Example, url: "https://status.example.com"}
alerts: {token: "0123456789abcdef"}
targets:
  - id: any
    name: Any
    platform:
      type: http
      api: https://api.example.com/v1/
      headers: [{name: X-Api-Key, value: "${GOOD_KEY}"}]
      create:
        path: /streams
        body: '{"name": "{name}", "record": {record}}'
        status: [200, 201]
        take: {id: $.id, key: $.key, push_url: $.push, play_url: $.play}
      resolve: {path: "/streams/{id}", status: [200], take: {playback: "$.playbacks[0].id"}}
      delete: {method: POST, path: "/streams/{id}/end", status: [202]}
      list: {path: "/streams?after={next}", status: [200], items: $.items, next: $.next, take: {id: $.id, name: $.name, created: $.at}}
      recording: {path: "/streams/{id}/recording", status: [200], take: {play_url: $.url}}
    regions: [{id: fra, name: Frankfurt}]
    ingests: [{id: fra, region: fra, url: "{push}"}]
    playbacks: [{id: fra, region: fra, url: "{playback}"}]
  - id: nodes
    name: Nodes
    platform: {type: livepeer, api: "https://livepeer.example.com/api", api_key: "${GOOD_KEY}", profiles: [{name: 720p, width: 1280, height: 720, bitrate: 3000000, fps: 30}]}
    regions: [{id: fra, name: Frankfurt}]
    ingests: [{id: fra, region: fra, url: "{push}", node: fra-prod}]
    playbacks: [{id: fra, region: fra, url: "{playback}", node: fra-prod}, {id: cdn, region: fra, url: "{playback}"}]
  - id: mux
    name: Mux
    platform: {type: mux, api_key_id: abc, api_key: "${GOOD_KEY}", test: true}
    regions: [{id: all, name: Everywhere}]
    ingests: [{id: all, region: all, url: "rtmp://global-live.mux.com:5222/app/{stream}"}]
    playbacks: [{id: all, region: all, url: "{playback}"}]
  - id: cf
    name: Cloudflare
    platform: {type: cloudflare, account: 023e105f4ecef8ad9ca31a8372d0c353, api_key: "${GOOD_KEY}"}
    regions: [{id: all, name: Everywhere}]
    ingests: [{id: all, region: all, url: "{push}"}]
    playbacks: [{id: all, region: all, url: "https://customer-x.cloudflarestream.com/{stream}/manifest/video.m3u8"}]
  - id: vod
    name: Library
    platform: {type: static}
    regions: [{id: fra, name: Frankfurt}]
    playbacks: [{id: fra, region: fra, url: "https://vod.example.com/{stream}/index.m3u8"}]
probes:
  - {kind: golive, target: any, every: 60s}
  - {kind: golive, target: nodes, every: 60s}
  - {kind: golive, target: mux, every: 60s}
  - {kind: golive, target: cf, every: 60s}
  - {kind: recording, target: any, every: 10m, within: 1m}
  - {kind: recording, target: nodes, every: 10m, broadcast: 30s, tolerance: 2s, url: "https://vod.example.com/{id}.m3u8"}
  - {kind: playback, target: vod, every: 60s, streams: [{name: film, playback: fra, url: "https://vod.example.com/film.m3u8", expect: vod}]}
  - kind: api
    target: vod
    every: 90s
    checks:
      - {name: health, url: "https://api.example.com/health", path: $.status, want: ok, max_latency: 2s, certificate_days: 14}
      - {name: closed, url: "https://api.example.com/private", method: POST, body: "{}", status: [401]}
agents:
  - {id: fra1, key: 0123456789abcdef-fra1}
  - {id: nyc1, key: 0123456789abcdef-nyc1}
components:
  - {id: any, name: Any, elements: [any/core, any/api]}
  - {id: vod, name: Library, elements: [vod/playback/fra]}
  - {id: vodapi, name: Library API, elements: [vod/api]}
`

func loadKinds(t *testing.T) *Hub {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hub.yaml")
	if err := os.WriteFile(file, []byte(kinds), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := parseTest(t, file)
	if err != nil {
		t.Fatal(err)
	}
	return f.Hub
}

func TestPlatformsAndKinds(t *testing.T) {
	t.Parallel()
	h := loadKinds(t)
	ok := "ok"
	secret := prober.Secret("Hunter2-Hunter2-Hunter2")
	for i, want := range []prober.Platform{
		{Type: "http", API: "https://api.example.com/v1", HTTP: &prober.HTTPContract{
			Headers: []prober.Header{{Name: "X-Api-Key", Value: secret}},
			Create: prober.HTTPCall{Method: "POST", Path: "/streams", Body: `{"name": "{name}", "record": {record}}`, Status: []int{200, 201},
				Take: prober.Take{ID: "$.id", Key: "$.key", PushURL: "$.push", PlayURL: "$.play"}},
			Resolve:   &prober.HTTPCall{Method: "GET", Path: "/streams/{id}", Status: []int{200}, Take: prober.Take{Playback: "$.playbacks[0].id"}},
			Delete:    prober.HTTPCall{Method: "POST", Path: "/streams/{id}/end", Status: []int{202}},
			Recording: &prober.HTTPCall{Method: "GET", Path: "/streams/{id}/recording", Status: []int{200}, Take: prober.Take{PlayURL: "$.url"}},
			List: &prober.HTTPList{HTTPCall: prober.HTTPCall{Method: "GET", Path: "/streams?after={next}", Status: []int{200},
				Take: prober.Take{ID: "$.id", Name: "$.name", Created: "$.at"}}, Items: "$.items", Next: "$.next"},
		}},
		{Type: "livepeer", API: "https://livepeer.example.com/api", Key: secret, Profiles: []prober.Profile{{Name: "720p", Width: 1280, Height: 720, Bitrate: 3_000_000, FPS: 30}}},
		{Type: "mux", API: "https://api.mux.com", Key: secret, KeyID: "abc", Test: true},
		{Type: "cloudflare", API: "https://api.cloudflare.com/client/v4", Key: secret, Account: "023e105f4ecef8ad9ca31a8372d0c353"},
		{Type: "static"},
	} {
		same(t, h.Targets[i].Platform, want)
	}
	same(t, h.Targets[1].Ingests[0].Node+" "+h.Targets[1].Playbacks[0].Node, "fra-prod fra-prod")
	same(t, *h.Probes[4].Recording, prober.RecordingCheck{Broadcast: 20 * time.Second, Within: time.Minute, Tolerance: 5 * time.Second})
	same(t, *h.Probes[5].Recording, prober.RecordingCheck{Broadcast: 30 * time.Second, Within: 2 * time.Minute, Tolerance: 2 * time.Second, URL: "https://vod.example.com/{id}.m3u8"})
	same(t, h.Probes[6].Pulls, []prober.Pull{{Name: "film", Playback: "fra", URL: "https://vod.example.com/film.m3u8", VOD: true}})
	same(t, h.Probes[7].Checks, []prober.APICheck{
		{Name: "health", Method: "GET", URL: "https://api.example.com/health", Status: []int{200}, Path: "$.status", Want: &ok, MaxLatency: 2 * time.Second, CertificateDays: 14},
		{Name: "closed", Method: "POST", URL: "https://api.example.com/private", Body: "{}", Status: []int{401}},
	})
	var lines []string
	for _, l := range h.summary() {
		if strings.HasPrefix(l, "probe ") {
			lines = append(lines, l)
		}
	}
	if want := []string{
		"probe recording of any, every 10m0s: what is left of a broadcast of 20s, within 1m0s, to 5s",
		"probe recording of nodes, every 10m0s: what is left of a broadcast of 30s, within 2m0s, to 2s",
		"probe playback of vod, every 1m0s: 1 stream that others push", "probe api of vod, every 1m30s: 2 checks",
	}; !slices.Equal(lines[4:], want) {
		t.Errorf("summary\n%s\nwant\n%s", strings.Join(lines[4:], "\n"), strings.Join(want, "\n"))
	}
	var seldom int
	for _, w := range h.Warnings {
		if strings.Contains(w, "it may be unknown in between") {
			seldom++
		}
	}
	if seldom != 3 {
		t.Errorf("%d warnings of components that are looked at too seldom, want 3: %q", seldom, h.Warnings)
	}
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if a, b := fmt.Sprintf("%#v", deref(got)), fmt.Sprintf("%#v", deref(want)); a != b {
		t.Errorf("got\n%s\nwant\n%s", a, b)
	}
}

// deref writes what pointers point at: two files have two pointers.
func deref(v any) any {
	b, err := prettyJSON(v)
	if err != nil {
		return err
	}
	return b
}

func prettyJSON(v any) (string, error) {
	b, err := json.MarshalIndent(v, "", " ")
	return string(b), err
}
