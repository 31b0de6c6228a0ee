package origin

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"

	"streamcanary/prober"
)

const (
	maxRequest = 64 << 10 // bytes of an API request's body
	pageSize   = 200      // streams in one answer
)

// streamRequest is the body of POST /api/stream: the keys that Livepeer
// Studio's streams API knows. Only the name has an effect here.
type streamRequest struct {
	Name           string          `json:"name"`
	Profiles       json.RawMessage `json:"profiles,omitempty"`
	Record         bool            `json:"record"`
	PlaybackPolicy json.RawMessage `json:"playbackPolicy,omitempty"`
	Multistream    json.RawMessage `json:"multistream,omitempty"`
	Pull           json.RawMessage `json:"pull,omitempty"`
	CreatorID      json.RawMessage `json:"creatorId,omitempty"`
	UserTags       json.RawMessage `json:"userTags,omitempty"`
	RecordingSpec  json.RawMessage `json:"recordingSpec,omitempty"`
}

// streamView is a stream as the API answers it. Times are in milliseconds
// since 1970; lastSeen is 0 before the first broadcast.
type streamView struct {
	streamRequest
	ID         string `json:"id"`
	StreamKey  string `json:"streamKey"`
	PlaybackID string `json:"playbackId"`
	IsActive   bool   `json:"isActive"`
	CreatedAt  int64  `json:"createdAt"`
	LastSeen   int64  `json:"lastSeen"`
}

// api is the streams API, shaped as Livepeer Studio's.
type api struct {
	platform *platform
	auth     prober.Secret
	faults   overrides
}

func (a *api) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/stream", a.create)
	mux.HandleFunc("GET /api/stream", a.list)
	mux.HandleFunc("GET /api/stream/{id}", a.get)
	mux.HandleFunc("DELETE /api/stream/{id}", a.remove)
	mux.HandleFunc("GET /api/stream/{id}/sessions", a.sessions)
	mux.HandleFunc("GET /api/ingest", a.ingests)
	mux.HandleFunc("GET /api/playback/{id}", a.playbackInfo)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.faults.serve(w, r, func(w http.ResponseWriter) {
			if err := a.authorize(r); err != nil {
				answerError(w, http.StatusUnauthorized, err)
				return
			}
			mux.ServeHTTP(w, r)
		})
	})
}

func (a *api) authorize(r *http.Request) error {
	if a.auth == "" {
		return nil
	}
	token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found {
		return errors.New("no authorization header with a bearer token")
	}
	if subtle.ConstantTimeCompare([]byte(token), []byte(a.auth.Reveal())) != 1 {
		return errors.New("no such token")
	}
	return nil
}

func (a *api) create(w http.ResponseWriter, r *http.Request) {
	settings, status, err := readRequest(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		answerError(w, status, err)
		return
	}
	view, err := a.platform.create(settings)
	if err != nil {
		answerError(w, http.StatusTooManyRequests, err)
		return
	}
	answer(w, http.StatusCreated, view)
}

// readRequest reads the body of a create, or says with which status and why
// it is refused.
func readRequest(body io.Reader) (streamRequest, int, error) {
	var settings streamRequest
	decoder := json.NewDecoder(body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&settings); err != nil {
		return settings, requestStatus(err), fmt.Errorf("body: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return settings, http.StatusBadRequest, errors.New("body: more than one JSON value")
	}
	switch {
	case settings.Name == "":
		return settings, http.StatusUnprocessableEntity, errors.New("must have required property 'name'")
	case len(settings.RecordingSpec) > 0 && !settings.Record:
		return settings, http.StatusBadRequest, errors.New("recordingSpec is only supported with record: true")
	}
	return settings, 0, nil
}

func requestStatus(err error) int {
	var tooLarge *http.MaxBytesError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.As(err, &syntax), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return http.StatusBadRequest
	}
	return http.StatusUnprocessableEntity // JSON, but not of the shape: an unknown key, a wrong type
}

// list answers a page of the streams, newest first. The Link header names the
// next one, and the cursor in it is the order of the last stream of this one.
func (a *api) list(w http.ResponseWriter, r *http.Request) {
	before, err := cursor(r.FormValue("cursor"))
	if err != nil {
		answerError(w, http.StatusBadRequest, err)
		return
	}
	page, next := a.platform.list(before, pageSize)
	if next > 0 {
		w.Header().Set("Link", fmt.Sprintf(`<%s?cursor=%d>; rel="next"`, r.URL.Path, next))
	}
	answer(w, http.StatusOK, page)
}

func cursor(s string) (before uint64, err error) {
	if s == "" {
		return math.MaxUint64, nil
	}
	if before, err = strconv.ParseUint(s, 10, 64); err != nil {
		return 0, fmt.Errorf("cursor %.40q is not one of ours", s)
	}
	return before, nil
}

func (a *api) get(w http.ResponseWriter, r *http.Request) {
	view, err := a.platform.get(r.PathValue("id"))
	if err != nil {
		answerError(w, http.StatusNotFound, err)
		return
	}
	answer(w, http.StatusOK, view)
}

func (a *api) remove(w http.ResponseWriter, r *http.Request) {
	if err := a.platform.remove(r.PathValue("id")); err != nil {
		answerError(w, http.StatusNotFound, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// answerError answers as Livepeer Studio does: a list of messages.
func answerError(w http.ResponseWriter, status int, err error) {
	answer(w, status, map[string][]string{"errors": {err.Error()}})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone: nothing to tell it
}
