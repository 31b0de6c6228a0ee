package hls

// edge is whether a rendition goes on: whether a segment has been had that its first
// playlist did not list. Any number of segments that stood there from the beginning
// shows nothing. What has an end, and may have one, goes on from its first segment to
// the next that is downloaded: nothing new comes of it. Else a segment that is listed and,
// as a sample, not downloaded counts as had. The zero value is ready.
type edge struct {
	known   bool
	from    uint64 // the newest segment of the first playlist, or since sequence numbers fell; the first that was had of what has ended
	waits   bool   // for the first of what has ended
	newest  uint64 // that was listed
	renewed bool   // ever
}

// listed takes a playlist, and whether it has ended as it may. One without segments is
// not the first: what it lists later may stand still from then on.
func (e *edge) listed(p *Playlist, ended bool) {
	newest, ok := p.newest()
	if !ok {
		return
	}
	if !e.known || newest < e.newest {
		e.known, e.from, e.waits = true, newest, ended
	}
	e.newest = newest
}

// had takes a segment that is good, or that is listed and not to be downloaded.
func (e *edge) had(sequence uint64) {
	if e.waits {
		e.from, e.waits = sequence, false
		return
	}
	e.renewed = e.renewed || e.known && sequence > e.from
}

// edgeNow is a copy.
func (s *state) edgeNow() edge {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.edge
}

// unrenewed are the renditions that have not shown that they go on. What has ended has
// not to where all of it was had, and subtitles, which may be sparse, have only to be had.
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
