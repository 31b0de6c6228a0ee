package main

import (
	"net/url"
	"slices"
	"strings"

	"streamcanary/prober"
)

// shownIngest shows where a broadcast goes without its key.
func shownIngest(ingest string) string {
	u, err := url.Parse(ingest)
	if err != nil {
		return "rtmp://..."
	}
	app, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	key := "[key]"
	if strings.HasSuffix(u.Path, "/"+prober.StreamVariable) {
		key = prober.StreamVariable
	}
	return u.Scheme + "://" + u.Host + "/" + app + "/" + key
}

// keyOf is the key that an ingest's URL holds; "" if each run has a fresh one.
func keyOf(ingest string) string {
	u, err := url.Parse(ingest)
	if err != nil {
		return ""
	}
	key := u.Path[strings.LastIndexByte(u.Path, '/')+1:]
	if key == prober.StreamVariable {
		return ""
	}
	return key
}

// conceal takes the ingest's key out of what is told of a playback's path. It may
// be a common word: elsewhere it stays.
func (o probeOptions) conceal(detail string) string {
	if key := keyOf(o.ingest); key != "" {
		detail = strings.ReplaceAll(detail, "/"+key, "/[key]")
		detail = strings.ReplaceAll(detail, "/"+url.PathEscape(key), "/[key]")
	}
	return detail
}

// shownPlayback shows where a broadcast comes from: without user and query, which
// may hold tokens, and without the ingest's key.
func shownPlayback(playback, ingest string) string {
	u, err := url.Parse(playback)
	if err != nil {
		return "http://..."
	}
	path := u.Path
	if key := keyOf(ingest); key != "" {
		path = strings.ReplaceAll(path, key, "[key]")
	}
	return u.Scheme + "://" + u.Host + prober.Clip(path, 200)
}

// concealed is a result without the ingest's key.
func (o probeOptions) concealed(r prober.Result) prober.Result {
	if keyOf(o.ingest) == "" {
		return r
	}
	r.Detail = o.conceal(r.Detail)
	r.Findings = o.concealedFindings(r.Findings)
	r.Figures.Renditions = o.concealedRenditions(r.Figures.Renditions)
	return r
}

func (o probeOptions) concealedFindings(list []prober.Finding) []prober.Finding {
	list = slices.Clone(list)
	for i, f := range list {
		list[i].Where, list[i].Detail = o.conceal(f.Where), o.conceal(f.Detail)
	}
	return list
}

func (o probeOptions) concealedRenditions(list []prober.Rendition) []prober.Rendition {
	list = slices.Clone(list)
	for i, r := range list {
		list[i].Name, list[i].Failure = o.conceal(r.Name), o.concealedFailure(r.Failure)
	}
	return list
}

func (o probeOptions) concealedFailure(f *prober.Failure) *prober.Failure {
	if f == nil {
		return nil
	}
	told := *f
	told.Detail = o.conceal(f.Detail)
	return &told
}
