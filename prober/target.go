package prober

import (
	"fmt"
	"strings"
)

// StreamVariable is replaced in an ingest's and a playback's URL by the name of
// the stream (the key on the push side, the playback id on the pull side).
const StreamVariable = "{stream}"

// Target is a platform under test, as one agent sees it.
type Target struct {
	ID        string     `json:"id"`
	Platform  Platform   `json:"platform"`
	Ingests   []Ingest   `json:"ingests"`
	Playbacks []Playback `json:"playbacks"`
}

// Platform says how streams are made before they are pushed to. With an empty
// API there is nothing to make: a stream exists once it is pushed.
type Platform struct {
	Type string `json:"type"`              // "livepeer" or "static"
	API  string `json:"api,omitempty"`     // base URL, without a trailing slash
	Key  Secret `json:"api_key,omitempty"` // bearer token of the API
}

// Ingest is an endpoint that broadcasts are pushed to.
type Ingest struct {
	ID     string `json:"id"`
	Region string `json:"region"` // its name, for people: the broadcast shows it
	URL    string `json:"url"`    // rtmp://host:port/app/{stream}
}

// Playback is an endpoint that broadcasts are pulled from.
type Playback struct {
	ID     string `json:"id"`
	Region string `json:"region"` // its name, for people
	URL    string `json:"url"`    // http://host:port/path/{stream}/index.m3u8
}

// StreamURL puts a stream's name into an endpoint's URL.
func StreamURL(endpoint, stream string) string {
	return strings.ReplaceAll(endpoint, StreamVariable, stream)
}

// ElementType is a kind of thing that can fail and be blamed.
type ElementType string

// The element types.
const (
	ElementAPI      ElementType = "api"
	ElementIngest   ElementType = "ingest"
	ElementCore     ElementType = "core" // whatever lies between ingests and playbacks
	ElementPlayback ElementType = "playback"
)

// Element is what can fail and be blamed: a target's API, one of its ingests,
// one of its playbacks, or the core between them.
type Element struct {
	Target string      `json:"target"`
	Type   ElementType `json:"type"`
	ID     string      `json:"id,omitempty"` // of the ingest or playback
}

// String writes an element as target/type or target/type/id.
func (e Element) String() string {
	if e.ID == "" {
		return e.Target + "/" + string(e.Type)
	}
	return e.Target + "/" + string(e.Type) + "/" + e.ID
}

// ParseElement reads what String writes.
func ParseElement(s string) (Element, error) {
	p := strings.Split(s, "/")
	if len(p) < 2 || len(p) > 3 || p[0] == "" {
		return Element{}, fmt.Errorf("element %q: want target/api, target/core, target/ingest/ID or target/playback/ID", s)
	}
	e := Element{Target: p[0], Type: ElementType(p[1])}
	if len(p) == 3 {
		e.ID = p[2]
	}
	switch e.Type {
	case ElementAPI, ElementCore:
		if len(p) == 3 {
			return Element{}, fmt.Errorf("element %q: %s takes no id", s, e.Type)
		}
	case ElementIngest, ElementPlayback:
		if e.ID == "" {
			return Element{}, fmt.Errorf("element %q: %s needs an id", s, e.Type)
		}
	default:
		return Element{}, fmt.Errorf("element %q: type %q is not one of api, ingest, core, playback", s, e.Type)
	}
	return e, nil
}
