package platformtest

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"
)

// Livepeer is Livepeer Studio's API.
func Livepeer(t *testing.T) *Server {
	t.Helper()
	s := &Server{links: []Node{
		{"rtmp://fra-prod-catalyst-1.lp-playback.studio/live", "https://fra-prod-catalyst-1.lp-playback.studio/hls", "https://fra-prod-catalyst-1.lp-playback.studio"},
		{"rtmp://nyc-prod-catalyst-0.lp-playback.studio/live", "https://nyc-prod-catalyst-0.lp-playback.studio/hls", "https://nyc-prod-catalyst-0.lp-playback.studio"},
	}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/stream", s.livepeerCreate)
	mux.HandleFunc("GET /api/stream", s.livepeerList)
	mux.HandleFunc("DELETE /api/stream/{id}", func(w http.ResponseWriter, r *http.Request) {
		if !s.remove(r.PathValue("id")) {
			livepeerError(w, http.StatusNotFound, "not found")
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /api/stream/{id}/sessions", s.livepeerSessions)
	mux.HandleFunc("GET /api/ingest", func(w http.ResponseWriter, _ *http.Request) {
		var list []map[string]string
		for _, n := range s.links {
			list = append(list, map[string]string{"ingest": n.Ingest, "playback": n.Playback, "base": n.Base})
		}
		answer(w, http.StatusOK, list)
	})
	mux.HandleFunc("GET /api/playback/{id}", s.livepeerPlayback)
	return newServer(t, "/api", s, func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+Token }, livepeerError, mux)
}

// Nodes replaces what GET /ingest lists.
func (s *Server) Nodes(nodes ...Node) { s.links = nodes }

func livepeerError(w http.ResponseWriter, status int, why string) {
	answer(w, status, map[string][]string{"errors": {why}})
}

func (s *Server) livepeerCreate(w http.ResponseWriter, r *http.Request) {
	object, err := body(r, "name", "profiles", "record", "playbackPolicy", "multistream", "pull", "creatorId", "userTags", "recordingSpec")
	if err == nil {
		err = livepeerProfiles(object["profiles"])
	}
	name, _ := object["name"].(string)
	switch record, _ := object["record"].(bool); {
	case err != nil:
		livepeerError(w, http.StatusUnprocessableEntity, err.Error())
		return
	case name == "":
		livepeerError(w, http.StatusUnprocessableEntity, "must have required property 'name'")
		return
	case object["recordingSpec"] != nil && !record:
		livepeerError(w, http.StatusBadRequest, "recordingSpec is only supported with record: true")
		return
	}
	answer(w, http.StatusCreated, livepeerStream(s.add(name, time.Now(), object)))
}

func livepeerProfiles(v any) error {
	list, ok := v.([]any)
	if v != nil && !ok {
		return errors.New("profiles must be array")
	}
	for _, item := range list {
		p, ok := item.(map[string]any)
		if !ok {
			return errors.New("a profile must be object")
		}
		if err := unknownKey(p, "width", "height", "name", "bitrate", "fps", "fpsDen", "gop", "profile", "encoder", "quality"); err != nil {
			return err
		}
		for key, least := range map[string]float64{"width": 128, "height": 128, "bitrate": 400, "fps": 0} {
			if n, ok := p[key].(float64); !ok || n < least {
				return fmt.Errorf("%s must be >= %v", key, least)
			}
		}
		if name, _ := p["name"].(string); name == "" {
			return errors.New("a profile must have required property 'name'")
		}
	}
	return nil
}

func livepeerStream(s Stream) map[string]any {
	return map[string]any{"id": s.ID, "name": s.Name, "streamKey": s.Key, "playbackId": s.PlaybackID,
		"isActive": false, "lastSeen": 0, "createdAt": s.Created.UnixMilli(), "kind": "stream"}
}

func (s *Server) livepeerList(w http.ResponseWriter, r *http.Request) {
	from, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
	page, next := s.page(from)
	list := make([]map[string]any, 0, len(page))
	for _, stream := range page {
		list = append(list, livepeerStream(stream))
	}
	if next > 0 { // to another host, as behind a proxy that does not know its name
		w.Header().Set("Link", fmt.Sprintf(`<http://elsewhere.example/api/stream?cursor=%d>; rel="next"`, next))
	}
	answer(w, http.StatusOK, list)
}

func (s *Server) livepeerPlayback(w http.ResponseWriter, r *http.Request) {
	for _, stream := range s.Streams() {
		if stream.PlaybackID == r.PathValue("id") {
			answer(w, http.StatusOK, map[string]any{"type": "live", "meta": map[string]any{"live": 0, "source": []map[string]string{
				{"hrn": "WebRTC (H264)", "type": "html5/video/h264", "url": "https://livepeercdn.studio/webrtc/" + stream.PlaybackID},
				{"hrn": "HLS (TS)", "type": "html5/application/vnd.apple.mpegurl", "url": "https://livepeercdn.studio/hls/" + stream.PlaybackID + "/index.m3u8"},
			}}})
			return
		}
	}
	livepeerError(w, http.StatusNotFound, "not found")
}

func (s *Server) livepeerSessions(w http.ResponseWriter, r *http.Request) {
	stream, found := s.find(r.PathValue("id"))
	if !found {
		livepeerError(w, http.StatusNotFound, "not found")
		return
	}
	session := map[string]any{"id": "session-" + stream.ID, "parentId": stream.ID, "recordingStatus": "waiting"}
	if stream.Recording != "" {
		session["recordingStatus"], session["recordingUrl"] = "ready", stream.Recording
	}
	answer(w, http.StatusOK, []any{session})
}
