package platformtest

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// Account is the account of the fake Cloudflare.
const Account = "023e105f4ecef8ad9ca31a8372d0c353"

// Cloudflare is Cloudflare Stream's API.
func Cloudflare(t *testing.T) *Server {
	t.Helper()
	s := &Server{}
	root := "/client/v4/accounts/" + Account + "/stream"
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+root+"/live_inputs", s.cloudflareCreate)
	mux.HandleFunc("GET "+root+"/live_inputs", func(w http.ResponseWriter, _ *http.Request) {
		page, _ := s.page(0) // cut off at a length, without pages
		list := make([]any, 0, len(page))
		for _, stream := range page {
			list = append(list, cloudflareInput(stream, false))
		}
		cloudflareResult(w, map[string]any{"liveInputs": list, "range": len(page), "total": len(s.Streams())})
	})
	mux.HandleFunc("GET "+root+"/live_inputs/{id}/videos", s.cloudflareVideos)
	mux.HandleFunc("DELETE "+root+"/live_inputs/{id}", func(w http.ResponseWriter, r *http.Request) {
		if !s.remove(r.PathValue("id")) {
			cloudflareError(w, http.StatusNotFound, "Not found")
			return
		}
		cloudflareResult(w, nil)
	})
	mux.HandleFunc("DELETE "+root+"/{video}", func(w http.ResponseWriter, r *http.Request) {
		if !s.remove(r.PathValue("video")) {
			cloudflareError(w, http.StatusNotFound, "Not found")
			return
		}
		cloudflareResult(w, nil)
	})
	return newServer(t, "/client/v4", s, func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+Token }, cloudflareError, mux)
}

func cloudflareResult(w http.ResponseWriter, result any) {
	answer(w, http.StatusOK, map[string]any{"success": true, "errors": []any{}, "messages": []any{}, "result": result})
}

func cloudflareError(w http.ResponseWriter, status int, why string) {
	answer(w, status, map[string]any{"success": false, "errors": []any{map[string]any{"code": 10000 + status, "message": why}}, "messages": []any{}, "result": nil})
}

func (s *Server) cloudflareCreate(w http.ResponseWriter, r *http.Request) {
	object, err := body(r, "meta", "recording", "defaultCreator", "deleteRecordingAfterDays", "enabled")
	if err == nil {
		recording, _ := object["recording"].(map[string]any)
		err = unknownKey(recording, "mode", "timeoutSeconds", "requireSignedURLs", "allowedOrigins", "hideLiveViewerCount")
		if mode := recording["mode"]; err == nil && mode != nil && mode != "off" && mode != "automatic" {
			cloudflareError(w, http.StatusBadRequest, "invalid recording mode")
			return
		}
	}
	if err != nil {
		cloudflareError(w, http.StatusBadRequest, err.Error())
		return
	}
	meta, _ := object["meta"].(map[string]any)
	name, _ := meta["name"].(string)
	cloudflareResult(w, cloudflareInput(s.add(name, time.Now(), object), true))
}

// cloudflareInput is an input; only that which was just made shows its key.
func cloudflareInput(s Stream, whole bool) map[string]any {
	v := map[string]any{"uid": s.ID, "created": s.Created.UTC().Format(time.RFC3339Nano), "modified": s.Created.UTC().Format(time.RFC3339Nano),
		"meta": map[string]any{"name": s.Name}, "enabled": true}
	if whole {
		v["rtmps"] = map[string]string{"url": "rtmps://live.cloudflare.com:443/live/", "streamKey": s.Key}
		v["status"] = nil
	}
	return v
}

func (s *Server) cloudflareVideos(w http.ResponseWriter, r *http.Request) {
	stream, found := s.find(r.PathValue("id"))
	if !found {
		cloudflareError(w, http.StatusNotFound, "Not found")
		return
	}
	videos := []any{}
	for _, uid := range strings.Fields(stream.Recording) {
		if _, found := s.find(uid); !found {
			continue // deleted
		}
		videos = append(videos, map[string]any{"uid": uid, "readyToStream": true, "status": map[string]string{"state": "ready"},
			"playback": map[string]string{"hls": "https://customer-x.cloudflarestream.com/" + uid + "/manifest/video.m3u8"}})
	}
	cloudflareResult(w, videos)
}
