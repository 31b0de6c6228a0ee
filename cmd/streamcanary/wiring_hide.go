package main

import (
	"slices"

	"streamcanary/prober"
)

// pullSecrets are what a playback's server is sent and may repeat: the headers, and
// of the URL user, password and query.
type pullSecrets []prober.Secret

// maxName bounds the names that a server gives to what it has, in bytes.
const maxName = 200

func newPullSecrets(how prober.Pulling, address string) pullSecrets {
	return append(pullSecrets(prober.HeaderSecrets(how.Headers)), prober.URLSecrets(address)...)
}

// hide takes the secrets out of a text, of which it keeps at most limit bytes.
func (s pullSecrets) hide(text string, limit int) string {
	return prober.HideClip(text, limit, s...)
}

func (s pullSecrets) failure(f *prober.Failure) *prober.Failure {
	if f == nil || len(s) == 0 {
		return f
	}
	told := *f
	told.Detail = s.hide(f.Detail, prober.MaxDetail)
	return &told
}

func (s pullSecrets) findings(list []prober.Finding) []prober.Finding {
	if len(s) == 0 {
		return list
	}
	list = slices.Clone(list)
	for i := range list {
		list[i].Where, list[i].Detail = s.hide(list[i].Where, maxName), s.hide(list[i].Detail, prober.MaxDetail)
	}
	return list
}

func (s pullSecrets) renditions(list []prober.Rendition) []prober.Rendition {
	if len(s) == 0 {
		return list
	}
	list = slices.Clone(list)
	for i := range list {
		r := &list[i]
		r.Failure = s.failure(r.Failure)
		for _, said := range []*string{&r.Name, &r.Encryption, &r.Announced.Codecs, &r.Seen.Codecs} {
			*said = s.hide(*said, maxName)
		}
	}
	return list
}

// names are those of renditions, as renditions gives them.
func (s pullSecrets) names(list []string) []string {
	if len(s) == 0 {
		return list
	}
	list = slices.Clone(list)
	for i := range list {
		list[i] = s.hide(list[i], maxName)
	}
	return list
}
