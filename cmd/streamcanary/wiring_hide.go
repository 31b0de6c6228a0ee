package main

import (
	"slices"
	"strconv"
	"strings"

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

// findings gives findings, of which those of a rendition are called as it is.
func (s pullSecrets) findings(list []prober.Finding, called map[string]string) []prober.Finding {
	if len(s) == 0 {
		return list
	}
	list = slices.Clone(list)
	for i := range list {
		list[i].Where, list[i].Detail = s.name(list[i].Where, called), s.hide(list[i].Detail, prober.MaxDetail)
	}
	return list
}

func (s pullSecrets) renditions(list []prober.Rendition, called map[string]string) []prober.Rendition {
	if len(s) == 0 {
		return list
	}
	list = slices.Clone(list)
	for i := range list {
		r := &list[i]
		r.Name, r.Failure = s.name(r.Name, called), s.failure(r.Failure)
		for _, said := range []*string{&r.Encryption, &r.Announced.Codecs, &r.Seen.Codecs} {
			*said = s.hide(*said, maxName)
		}
	}
	return list
}

// unrenewed are names of renditions, as renditions gives them.
func (s pullSecrets) unrenewed(list []string, called map[string]string) []string {
	if len(s) == 0 {
		return list
	}
	list = slices.Clone(list)
	for i := range list {
		list[i] = s.name(list[i], called)
	}
	return list
}

// name is what a rendition is called, or another name without secrets.
func (s pullSecrets) name(name string, called map[string]string) string {
	if told, known := called[name]; known {
		return told
	}
	return s.hide(name, maxName)
}

// calls is what renditions are called by their names: what a server says in one is told
// without secrets, no two are called alike, and each as it was before.
func (s pullSecrets) calls(list []prober.Rendition, before map[string]string) map[string]string {
	called, taken := map[string]string{}, map[string]bool{}
	for _, r := range list {
		if name, known := before[r.Name]; known {
			called[r.Name], taken[name] = name, true
		}
	}
	for _, r := range list {
		if _, known := called[r.Name]; known {
			continue
		}
		name := s.call(r)
		told := name
		for n := 2; taken[told]; n++ {
			told = name + " #" + strconv.Itoa(n)
		}
		called[r.Name], taken[told] = told, true
	}
	return called
}

// call is a rendition's name without secrets. A variant's is made of numbers, and
// another's begins with its type: these are none, whatever the query asks for.
func (s pullSecrets) call(r prober.Rendition) string {
	if r.Type == prober.RenditionVariant {
		return r.Name
	}
	own := string(r.Type) + " "
	if !strings.HasPrefix(r.Name, own) {
		own = ""
	}
	return own + s.hide(r.Name[len(own):], maxName)
}
