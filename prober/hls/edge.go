package hls

// edge is whether a rendition goes on: whether a segment has been had that its first
// playlist did not list. Any number of segments that stood there from the beginning
// shows nothing. One that is listed and, as a sample, not downloaded counts as had. The
// zero value is ready.
type edge struct {
	known   bool
	from    uint64 // the newest segment of the first playlist, or since sequence numbers fell
	newest  uint64 // that was listed
	renewed bool   // ever
}

// listed takes a playlist. One without segments is not the first: what it lists
// later may stand still from then on.
func (e *edge) listed(p *Playlist) {
	newest, ok := p.newest()
	if !ok {
		return
	}
	if !e.known || newest < e.newest {
		e.known, e.from = true, newest
	}
	e.newest = newest
}

// had takes a segment that is good, or that is listed and not to be downloaded.
func (e *edge) had(sequence uint64) {
	e.renewed = e.renewed || e.known && sequence > e.from
}

// edgeNow is a copy.
func (s *state) edgeNow() edge {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.edge
}

// unrenewed are the renditions that have not shown that they go on, or, of what has an
// end, that all of it can be had. Subtitles, which may be sparse, have only to be had.
func unrenewed(views []view) []string {
	var names []string
	for i := range views {
		v := &views[i]
		if !v.Ended && (!v.Playing || !v.edge.renewed && v.kind != kindSubtitles) {
			names = append(names, v.name)
		}
	}
	return names
}
