package prober

import "time"

// Broadcast is a canary that is up: what another agent needs to pull it. The
// stream key is not in it. (Where a static platform plays streams by the names
// that they are pushed under, the playback id is that name.)
type Broadcast struct {
	Target   string `json:"target"`
	Ingest   string `json:"ingest"`
	Run      string `json:"run"`      // in its markers
	Playback string `json:"playback"` // the id to be put into a playback's URL
}

// Broadcasts are all that one agent has up. A newer list replaces the whole of
// an older one; a list that was not repeated for AnnounceExpiry counts no more.
type Broadcasts struct {
	Pusher string      `json:"pusher"` // the agent's id
	List   []Broadcast `json:"list"`
}

// Times of announcements.
const (
	AnnouncePeriod = 3 * time.Second  // a list is repeated this often
	AnnounceExpiry = 10 * time.Second // and worth nothing after this
)

// Sampling is how an agent looks at the broadcasts of others: one of them each
// Every, at every playback of its target, in turn. An Every of 0 is never.
type Sampling struct {
	Every time.Duration `json:"every,omitempty"`
	Bound time.Duration `json:"bound,omitempty"` // until its marker must be seen; 0 is 8 s
}

// Spending is how an agent stands with its budget of bytes.
type Spending struct {
	LastHour int64  // bytes sent and received
	Limit    int64  // bytes an hour; 0 is none
	Thinned  uint64 // samples, go-live rounds and recordings left out for it, since the agent's start
}
