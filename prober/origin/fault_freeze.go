package origin

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// frozen keeps playlists as they were, and the segments that they name, which
// the muxer forgets.
type frozen struct {
	mu    sync.Mutex
	files map[string]*recorded // by /hls/{stream}/{file}
}

// beginFreezePlaylist keeps the playlists of every broadcast as they are now;
// one that has none yet is kept as it is first asked for.
func beginFreezePlaylist(o *Origin) (heal func() error, err error) {
	return o.freeze(func(string) bool { return true }), nil
}

// beginFreezeRendition keeps those of the last rendition alone.
func beginFreezeRendition(o *Origin) (heal func() error, err error) {
	last, err := o.lastRendition()
	if err != nil {
		return nil, err
	}
	return o.freeze(func(path string) bool { return renditionOf(path) == last }), nil
}

// lastRendition is the one that faults of a single rendition strike.
func (o *Origin) lastRendition() (string, error) {
	if n := len(o.config.Renditions); n > 1 {
		return o.config.Renditions[n-1], nil
	}
	return "", errors.New("the origin has no second rendition")
}

// freeze freezes the files that are meant, by path.
func (o *Origin) freeze(meant func(path string) bool) (heal func() error) {
	f := &frozen{files: make(map[string]*recorded)}
	for id, out := range o.playback.all() {
		f.capture(out, "/hls/"+id+"/index.m3u8")
	}
	removePlaylists := o.playback.playlists.add(func(w http.ResponseWriter, r *http.Request, normal func(http.ResponseWriter)) {
		if !meant(r.URL.Path) {
			normal(w)
			return
		}
		if out := o.playback.output(r.PathValue("stream")); out != nil {
			f.capture(out, r.URL.Path)
		}
		f.serve(w, r, normal)
	})
	removeSegments := o.playback.segments.add(f.serve)
	return func() error {
		removePlaylists()
		removeSegments()
		return nil
	}
}

func (f *frozen) serve(w http.ResponseWriter, r *http.Request, normal func(http.ResponseWriter)) {
	f.mu.Lock()
	kept := f.files[r.URL.Path]
	f.mu.Unlock()
	if kept == nil {
		normal(w)
		return
	}
	kept.send(w)
}

// capture keeps a playlist and everything that it names, unless it is kept.
func (f *frozen) capture(out http.Handler, path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for pending := []string{path}; len(pending) > 0; pending = pending[1:] {
		path := pending[0]
		if f.files[path] != nil {
			continue
		}
		answer := newRecorded()
		out.ServeHTTP(answer, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: path}})
		if answer.status != http.StatusOK {
			continue
		}
		allowAnyOrigin(answer.header)
		f.files[path] = answer
		if isPlaylist(path) {
			directory := path[:strings.LastIndexByte(path, '/')+1]
			for _, uri := range playlistURIs(string(answer.body)) {
				pending = append(pending, directory+uri)
			}
		}
	}
}

// attributeURI finds the URI of EXT-X-MEDIA and EXT-X-MAP.
var attributeURI = regexp.MustCompile(`URI="([^"]+)"`)

// playlistURIs lists what one of gohlslib's playlists names.
func playlistURIs(playlist string) []string {
	var uris []string
	for line := range strings.Lines(playlist) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#EXT-X-PRELOAD-HINT:") {
			continue // not there yet: to ask for it is to wait
		}
		switch match := attributeURI.FindStringSubmatch(line); {
		case match != nil:
			uris = append(uris, match[1])
		case line != "" && line[0] != '#':
			uris = append(uris, line)
		}
	}
	return uris
}
