package platform

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"streamcanary/prober"
)

// contract drives any HTTP API that prober.HTTPContract can describe.
type contract struct {
	api      *api
	contract prober.HTTPContract
	record   bool
}

// maxItems bounds the streams of one list.
const maxItems = 10_000

func newContract(p prober.Platform, client *http.Client) (*contract, error) {
	if p.HTTP == nil {
		return nil, fmt.Errorf("platform http: its contract is missing")
	}
	if err := checkContract(*p.HTTP); err != nil {
		return nil, fmt.Errorf("platform http: %w", err)
	}
	a, err := newAPI(p, client)
	if err != nil {
		return nil, err
	}
	bearer := a.authorize
	a.authorize = func(r *http.Request) {
		bearer(r)
		for _, h := range p.HTTP.Headers {
			r.Header.Set(h.Name, h.Value.Reveal())
		}
	}
	a.secrets = append(a.secrets, prober.HeaderSecrets(p.HTTP.Headers)...)
	return &contract{api: a, contract: *p.HTTP, record: p.Record}, nil
}

// checkContract wants statuses and paths that can be read.
func checkContract(h prober.HTTPContract) error {
	calls := []*prober.HTTPCall{&h.Create, h.Resolve, &h.Delete, h.Recording}
	if h.List != nil {
		calls = append(calls, &h.List.HTTPCall)
		for _, path := range []string{h.List.Items, orRoot(h.List.Next)} {
			if _, err := prober.ParseJSONPath(path); err != nil {
				return fmt.Errorf("path %q %w", path, err)
			}
		}
	}
	for _, c := range calls {
		if c == nil {
			continue
		}
		if len(c.Status) == 0 || c.Method == "" || !strings.HasPrefix(c.Path, "/") {
			return fmt.Errorf("a call without method or status, or whose path does not begin with a slash")
		}
		for _, path := range []string{c.Take.ID, c.Take.Key, c.Take.Playback, c.Take.PushURL, c.Take.PlayURL, c.Take.Name, c.Take.Created} {
			if _, err := prober.ParseJSONPath(orRoot(path)); err != nil {
				return fmt.Errorf("path %q %w", path, err)
			}
		}
	}
	if faults := h.Faults(); len(faults) > 0 {
		return fmt.Errorf("%s %s", faults[0].At, faults[0].Text)
	}
	return nil
}

func orRoot(path string) string {
	if path == "" {
		return "$"
	}
	return path
}

func (g *contract) Create(ctx context.Context, name string) (Stream, *prober.Failure, error) {
	if err := checkName(name); err != nil {
		return Stream{}, nil, err
	}
	// What the API does not give is the name, as on a server that makes nothing.
	s := Stream{Name: name, ID: name, Key: prober.Secret(name), PlaybackID: name}
	c, err := g.call(prober.StageProvision, g.contract.Create, s)
	if err != nil {
		return Stream{}, nil, err
	}
	answer, refused, err := g.api.do(ctx, c)
	if refused != nil && answer.status == 0 || err != nil {
		return Stream{}, refused, err
	}
	take := g.contract.Create.Take
	for _, f := range []struct {
		path string
		into *string
	}{{take.ID, &s.ID}, {take.Key, (*string)(&s.Key)}, {take.Playback, &s.PlaybackID}} {
		if f.path != "" {
			*f.into = "" // until it is known: a delete must not go by the name for it
		}
	}
	failure := c.take(answer, take, &s)
	if refused != nil {
		failure = refused
	}
	if failure != nil {
		return g.leftover(s, false), failure, nil
	}
	if g.contract.Resolve == nil {
		return s, nil, nil
	}
	created, fresh := s.ID, s
	for _, f := range []struct { // until they are known: a delete must not go by the name for them
		path, created string
		into          *string
	}{{g.contract.Resolve.Take.ID, "", &fresh.ID}, {g.contract.Resolve.Take.Key, take.Key, (*string)(&fresh.Key)}, {g.contract.Resolve.Take.Playback, take.Playback, &fresh.PlaybackID}} {
		if f.path != "" && f.created == "" {
			*f.into = ""
		}
	}
	failure, err = g.resolve(ctx, s, &fresh)
	resolved := fresh.ID != ""
	if s = fresh; !resolved {
		s.ID = created
	}
	if failure != nil || err != nil {
		return g.leftover(s, resolved), failure, err
	}
	return s, nil, nil
}

// resolve asks, with what is known of a stream, for what create does not give.
func (g *contract) resolve(ctx context.Context, known Stream, s *Stream) (*prober.Failure, error) {
	c, err := g.call(prober.StageProvision, *g.contract.Resolve, known)
	if err != nil {
		return nil, err
	}
	answer, failure, err := g.api.do(ctx, c)
	if failure != nil || err != nil {
		return failure, err
	}
	return c.take(answer, g.contract.Resolve.Take, s), nil
}

// leftover is a stream that was made, and cannot be used; its name alone, where not
// enough else is known of it to delete it. What create has given as an id may be that
// of something else, where resolve gives one.
func (g *contract) leftover(s Stream, resolved bool) Stream {
	call := g.contract.Delete
	if r := g.contract.Resolve; r != nil && r.Take.ID != "" && !resolved && slices.Contains(prober.Variables(call.Path+call.Body), prober.VariableID) {
		return Stream{Name: s.Name}
	}
	if _, err := g.call(prober.StageTeardown, g.contract.Delete, s); err != nil || !usable(s.ID) {
		return Stream{Name: s.Name}
	}
	return s
}

// take puts what an answer gives into a stream.
func (c call) take(answer answer, t prober.Take, s *Stream) *prober.Failure {
	if t == (prober.Take{}) {
		return nil
	}
	document, ok := readJSON(answer.body)
	if !ok {
		return c.failure(prober.ReasonAPIBadAnswer, fmt.Sprintf("%d, but not JSON", answer.status))
	}
	for _, f := range []struct {
		what, path string
		into       *string
		schemes    []string
	}{
		{"id", t.ID, &s.ID, nil}, {"key", t.Key, (*string)(&s.Key), nil}, {"playback", t.Playback, &s.PlaybackID, nil},
		{"push_url", t.PushURL, (*string)(&s.Push), []string{"rtmp", "rtmps"}}, {"play_url", t.PlayURL, &s.Play, []string{"http", "https"}},
	} {
		if f.path == "" {
			continue
		}
		text := textAt(document, f.path)
		if f.schemes == nil && !usable(text) || f.schemes != nil && !usableURL(text, f.schemes...) {
			return c.failure(prober.ReasonAPIBadAnswer, fmt.Sprintf("%d, but without a usable %s at %s", answer.status, f.what, f.path))
		}
		*f.into = text
	}
	return nil
}

func (g *contract) Delete(ctx context.Context, s Stream) (*prober.Failure, error) {
	if err := checkID(s.ID); err != nil {
		return nil, err
	}
	c, err := g.call(prober.StageTeardown, g.contract.Delete, s)
	if err != nil {
		return nil, err
	}
	c.want = append(slices.Clone(c.want), http.StatusNotFound, http.StatusGone)
	_, failure, err := g.api.do(ctx, c)
	return failure, err
}

// Sweep goes through the whole list before it deletes, so that deleting does
// not shift the pages.
func (g *contract) Sweep(ctx context.Context, left Leftover) (int, *prober.Failure, error) {
	if err := checkName(left.Prefix); err != nil {
		return 0, nil, err
	}
	if g.contract.List == nil {
		return 0, nil, nil
	}
	all, failure, err := g.list(ctx, *g.contract.List)
	if failure != nil || err != nil {
		return 0, failure, err
	}
	return deleteAll(ctx, left.left(all, time.Now()), g.deleteListed)
}

// deleteListed tells of a stream that its list says too little of to delete it.
func (g *contract) deleteListed(ctx context.Context, s Stream) (*prober.Failure, error) {
	known := g.variables(s)
	for _, name := range prober.Variables(g.contract.Delete.Path + g.contract.Delete.Body) {
		if !usable(known[name]) {
			c := call{stage: prober.StageTeardown, method: g.contract.List.Method, path: g.contract.List.Path}
			return c.failure(prober.ReasonAPIBadAnswer, "a stream of ours is listed without a usable "+name+", and cannot be deleted"), nil
		}
	}
	return g.Delete(ctx, s)
}

func (g *contract) list(ctx context.Context, l prober.HTTPList) ([]listed, *prober.Failure, error) {
	var all []listed
	next := ""
	for range maxPages {
		c, err := filled(prober.StageTeardown, l.HTTPCall, map[string]string{prober.VariableNext: next})
		if err != nil {
			return nil, nil, err
		}
		c.limit = maxList
		if l.Next == "" && next != "" {
			c.path, _, _ = strings.Cut(c.path, "?")
			c.path += "?" + next
		}
		answer, failure, err := g.api.do(ctx, c)
		if failure != nil || err != nil {
			return nil, failure, err
		}
		document, ok := readJSON(answer.body)
		items, isList := valueAt(document, l.Items).([]any)
		if !ok || !isList {
			return nil, c.failure(prober.ReasonAPIBadAnswer, fmt.Sprintf("%d, but without a list at %s", answer.status, l.Items)), nil
		}
		for _, item := range items {
			all = append(all, listed{g.listedStream(item, l.Take), anyTime(textAt(item, l.Take.Created))})
		}
		if l.Next == "" {
			next = nextPage(answer.header)
		} else {
			next = textAt(document, l.Next)
		}
		if next == "" || len(all) > maxItems {
			break
		}
	}
	return all, nil, nil
}

// listedStream is a list's item. What the API does not give of any stream is the
// name, as when it was made.
func (g *contract) listedStream(item any, t prober.Take) Stream {
	s := Stream{Name: textAt(item, t.Name), ID: textAt(item, t.ID), Key: prober.Secret(textAt(item, t.Key)), PlaybackID: textAt(item, t.Playback)}
	if t.Key == "" && !g.contract.TakesKey() {
		s.Key = prober.Secret(s.Name)
	}
	if t.Playback == "" && !g.contract.TakesPlayback() {
		s.PlaybackID = s.Name
	}
	return s
}

func (g *contract) PushURL(ctx context.Context, s Stream, node string) (prober.Secret, *prober.Failure, error) {
	return given{"http"}.PushURL(ctx, s, node)
}

func (g *contract) PlayURL(ctx context.Context, s Stream, node string) (string, *prober.Failure, error) {
	return given{"http"}.PlayURL(ctx, s, node)
}

// Recording takes the recording's URL. A 404, or an answer without it, is "not yet".
func (g *contract) Recording(ctx context.Context, s Stream) (string, *prober.Failure, error) {
	h := g.contract.Recording
	if h == nil {
		return given{"http"}.Recording(ctx, s)
	}
	c, err := g.call(prober.StageRecording, *h, s)
	if err != nil {
		return "", nil, err
	}
	c.want = append(slices.Clone(c.want), http.StatusNotFound)
	answer, failure, err := g.api.do(ctx, c)
	if failure != nil || err != nil || answer.status == http.StatusNotFound && !slices.Contains(h.Status, http.StatusNotFound) {
		return "", failure, err
	}
	document, ok := readJSON(answer.body)
	if !ok {
		return "", c.failure(prober.ReasonAPIBadAnswer, fmt.Sprintf("%d, but not JSON", answer.status)), nil
	}
	switch address := textAt(document, h.Take.PlayURL); {
	case address == "" || address == "null":
		return "", nil, nil
	case !usableURL(address, "http", "https"):
		return "", c.failure(prober.ReasonAPIBadAnswer, fmt.Sprintf("%d, but no usable address at %s", answer.status, h.Take.PlayURL)), nil
	default:
		return address, nil, nil
	}
}

// call is one about a stream.
func (g *contract) call(stage prober.Stage, h prober.HTTPCall, s Stream) (call, error) {
	c, err := filled(stage, h, g.variables(s))
	c.secrets = s.secrets()
	return c, err
}

// filled fills a call's templates. It refuses a path whose variable has no value that
// can stand there: what is left would be the path of another thing.
func filled(stage prober.Stage, h prober.HTTPCall, known map[string]string) (call, error) {
	for _, name := range prober.Variables(h.Path + h.Body) {
		value, ok := known[name]
		if !ok || name != prober.VariableNext && !usable(value) {
			return call{}, fmt.Errorf("%s %s: nothing can be put in for {%s}", h.Method, h.Path, name)
		}
	}
	c := call{stage: stage, method: h.Method, want: h.Status, limit: maxStream, kind: h.Type, shown: h.Path,
		path: fill(h.Path, known, url.QueryEscape)}
	c.shown, _, _ = strings.Cut(c.shown, "?")
	if h.Body != "" {
		escape := func(s string) string { return s }
		if h.Type == "" || strings.Contains(h.Type, "json") {
			escape = func(s string) string { b := asJSON(s); return string(b[1 : len(b)-1]) }
		} else if strings.Contains(h.Type, "form-urlencoded") {
			escape = url.QueryEscape
		}
		c.body = []byte(fill(h.Body, known, escape))
	}
	return c, nil
}

func (g *contract) variables(s Stream) map[string]string {
	return map[string]string{prober.VariableName: s.Name, prober.VariableID: s.ID, prober.VariableKey: s.Key.Reveal(),
		prober.VariablePlayback: s.PlaybackID, prober.VariableRecord: strconv.FormatBool(g.record)}
}

// fill replaces {variables} that are known; other braces stay, as JSON has them.
func fill(template string, known map[string]string, escape func(string) string) string {
	pairs := make([]string, 0, 2*len(known))
	for name, value := range known {
		pairs = append(pairs, "{"+name+"}", escape(value))
	}
	return strings.NewReplacer(pairs...).Replace(template)
}

// readJSON keeps numbers as they are written: an id of 19 digits is no float.
func readJSON(body []byte) (document any, ok bool) {
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	return document, d.Decode(&document) == nil && !d.More()
}

func valueAt(document any, path string) any {
	p, err := prober.ParseJSONPath(path)
	if err != nil {
		return nil
	}
	value, _ := p.In(document)
	return value
}

// textAt is the text or number at a path, "" when there is none.
func textAt(document any, path string) string {
	if path == "" {
		return ""
	}
	switch v := valueAt(document, path).(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// anyTime reads RFC 3339, or seconds or milliseconds since 1970; the zero time is
// none of them.
func anyTime(text string) time.Time {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at
	}
	n, err := strconv.ParseInt(text, 10, 64)
	const milliseconds = 100_000_000_000 // as seconds, that were the year 5138
	switch {
	case err != nil || n <= 0:
		return time.Time{}
	case n < milliseconds:
		return time.Unix(n, 0)
	}
	return time.UnixMilli(n)
}
