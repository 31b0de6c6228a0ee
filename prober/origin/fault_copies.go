package origin

import (
	"net/http"
	"sync"
)

// copies are the latest versions of each playlist, as a CDN's caches have them.
type copies struct {
	mu    sync.Mutex
	asked map[string]int
	kept  map[string][]*recorded // the oldest first
}

// keep takes a version, and gives the one that is n older, or the oldest there
// is, and how often the playlist has been asked for.
func (c *copies) keep(path string, latest *recorded, n int) (old *recorded, asked int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil {
		c.kept, c.asked = make(map[string][]*recorded), make(map[string]int)
	}
	list := c.kept[path]
	if len(list) == 0 || string(list[len(list)-1].body) != string(latest.body) {
		list = append(list, latest)
	}
	list = list[max(len(list)-n-1, 0):]
	c.kept[path] = list
	c.asked[path]++
	return list[0], c.asked[path]
}

// staleBy is how many versions a stale copy is behind: more than two origins
// behind one name may be apart, and its latest segments are still there.
const staleBy = 6

// beginStaleCopies gives an old copy of a media playlist every other time.
func beginStaleCopies(o *Origin) (heal func() error, err error) {
	return o.overrideCopies(staleBy, func(_ string, asked int) bool { return asked%2 == 0 }), nil
}

// beginOldCopies gives nothing but old copies.
func beginOldCopies(o *Origin) (heal func() error, err error) {
	return o.overrideCopies(staleBy, func(string, int) bool { return true }), nil
}

// beginRenditionBehind has the last rendition a few segments behind the others.
func beginRenditionBehind(o *Origin) (heal func() error, err error) {
	const behind = 5 // what is allowed is less, whenever the playlists were loaded
	last, err := o.lastRendition()
	if err != nil {
		return nil, err
	}
	return o.overrideCopies(behind, func(path string, _ int) bool { return renditionOf(path) == last }), nil
}

// overrideCopies gives copies that are so many versions old where old says so.
func (o *Origin) overrideCopies(by int, old func(path string, asked int) bool) (heal func() error) {
	var c copies
	return overrideGood(&o.playback.playlists, func(w http.ResponseWriter, r *http.Request, answer *recorded) {
		if !isMultivariant(string(answer.body)) {
			if copied, asked := c.keep(r.URL.Path, answer, by); old(r.URL.Path, asked) {
				answer = copied
			}
		}
		answer.send(w)
	})
}
