package prober

import (
	"fmt"
	"strings"
)

// StreamVariable is replaced in an ingest's and a playback's URL by the name of
// the stream (the key on the push side, the playback id on the pull side).
const StreamVariable = "{stream}"

// As the whole URL of an ingest or a playback, these stand for where the platform's
// API says that a stream is pushed to and played.
const (
	PushVariable = "{push}"
	PlayVariable = "{playback}"
)

// Target is a platform under test, as one agent sees it.
type Target struct {
	ID        string     `json:"id"`
	Platform  Platform   `json:"platform"`
	Ingests   []Ingest   `json:"ingests"`
	Playbacks []Playback `json:"playbacks"`
}

// Platform says how streams are made before they are pushed to. What a field
// means, and which are needed, is the platform type's to say: see package platform.
type Platform struct {
	Type     string        `json:"type"`                 // "livepeer", "mux", "cloudflare", "http" or "static"
	API      string        `json:"api,omitempty"`        // base URL, without a trailing slash; of static none
	Key      Secret        `json:"api_key,omitempty"`    // bearer token; of mux the access token's secret
	KeyID    string        `json:"api_key_id,omitempty"` // of mux: the access token's id
	Account  string        `json:"account,omitempty"`    // of cloudflare: the account's id
	Test     bool          `json:"test,omitempty"`       // of mux: streams that cost nothing, and end after 5 minutes
	Record   bool          `json:"record,omitempty"`     // streams are to be recorded: set by the agent for a recording probe
	Profiles []Profile     `json:"profiles,omitempty"`   // of livepeer: the renditions asked for; none is the platform's own ladder
	HTTP     *HTTPContract `json:"http,omitempty"`       // of http
}

// Profile is a rendition that a platform is asked to make.
type Profile struct {
	Name    string `json:"name"`
	Width   int    `json:"width"`
	Height  int    `json:"height"`
	Bitrate int    `json:"bitrate"` // bits per second
	FPS     int    `json:"fps"`
}

// HTTPContract is how any HTTP API makes, lists and deletes streams. In the path
// and the body of a call, {name}, {id}, {key}, {playback} and {record} (true or
// false) are replaced by what is known of the stream; in those of the list, {next}.
// Faults says what nothing is known for.
type HTTPContract struct {
	Headers   []Header  `json:"headers,omitempty"` // of every call
	Create    HTTPCall  `json:"create"`
	Resolve   *HTTPCall `json:"resolve,omitempty"`   // after create: takes what that did not give
	Delete    HTTPCall  `json:"delete"`              // 404 and 410 count as deleted
	List      *HTTPList `json:"list,omitempty"`      // nil: nothing can be swept
	Recording *HTTPCall `json:"recording,omitempty"` // takes a recording's URL; what is not there is not ready yet
}

// HTTPCall is one call of an HTTPContract.
type HTTPCall struct {
	Method string `json:"method"`
	Path   string `json:"path"` // behind the API's base
	Body   string `json:"body,omitempty"`
	Type   string `json:"type,omitempty"` // Content-Type of the body; "" is application/json
	Status []int  `json:"status"`         // of success, at least one
	Take   Take   `json:"take,omitzero"`
}

// Take says where in an answer's JSON things stand: a JSONPath each, "" for what
// is not there.
type Take struct {
	ID       string `json:"id,omitempty"`
	Key      string `json:"key,omitempty"`
	Playback string `json:"playback,omitempty"` // the playback id
	PushURL  string `json:"push_url,omitempty"` // whole, with the key
	PlayURL  string `json:"play_url,omitempty"` // of a playlist; of the call recording: the recording's
	Name     string `json:"name,omitempty"`     // of a list's item
	Created  string `json:"created,omitempty"`  // of a list's item: RFC 3339, or seconds or milliseconds since 1970
}

// HTTPList is the call that lists streams, page after page.
type HTTPList struct {
	HTTPCall        // Take is of one item
	Items    string `json:"items"`          // JSONPath of the array; "$" is the answer itself
	Next     string `json:"next,omitempty"` // JSONPath of what {next} in the path is on the next page; "" goes by the Link header (RFC 8288)
}

// Header is a field of an HTTP request.
type Header struct {
	Name  string `json:"name"`
	Value Secret `json:"value"`
}

// Ingest is an endpoint that broadcasts are pushed to.
type Ingest struct {
	ID     string `json:"id"`
	Region string `json:"region"`         // its name, for people: the broadcast shows it
	URL    string `json:"url"`            // rtmp[s]://host:port/app/{stream}, or PushVariable
	Node   string `json:"node,omitempty"` // part of the host by which one of the platform's own ingests is chosen; with PushVariable
	RTMP   RTMP   `json:"rtmp,omitzero"`
	Signal Signal `json:"signal,omitzero"` // what is broadcast to it
}

// Playback is an endpoint that broadcasts are pulled from.
type Playback struct {
	ID     string  `json:"id"`
	Region string  `json:"region"`         // its name, for people
	URL    string  `json:"url"`            // http://host:port/path/{stream}/index.m3u8, or PlayVariable
	Node   string  `json:"node,omitempty"` // as an ingest's; with PlayVariable
	Pull   Pulling `json:"pull,omitzero"`
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
