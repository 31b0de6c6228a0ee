package platformtest

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Mux is Mux Video's API.
func Mux(t *testing.T) *Server {
	t.Helper()
	s := &Server{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /video/v1/live-streams", s.muxCreate)
	mux.HandleFunc("GET /video/v1/live-streams", func(w http.ResponseWriter, r *http.Request) { s.muxList(w, r, "stream:", muxStream) })
	mux.HandleFunc("GET /video/v1/live-streams/{id}", func(w http.ResponseWriter, r *http.Request) { s.muxGet(w, r, muxStream) })
	mux.HandleFunc("DELETE /video/v1/live-streams/{id}", s.muxDelete)
	mux.HandleFunc("GET /video/v1/assets", func(w http.ResponseWriter, r *http.Request) { s.muxList(w, r, "asset:", muxAsset) })
	mux.HandleFunc("GET /video/v1/assets/{id}", func(w http.ResponseWriter, r *http.Request) { s.muxGet(w, r, muxAsset) })
	mux.HandleFunc("DELETE /video/v1/assets/{id}", s.muxDelete)
	return newServer(t, "", s, func(r *http.Request) bool {
		id, secret, ok := r.BasicAuth()
		return ok && id == TokenID && secret == Token
	}, muxError, mux)
}

// AddAsset puts what was recorded of a stream of that name there.
func (s *Server) AddAsset(name string, created time.Time) string {
	return s.add("asset:"+name, created, nil).ID
}

func muxError(w http.ResponseWriter, status int, why string) {
	answer(w, status, map[string]any{"error": map[string]any{"type": strings.ToLower(http.StatusText(status)), "messages": []string{why}}})
}

func (s *Server) muxCreate(w http.ResponseWriter, r *http.Request) {
	object, err := body(r, "playback_policy", "advanced_playback_policies", "new_asset_settings", "reconnect_window", "passthrough",
		"audio_only", "latency_mode", "test", "max_continuous_duration", "simulcast_targets", "meta", "use_slate_for_standard_latency",
		"embedded_subtitles", "generated_subtitles", "reduced_latency", "low_latency")
	if err == nil {
		if settings, ok := object["new_asset_settings"].(map[string]any); ok {
			err = unknownKey(settings, "playback_policy", "passthrough", "mp4_support", "max_resolution_tier", "normalize_audio", "test", "meta", "video_quality")
		}
	}
	name, _ := object["passthrough"].(string)
	if err != nil || len(name) > 255 {
		muxError(w, http.StatusBadRequest, "Invalid parameters")
		return
	}
	answer(w, http.StatusCreated, map[string]any{"data": muxStream(s.add(name, time.Now(), object))})
}

func muxStream(s Stream) map[string]any {
	policy := "public"
	v := map[string]any{"id": s.ID, "stream_key": s.Key, "status": "idle", "reconnect_window": 60, "passthrough": s.Name,
		"created_at": strconv.FormatInt(s.Created.Unix(), 10), "latency_mode": "standard",
		"playback_ids": []map[string]string{{"policy": "signed", "id": "signed" + s.ID}, {"policy": policy, "id": s.PlaybackID}}}
	if s.Recording != "" {
		v["recent_asset_ids"] = []string{s.Recording}
	}
	return v
}

func muxAsset(s Stream) map[string]any {
	return map[string]any{"id": s.ID, "status": "ready", "passthrough": strings.TrimPrefix(s.Name, "asset:"),
		"created_at": strconv.FormatInt(s.Created.Unix(), 10), "playback_ids": []map[string]string{{"policy": "public", "id": s.PlaybackID}}}
}

// muxList has the page numbers of Mux: from 1, of limit items.
func (s *Server) muxList(w http.ResponseWriter, r *http.Request, kind string, view func(Stream) map[string]any) {
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	page, pageErr := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil || pageErr != nil || limit < 1 || limit > 100 || page < 1 {
		muxError(w, http.StatusBadRequest, "Invalid parameters")
		return
	}
	var all []map[string]any
	for _, stream := range s.Streams() {
		if isAsset := strings.HasPrefix(stream.Name, "asset:"); isAsset == (kind == "asset:") {
			all = append(all, view(stream))
		}
	}
	from := min((page-1)*limit, len(all))
	answer(w, http.StatusOK, map[string]any{"data": append([]map[string]any{}, all[from:min(from+limit, len(all))]...)})
}

func (s *Server) muxGet(w http.ResponseWriter, r *http.Request, view func(Stream) map[string]any) {
	stream, found := s.find(r.PathValue("id"))
	if !found {
		muxError(w, http.StatusNotFound, "The requested resource either doesn't exist or you don't have access to it.")
		return
	}
	answer(w, http.StatusOK, map[string]any{"data": view(stream)})
}

func (s *Server) muxDelete(w http.ResponseWriter, r *http.Request) {
	if !s.remove(r.PathValue("id")) {
		muxError(w, http.StatusNotFound, "The requested resource either doesn't exist or you don't have access to it.")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
