package platform

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"streamcanary/prober"
)

// livepeer drives Livepeer Studio's API: POST /stream gives 201 with id,
// streamKey and playbackId; DELETE /stream/{id} gives 204; GET /stream lists,
// with further pages behind a Link header; GET /ingest lists the nodes.
type livepeer struct {
	api      *api
	record   bool
	profiles []prober.Profile

	mu      sync.Mutex
	nodes   []livepeerNode
	nodesAt time.Time
}

type livepeerStream struct {
	ID         string        `json:"id"`
	Name       string        `json:"name"`
	Key        prober.Secret `json:"streamKey"`
	PlaybackID string        `json:"playbackId"`
	CreatedAt  int64         `json:"createdAt"` // milliseconds since 1970
}

// livepeerNode is an entry of GET /ingest.
type livepeerNode struct {
	Ingest   string `json:"ingest"`
	Playback string `json:"playback"`
}

// nodesFor is how long the list of nodes is used: every go-live asks for it.
const nodesFor = time.Minute

func newLivepeer(p prober.Platform, client *http.Client) (*livepeer, error) {
	a, err := newAPI(p, client)
	return &livepeer{api: a, record: p.Record, profiles: p.Profiles}, err
}

func (l *livepeer) Create(ctx context.Context, name string) (Stream, *prober.Failure, error) {
	if err := checkName(name); err != nil {
		return Stream{}, nil, err
	}
	body := map[string]any{"name": name} // further keys are refused, so only what is wanted
	if l.record {
		body["record"] = true
	}
	if len(l.profiles) > 0 {
		body["profiles"] = l.profiles
	}
	c := call{stage: prober.StageProvision, method: http.MethodPost, path: "/stream",
		body: asJSON(body), want: []int{http.StatusCreated}, limit: maxStream}
	answer, failure, err := l.api.do(ctx, c)
	if failure != nil || err != nil {
		return Stream{}, failure, err
	}
	var s livepeerStream
	if !answer.decodes(&s) {
		return Stream{}, c.failure(prober.ReasonAPIBadAnswer, "201, but not a stream in JSON"), nil
	}
	made := Stream{Name: name, ID: s.ID, Key: s.Key, PlaybackID: s.PlaybackID}
	if failure := c.unusable(201, field{"id", s.ID}, field{"streamKey", s.Key.Reveal()}, field{"playbackId", s.PlaybackID}); failure != nil {
		return made.leftover(), failure, nil
	}
	return made, nil, nil
}

func (l *livepeer) Delete(ctx context.Context, s Stream) (*prober.Failure, error) {
	if err := checkID(s.ID); err != nil {
		return nil, err
	}
	_, failure, err := l.api.do(ctx, call{stage: prober.StageTeardown, method: http.MethodDelete, path: "/stream/" + url.PathEscape(s.ID),
		want: []int{http.StatusNoContent, http.StatusNotFound}, limit: maxStream, secrets: s.secrets()})
	return failure, err
}

// Sweep goes through the whole list before it deletes, so that deleting does
// not shift the pages.
func (l *livepeer) Sweep(ctx context.Context, left Leftover) (int, *prober.Failure, error) {
	if err := checkName(left.Prefix); err != nil {
		return 0, nil, err
	}
	all, failure, err := l.list(ctx)
	if failure != nil || err != nil {
		return 0, failure, err
	}
	return deleteAll(ctx, left.left(all, time.Now()), l.Delete)
}

func (l *livepeer) list(ctx context.Context) ([]listed, *prober.Failure, error) {
	var all []listed
	path := "/stream"
	for range maxPages {
		c := call{stage: prober.StageTeardown, method: http.MethodGet, path: path, want: []int{http.StatusOK}, limit: maxList}
		answer, failure, err := l.api.do(ctx, c)
		if failure != nil || err != nil {
			return nil, failure, err
		}
		var page []livepeerStream
		if !answer.decodes(&page) {
			return nil, c.failure(prober.ReasonAPIBadAnswer, "200, but not a list of streams in JSON"), nil
		}
		for _, s := range page {
			all = append(all, listed{Stream{Name: s.Name, ID: s.ID, Key: s.Key, PlaybackID: s.PlaybackID}, sinceEpoch(s.CreatedAt)})
		}
		query := nextPage(answer.header)
		if query == "" {
			break
		}
		path = "/stream?" + query
	}
	return all, nil, nil
}

// nextPage is the query of the Link header's rel="next" (RFC 8288). Only the
// query is taken: the token goes to no other place than the configured one.
func nextPage(h http.Header) string {
	for _, link := range strings.Split(h.Get("Link"), ",") {
		target, params, ok := strings.Cut(strings.TrimSpace(link), ">")
		if !ok || !strings.HasPrefix(target, "<") || !strings.Contains(params, `rel="next"`) {
			continue
		}
		if u, err := url.Parse(target[1:]); err == nil {
			return u.RawQuery
		}
	}
	return ""
}

func (l *livepeer) PushURL(ctx context.Context, s Stream, node string) (prober.Secret, *prober.Failure, error) {
	if !usable(s.Key.Reveal()) {
		return "", nil, fmt.Errorf("the stream has no key that the platform gave")
	}
	n, failure, err := l.node(ctx, node)
	if failure != nil || err != nil {
		return "", failure, err
	}
	return prober.Secret(strings.TrimRight(n.Ingest, "/") + "/" + s.Key.Reveal()), nil, nil
}

func (l *livepeer) PlayURL(ctx context.Context, s Stream, node string) (string, *prober.Failure, error) {
	if err := checkID(s.PlaybackID); err != nil { // another agent may have told it
		return "", nil, err
	}
	if node == "" {
		return l.playbackInfo(ctx, s)
	}
	n, failure, err := l.node(ctx, node)
	if failure != nil || err != nil {
		return "", failure, err
	}
	return strings.TrimRight(n.Playback, "/") + "/" + s.PlaybackID + "/index.m3u8", nil, nil
}

// node picks the node whose ingest's host holds the text, of those that the API
// lists; any when it is "", since the list is shuffled to spread the load.
func (l *livepeer) node(ctx context.Context, part string) (livepeerNode, *prober.Failure, error) {
	nodes, failure, err := l.listNodes(ctx)
	if failure != nil || err != nil {
		return livepeerNode{}, failure, err
	}
	for _, n := range nodes {
		if u, err := url.Parse(n.Ingest); err == nil && strings.Contains(u.Hostname(), part) {
			return n, nil, nil
		}
	}
	return livepeerNode{}, &prober.Failure{Outcome: prober.Inconclusive, Stage: prober.StageProvision, Reason: prober.ReasonConfiguration,
		Detail: prober.Clip(fmt.Sprintf("GET /ingest: none of the %d nodes has %q in its host", len(nodes), part), prober.MaxDetail)}, nil
}

func (l *livepeer) listNodes(ctx context.Context) ([]livepeerNode, *prober.Failure, error) {
	l.mu.Lock()
	nodes, fresh := l.nodes, time.Since(l.nodesAt) < nodesFor
	l.mu.Unlock()
	if fresh && len(nodes) > 0 {
		return nodes, nil, nil
	}
	c := call{stage: prober.StageProvision, method: http.MethodGet, path: "/ingest", want: []int{http.StatusOK}, limit: maxStream}
	answer, failure, err := l.api.do(ctx, c)
	if failure != nil || err != nil {
		return nil, failure, err
	}
	var list []livepeerNode
	if !answer.decodes(&list) {
		return nil, c.failure(prober.ReasonAPIBadAnswer, "200, but not a list of ingests in JSON"), nil
	}
	for _, n := range list {
		if !usableURL(n.Ingest, "rtmp", "rtmps") || !usableURL(n.Playback, "http", "https") {
			return nil, c.failure(prober.ReasonAPIBadAnswer, "200, but an entry without a usable ingest and playback"), nil
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.nodes, l.nodesAt = list, time.Now()
	return list, nil, nil
}

// playbackInfo asks where a stream is played. What it says of being live is not
// taken: it may be two minutes old.
func (l *livepeer) playbackInfo(ctx context.Context, s Stream) (string, *prober.Failure, error) {
	c := call{stage: prober.StageProvision, method: http.MethodGet, path: "/playback/" + url.PathEscape(s.PlaybackID),
		want: []int{http.StatusOK}, limit: maxStream, secrets: s.secrets()}
	answer, failure, err := l.api.do(ctx, c)
	if failure != nil || err != nil {
		return "", failure, err
	}
	var info struct {
		Meta struct {
			Source []struct {
				Type string `json:"type"`
				URL  string `json:"url"`
			} `json:"source"`
		} `json:"meta"`
	}
	if !answer.decodes(&info) {
		return "", c.failure(prober.ReasonAPIBadAnswer, "200, but not playback information in JSON"), nil
	}
	for _, source := range info.Meta.Source {
		if source.Type == "html5/application/vnd.apple.mpegurl" && usableURL(source.URL, "http", "https") {
			return source.URL, nil, nil
		}
	}
	return "", c.failure(prober.ReasonAPIBadAnswer, "200, but without a usable HLS source"), nil
}

// Recording looks at the stream's sessions: GET /stream/{id}/sessions?record=1.
func (l *livepeer) Recording(ctx context.Context, s Stream) (string, *prober.Failure, error) {
	if err := checkID(s.ID); err != nil {
		return "", nil, err
	}
	c := call{stage: prober.StageRecording, method: http.MethodGet, path: "/stream/" + url.PathEscape(s.ID) + "/sessions?record=1",
		want: []int{http.StatusOK}, limit: maxStream, secrets: s.secrets()}
	answer, failure, err := l.api.do(ctx, c)
	if failure != nil || err != nil {
		return "", failure, err
	}
	var sessions []struct {
		Status string `json:"recordingStatus"`
		URL    string `json:"recordingUrl"`
	}
	if !answer.decodes(&sessions) {
		return "", c.failure(prober.ReasonAPIBadAnswer, "200, but not a list of sessions in JSON"), nil
	}
	for _, session := range sessions {
		switch {
		case session.Status == "failed":
			return "", c.failure(prober.ReasonRecordingMissing, "the platform says that the recording has failed"), nil
		case session.Status == "ready" && !usableURL(session.URL, "http", "https"):
			return "", c.failure(prober.ReasonAPIBadAnswer, "a recording is ready, but without a usable recordingUrl"), nil
		case session.Status == "ready":
			return session.URL, nil, nil
		}
	}
	return "", nil, nil
}

// sinceEpoch reads a time in milliseconds since 1970; the zero time is none.
func sinceEpoch(milliseconds int64) time.Time {
	if milliseconds <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(milliseconds)
}
