package origin

import (
	"net/http"
	"strings"
	"sync"
)

const (
	recordedSegments = 600 // of one broadcast; the oldest are dropped
	maxRecordings    = 8
	maxShelfBytes    = 128 << 20
)

// shelf keeps what was pushed, in memory: the latest few broadcasts.
type shelf struct {
	mu         sync.Mutex
	recordings []*recording // the oldest first
}

type recording struct {
	id    string
	files map[string]*recorded // by the path behind /hls/{stream}/
	size  int
}

// put keeps all that an output has, as VOD. A later broadcast of the same name
// takes its place.
func (s *shelf) put(id string, out *output) {
	kept := &frozen{files: make(map[string]*recorded)}
	directory := "/hls/" + id + "/"
	kept.capture(entire{out}, directory+"index.m3u8")
	r := &recording{id: id, files: make(map[string]*recorded, len(kept.files))}
	for path, file := range kept.files {
		if isPlaylist(path) && !isMultivariant(string(file.body)) {
			file.body = []byte(asVOD(string(file.body)))
		}
		r.files[strings.TrimPrefix(path, directory)] = file
		r.size += len(file.body)
	}
	if len(r.files) == 0 {
		return // it had no segment yet
	}
	s.add(r)
}

// add drops the oldest where there is no more room.
func (s *shelf) add(r *recording) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(r.id)
	s.recordings = append(s.recordings, r)
	for len(s.recordings) > maxRecordings || s.bytes() > maxShelfBytes {
		s.recordings = s.recordings[1:]
	}
}

func (s *shelf) forget(id string) {
	for i, r := range s.recordings {
		if r.id == id {
			s.recordings = append(s.recordings[:i:i], s.recordings[i+1:]...)
			return
		}
	}
}

func (s *shelf) bytes() (n int) {
	for _, r := range s.recordings {
		n += r.size
	}
	return n
}

func (s *shelf) file(id, name string) *recorded {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.recordings {
		if r.id == id {
			return r.files[name]
		}
	}
	return nil
}

// asVOD ends a media playlist, and says that it never changes (RFC 8216, 4.3.3.5).
func asVOD(playlist string) string {
	head, rest, _ := strings.Cut(playlist, "\n")
	return head + "\n#EXT-X-PLAYLIST-TYPE:VOD\n" + rest + "#EXT-X-ENDLIST\n"
}

// serveRecording answers for /recordings/{stream}/{file}: 404 until the
// broadcast has ended.
func (p *playback) serveRecording(w http.ResponseWriter, r *http.Request) {
	allowAnyOrigin(w.Header())
	p.stored.serve(w, r, func(w http.ResponseWriter) {
		file := p.shelf.file(r.PathValue("stream"), strings.TrimPrefix(r.URL.Path, "/recordings/"+r.PathValue("stream")+"/"))
		if file == nil {
			http.NotFound(w, r)
			return
		}
		file.send(w)
	})
}
