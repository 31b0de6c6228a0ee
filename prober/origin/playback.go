package origin

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"sync"
)

var errPlaybackDown = errors.New("the playback endpoint is down")

// playback is an origin's HLS side: the muxers of every broadcast of the
// platform, and the overrides that faults put before them.
type playback struct {
	origin    *Origin
	playlists overrides
	segments  overrides
	stored    overrides // of recordings
	frames    stack[frameFault]
	shelf     shelf

	mu      sync.RWMutex
	up      bool
	outputs map[string]*output
}

// open makes a broadcast's output here.
func (p *playback) open(id string, t tracks) (*output, error) {
	out, err := newOutput(t, p.origin.config, func(err error) {
		p.origin.log.Debug("muxer", "error", err)
	})
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.up || p.outputs[id] != nil {
		out.close()
		return nil, errPlaybackDown
	}
	p.outputs[id] = out
	return out, nil
}

func (p *playback) discard(id string, out *output) {
	p.mu.Lock()
	if p.outputs[id] == out {
		delete(p.outputs, id)
	}
	p.mu.Unlock()
	if p.origin.config.Record {
		p.shelf.put(id, out)
	}
	out.close()
}

// start takes broadcasts; stop forgets all of them.
func (p *playback) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.up = true
}

func (p *playback) stop() {
	p.mu.Lock()
	outputs := p.outputs
	p.up, p.outputs = false, make(map[string]*output)
	p.mu.Unlock()
	for _, out := range outputs {
		out.close()
	}
}

func (p *playback) output(id string) *output {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.outputs[id]
}

// serve answers for /hls/{stream}/{file} and /hls/{stream}/{rendition}/{file}, to any page in any browser.
func (p *playback) serve(w http.ResponseWriter, r *http.Request) {
	allowAnyOrigin(w.Header())
	normal := func(w http.ResponseWriter) {
		out := p.output(r.PathValue("stream"))
		if out == nil {
			http.Error(w, "no such broadcast", http.StatusNotFound)
			return
		}
		out.ServeHTTP(w, r)
	}
	if isPlaylist(r.URL.Path) {
		p.playlists.serve(w, r, normal)
		return
	}
	p.segments.serve(w, r, normal)
}

// preflight answers a browser's question before a cross-origin request.
func preflight(w http.ResponseWriter, _ *http.Request) {
	allowAnyOrigin(w.Header())
	w.Header().Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
	w.Header().Set("Access-Control-Allow-Headers", "*")
	w.Header().Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}

func allowAnyOrigin(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Content-Length, Date")
}

// override answers in the place of normal, or with what it makes of it.
type override func(w http.ResponseWriter, r *http.Request, normal func(http.ResponseWriter))

// overrides are the faults that are on; the latest answers.
type overrides struct{ stack[override] }

func (o *overrides) serve(w http.ResponseWriter, r *http.Request, normal func(http.ResponseWriter)) {
	if latest := o.top(); latest != nil {
		(*latest)(w, r, normal)
		return
	}
	normal(w)
}

// all gives the outputs there are, by playback id.
func (p *playback) all() map[string]*output {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return maps.Clone(p.outputs)
}

// next gives the output whose id follows on another in order, the first after
// the last; nil where there is no other.
func (p *playback) next(id string) *output {
	all := p.all()
	delete(all, id)
	ids := slices.Sorted(maps.Keys(all))
	if len(ids) == 0 {
		return nil
	}
	at, _ := slices.BinarySearch(ids, id)
	return all[ids[at%len(ids)]]
}
