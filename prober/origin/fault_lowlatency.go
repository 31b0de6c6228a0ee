package origin

import (
	"errors"
	"net/http"
	"strings"
)

var errNotLowLatency = errors.New("the origin is not low latency")

// beginEarlyReload answers blocking reloads with what there is (RFC 8216bis, 6.2.5.2).
func beginEarlyReload(o *Origin) (heal func() error, err error) {
	return o.overrideReloads(func(w http.ResponseWriter, r *http.Request, normal func(http.ResponseWriter)) {
		r.URL.RawQuery = ""
		normal(w)
	})
}

func beginRefuseReload(o *Origin) (heal func() error, err error) {
	return o.overrideReloads(func(w http.ResponseWriter, _ *http.Request, _ func(http.ResponseWriter)) {
		http.Error(w, "no blocking reload", http.StatusBadRequest)
	})
}

// overrideReloads answers blocking reloads; other requests are answered as ever.
func (o *Origin) overrideReloads(reload override) (heal func() error, err error) {
	if o.config.Container != LowLatency {
		return nil, errNotLowLatency
	}
	return healBy(o.playback.playlists.add(func(w http.ResponseWriter, r *http.Request, normal func(http.ResponseWriter)) {
		if r.URL.Query().Has("_HLS_msn") {
			reload(w, r, normal)
			return
		}
		normal(w)
	})), nil
}

// beginPart404 answers 404 for what lies within segments.
func beginPart404(o *Origin) (heal func() error, err error) {
	return o.overrideParts(func(w http.ResponseWriter, r *http.Request, _ func(http.ResponseWriter)) { http.NotFound(w, r) })
}

// beginSlowParts lets what lies within segments wait, and nothing else.
func beginSlowParts(o *Origin) (heal func() error, err error) {
	over := make(chan struct{})
	remove, err := o.overrideParts(func(w http.ResponseWriter, r *http.Request, normal func(http.ResponseWriter)) {
		if wait(r, slowness, over) {
			normal(w)
		}
	})
	if err != nil {
		return nil, err
	}
	return func() error {
		defer close(over)
		return remove()
	}, nil
}

// overrideParts answers for partial segments; whole ones are answered as ever.
func (o *Origin) overrideParts(part override) (heal func() error, err error) {
	if o.config.Container != LowLatency {
		return nil, errNotLowLatency
	}
	return healBy(o.playback.segments.add(func(w http.ResponseWriter, r *http.Request, normal func(http.ResponseWriter)) {
		if strings.Contains(r.URL.Path, "_part") {
			part(w, r, normal)
			return
		}
		normal(w)
	})), nil
}
