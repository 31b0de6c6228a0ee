// Package platformtest has fakes of the platforms' APIs, built from their
// documented contracts and strict about what is sent. It is for tests alone.
package platformtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Token opens every fake; TokenID goes with it where there are two parts.
const (
	Token   = "tok-very-secret"
	TokenID = "tok-id"
)

// Stream is a stream that a fake holds.
type Stream struct {
	ID, Name, Key, PlaybackID string
	Created                   time.Time
	Body                      map[string]any // of the request that made it
	Recording                 string         // URL of what was recorded, of Cloudflare the ids; "" is nothing yet
}

// Server is a fake API. Its methods are safe while it serves.
type Server struct {
	URL string // the API's base

	mu       sync.Mutex
	streams  []Stream
	calls    []string
	made     int
	status   int // answered to everything, when not 0
	header   http.Header
	pageSize int
	links    []Node
}

// Node is a place that streams are pushed to and played from.
type Node struct{ Ingest, Playback, Base string }

// newServer serves routes below base, after the strict checks that all APIs share.
func newServer(t *testing.T, base string, s *Server, authorized func(*http.Request) bool, refusal func(w http.ResponseWriter, status int, why string), mux *http.ServeMux) *Server {
	t.Helper()
	s.pageSize = 3 // so that every test meets a second page
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.calls = append(s.calls, r.Method+" "+strings.TrimPrefix(r.URL.RequestURI(), base))
		status, header := s.status, s.header.Clone()
		s.mu.Unlock()
		switch {
		case status != 0:
			for k, v := range header {
				w.Header()[k] = v
			}
			refusal(w, status, "as the test wishes")
		case !authorized(r):
			refusal(w, http.StatusUnauthorized, "no such token")
		default:
			if _, pattern := mux.Handler(r); pattern == "" {
				refusal(w, http.StatusNotFound, "no such endpoint: "+r.Method+" "+r.URL.Path)
				return
			}
			mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	s.URL = srv.URL + base
	return s
}

// Answer makes everything answer a status, with a header; 0 ends that.
func (s *Server) Answer(status int, header http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.header = status, header
}

// Calls lists what was asked, "METHOD /path?query", since the last time.
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

// Streams lists what exists, oldest first.
func (s *Server) Streams() []Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.streams)
}

// Names lists the names of what exists, sorted.
func (s *Server) Names() []string {
	var names []string
	for _, stream := range s.Streams() {
		names = append(names, stream.Name)
	}
	slices.Sort(names)
	return names
}

// Add puts a stream there, as somebody else would, and gives its id.
func (s *Server) Add(name string, created time.Time) string {
	return s.add(name, created, nil).ID
}

// Recorded says where a stream's recording is.
func (s *Server) Recorded(id, url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.streams {
		if s.streams[i].ID == id {
			s.streams[i].Recording = url
		}
	}
}

func (s *Server) add(name string, created time.Time, body map[string]any) Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	stream := Stream{ID: fmt.Sprintf("id%d", s.made), Name: name, Key: fmt.Sprintf("key0-aaaa-bbbb-%04d", s.made),
		PlaybackID: fmt.Sprintf("play%d", s.made), Created: created, Body: body}
	s.streams = append(s.streams, stream)
	return stream
}

func (s *Server) find(id string) (Stream, bool) {
	for _, stream := range s.Streams() {
		if stream.ID == id {
			return stream, true
		}
	}
	return Stream{}, false
}

func (s *Server) remove(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.streams)
	s.streams = slices.DeleteFunc(s.streams, func(stream Stream) bool { return stream.ID == id })
	return len(s.streams) < before
}

// page cuts a list.
func (s *Server) page(from int) (page []Stream, next int) {
	all := s.Streams()
	from = min(max(from, 0), len(all))
	end := min(from+s.pageSize, len(all))
	if end < len(all) {
		next = end
	}
	return all[from:end], next
}

// body reads a request's JSON object and says what is wrong with it: another
// content type, no object, a key that is not known.
func body(r *http.Request, known ...string) (map[string]any, error) {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "application/json" {
		return nil, fmt.Errorf("content type %q, want application/json", kind)
	}
	b, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil {
		return nil, err
	}
	var object map[string]any
	if err := json.Unmarshal(b, &object); err != nil {
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	return object, unknownKey(object, known...)
}

func unknownKey(object map[string]any, known ...string) error {
	for key := range object {
		if !slices.Contains(known, key) {
			return fmt.Errorf("must NOT have additional property %q", key)
		}
	}
	return nil
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone: nothing to tell it
}
