package main

import (
	"net/url"
	"slices"

	"streamcanary/prober"
)

// pullSecrets are what a playback's server is sent and may repeat: the headers, and
// of the URL password and query.
type pullSecrets []prober.Secret

// leastSigned is the length in bytes from which a value of a playlist's query may be
// a signature or token; what is shorter is a word, and stands in paths as well.
const leastSigned = 12

func newPullSecrets(how prober.Pulling, address string) pullSecrets {
	s := pullSecrets(prober.HeaderSecrets(how.Headers))
	u, err := url.Parse(address)
	if err != nil {
		return s
	}
	if password, ok := u.User.Password(); ok {
		s = append(s, prober.Secret(password))
	}
	for _, values := range u.Query() {
		for _, v := range values {
			if len(v) >= leastSigned {
				s = append(s, prober.Secret(v))
			}
		}
	}
	return s
}

func (s pullSecrets) failure(f *prober.Failure) *prober.Failure {
	if f == nil || len(s) == 0 {
		return f
	}
	told := *f
	told.Detail = prober.Hide(f.Detail, s...)
	return &told
}

func (s pullSecrets) findings(list []prober.Finding) []prober.Finding {
	if len(s) == 0 {
		return list
	}
	list = slices.Clone(list)
	for i := range list {
		list[i].Where, list[i].Detail = prober.Hide(list[i].Where, s...), prober.Hide(list[i].Detail, s...)
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
		r.Failure, r.Name, r.Announced.Codecs, r.Encryption = s.failure(r.Failure), prober.Hide(r.Name, s...), prober.Hide(r.Announced.Codecs, s...), prober.Hide(r.Encryption, s...)
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
		list[i] = prober.Hide(list[i], s...)
	}
	return list
}
