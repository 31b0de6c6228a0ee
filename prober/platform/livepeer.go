package platform

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"streamcanary/prober"
)

const (
	maxStream = 64 << 10 // bytes of one stream's description
	maxList   = 8 << 20  // bytes of one page of the list of streams
	maxPages  = 50       // pages of that list
	maxField  = 256      // bytes of an id or key
)

// livepeer drives Livepeer Studio's API: POST /stream gives 201 with id,
// streamKey and playbackId; DELETE /stream/{id} gives 204; GET /stream lists,
// with further pages behind a Link header.
type livepeer struct {
	api *api
}

type livepeerStream struct {
	ID         string        `json:"id"`
	Name       string        `json:"name"`
	Key        prober.Secret `json:"streamKey"`
	PlaybackID string        `json:"playbackId"`
}

func (l *livepeer) Create(ctx context.Context, name string) (Stream, *prober.Failure, error) {
	if err := checkName(name); err != nil {
		return Stream{}, nil, err
	}
	c := call{stage: prober.StageProvision, method: http.MethodPost, path: "/stream",
		body: map[string]string{"name": name}, want: http.StatusCreated, limit: maxStream}
	answer, failure, err := l.api.do(ctx, c)
	if failure != nil || err != nil {
		return Stream{}, failure, err
	}
	var s livepeerStream
	if !answer.decodes(&s) {
		return Stream{}, c.failure(prober.ReasonAPIBadAnswer, "201, but not a stream in JSON"), nil
	}
	for _, f := range []struct{ name, value string }{
		{"id", s.ID}, {"streamKey", s.Key.Reveal()}, {"playbackId", s.PlaybackID},
	} {
		if !usable(f.value) {
			return Stream{}, c.failure(prober.ReasonAPIBadAnswer, "201, but without a usable "+f.name), nil
		}
	}
	return Stream{ID: s.ID, Key: s.Key, PlaybackID: s.PlaybackID}, nil, nil
}

// usable says whether a value from the API can stand in a URL's path without
// changing what the URL means.
func usable(s string) bool {
	if s == "" || len(s) > maxField || strings.Trim(s, ".") == "" {
		return false
	}
	return url.PathEscape(s) == s
}

func (l *livepeer) Delete(ctx context.Context, s Stream) (*prober.Failure, error) {
	_, failure, err := l.api.do(ctx, call{stage: prober.StageTeardown, method: http.MethodDelete,
		path: "/stream/" + url.PathEscape(s.ID), want: http.StatusNoContent, orElse: http.StatusNotFound, limit: maxStream})
	return failure, err
}

// Sweep goes through the whole list before it deletes, so that deleting does
// not shift the pages.
func (l *livepeer) Sweep(ctx context.Context, prefix string) (int, *prober.Failure, error) {
	if err := checkName(prefix); err != nil {
		return 0, nil, err
	}
	ours, failure, err := l.list(ctx, prefix)
	if failure != nil || err != nil {
		return 0, failure, err
	}
	for deleted, id := range ours {
		if failure, err := l.Delete(ctx, Stream{ID: id}); failure != nil || err != nil {
			return deleted, failure, err
		}
	}
	return len(ours), nil, nil
}

// list gives the ids of the streams whose name begins with prefix.
func (l *livepeer) list(ctx context.Context, prefix string) ([]string, *prober.Failure, error) {
	var ours []string
	path := "/stream"
	for range maxPages {
		c := call{stage: prober.StageTeardown, method: http.MethodGet, path: path, want: http.StatusOK, limit: maxList}
		answer, failure, err := l.api.do(ctx, c)
		if failure != nil || err != nil {
			return nil, failure, err
		}
		var page []livepeerStream
		if !answer.decodes(&page) {
			return nil, c.failure(prober.ReasonAPIBadAnswer, "200, but not a list of streams in JSON"), nil
		}
		for _, s := range page {
			if strings.HasPrefix(s.Name, prefix) && usable(s.ID) {
				ours = append(ours, s.ID)
			}
		}
		query := nextPage(answer.header)
		if query == "" {
			break
		}
		path = "/stream?" + query
	}
	return ours, nil, nil
}

// nextPage is the query of the Link header's rel="next". Only the query is
// taken: the token goes to no other place than the configured one.
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
