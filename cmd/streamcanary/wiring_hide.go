package main

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"streamcanary/prober"
)

// pullSecrets are what a playback's server is sent and may repeat: the headers, and
// of the URL user, password and query.
type pullSecrets struct {
	sent  []prober.Secret
	rungs []string // renditions that the configuration names: these names are none
}

const (
	// maxName bounds the names that a server gives to what it has, in bytes.
	maxName = 200
	// maxCalled bounds the names that are remembered of what is listed no more.
	maxCalled = 64
)

// madeName is the shape of the names that are made of numbers: a variant's.
var madeName = regexp.MustCompile(`^(\d+p( \d+k)?|(audio )?\d+k|audio)( #\d+)?$`)

func newPullSecrets(how prober.Pulling, address string) pullSecrets {
	s := pullSecrets{sent: append(prober.HeaderSecrets(how.Headers), prober.URLSecrets(address)...)}
	for _, r := range how.Ladder {
		if r.Rendition != "" {
			s.rungs = append(s.rungs, r.Rendition)
		}
	}
	return s
}

// none reports whether there is nothing to hide.
func (s pullSecrets) none() bool { return len(s.sent) == 0 }

// hide takes the secrets out of a text, of which it keeps at most limit bytes.
func (s pullSecrets) hide(text string, limit int) string {
	return prober.HideClip(text, limit, s.sent...)
}

// failure gives a failure. One of a rendition begins with its name.
func (s pullSecrets) failure(f *prober.Failure, called map[string]string) *prober.Failure {
	if f == nil || s.none() {
		return f
	}
	told := *f
	of, rest := s.leading(f.Detail, called)
	if of != "" {
		of = s.name(of, called) + ": "
	}
	told.Detail = of + s.hide(rest, max(prober.MaxDetail-len(of), len("...")))
	return &told
}

// leading is the name of a rendition that a detail begins with, if it does, and the rest.
func (s pullSecrets) leading(detail string, called map[string]string) (name, rest string) {
	if first, after, ok := strings.Cut(detail, ": "); ok && s.shown(first) {
		return first, after
	}
	for known := range called {
		if len(known) > len(name) && strings.HasPrefix(detail, known+": ") {
			name = known
		}
	}
	if name == "" {
		return "", detail
	}
	return name, detail[len(name)+len(": "):]
}

// findings gives findings, of which those of a rendition are called as it is.
func (s pullSecrets) findings(list []prober.Finding, called map[string]string) []prober.Finding {
	if s.none() {
		return list
	}
	list = slices.Clone(list)
	for i := range list {
		list[i].Where, list[i].Detail = s.name(list[i].Where, called), s.hide(list[i].Detail, prober.MaxDetail)
	}
	return list
}

func (s pullSecrets) renditions(list []prober.Rendition, called map[string]string) []prober.Rendition {
	if s.none() {
		return list
	}
	list = slices.Clone(list)
	for i := range list {
		r := &list[i]
		r.Name, r.Failure = s.name(r.Name, called), s.failure(r.Failure, called)
		for _, said := range []*string{&r.Encryption, &r.Announced.Codecs, &r.Seen.Codecs} {
			*said = s.hide(*said, maxName)
		}
	}
	return list
}

// unrenewed are names of renditions, as renditions gives them.
func (s pullSecrets) unrenewed(list []string, called map[string]string) []string {
	if s.none() {
		return list
	}
	list = slices.Clone(list)
	for i := range list {
		list[i] = s.name(list[i], called)
	}
	return list
}

// name is what a rendition is called, which is remembered where it had to be made: of
// what is expected, was listed before or is not followed the name alone is known.
func (s pullSecrets) name(name string, called map[string]string) string {
	if told, known := called[name]; known {
		return told
	}
	told := s.call(name)
	if told == name || called == nil {
		return told
	}
	called[name] = apart(told, called)
	return called[name]
}

// calls is what renditions are called by their names: what a server says in one is told
// without secrets, no two are called alike, and each as it was before. What is listed no
// more is remembered, too, unless more than maxCalled names are.
func (s pullSecrets) calls(list []prober.Rendition, before map[string]string) map[string]string {
	called := map[string]string{}
	if len(before) <= maxCalled {
		maps.Copy(called, before)
	}
	for _, r := range list {
		if name, known := before[r.Name]; known {
			called[r.Name] = name
		}
	}
	for _, r := range list {
		if _, known := called[r.Name]; known {
			continue
		}
		name := r.Name
		if r.Type != prober.RenditionVariant { // whose name is made of numbers
			name = s.call(name)
		}
		called[r.Name] = apart(name, called)
	}
	return called
}

// apart is a name, with a number where something else is called so.
func apart(name string, called map[string]string) string {
	taken := map[string]bool{}
	for _, told := range called {
		taken[told] = true
	}
	told := name
	for n := 2; taken[told]; n++ {
		told = name + " #" + strconv.Itoa(n)
	}
	return told
}

// call is a name without secrets, which what is shown anyway is not, whatever the query
// asks for, and neither is the type that another begins with.
func (s pullSecrets) call(name string) string {
	if s.shown(name) {
		return name
	}
	for _, t := range []prober.RenditionType{prober.RenditionAudio, prober.RenditionVideo, prober.RenditionSubtitles} {
		if rest, ok := strings.CutPrefix(name, string(t)+" "); ok {
			return string(t) + " " + s.hide(rest, maxName)
		}
	}
	return s.hide(name, maxName)
}

// shown reports whether a name is a variant's, or stands in the configuration's ladder.
func (s pullSecrets) shown(name string) bool {
	return madeName.MatchString(name) || slices.ContainsFunc(s.rungs, func(rung string) bool { return strings.EqualFold(rung, name) })
}
