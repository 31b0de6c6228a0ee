package origin

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"streamcanary/prober"
)

// maxStreams bounds what the API makes, and maxBroadcasts what runs.
const (
	maxStreams    = 10000
	maxBroadcasts = 1000
)

// Why a publish or a create is refused.
var (
	errNameInUse   = errors.New("the name is in use")
	errBadName     = errors.New("not a stream key")
	errTooMany     = errors.New("too many")
	errNotLive     = errors.New("no such stream")
	streamKeyShape = regexp.MustCompile(`^[A-Za-z0-9._~+-]{1,128}$`)
)

// platform is what linked origins share: the API's streams and the broadcasts
// that run. It outlives any one origin's restart, as a database does.
type platform struct {
	origins []*Origin // fixed once one has started

	mu         sync.Mutex
	streams    map[string]*stream // by id
	byKey      map[string]*stream
	byPlayback map[string]*stream
	broadcasts map[string]*broadcast // by playback id
	made       uint64                // streams ever, for their order
}

// stream is a stream that the API made.
type stream struct {
	order      uint64
	id         string
	name       string
	key        prober.Secret
	playbackID string
	settings   streamRequest
	created    time.Time
	lastSeen   time.Time // zero before the first broadcast
}

func newPlatform(origins ...*Origin) *platform {
	return &platform{
		origins:    origins,
		streams:    make(map[string]*stream),
		byKey:      make(map[string]*stream),
		byPlayback: make(map[string]*stream),
		broadcasts: make(map[string]*broadcast),
	}
}

// publish starts a broadcast. A key that the API made plays at its playback
// id; any other at the key itself, as on a self-run server, unless that is
// some stream's public playback id.
func (p *platform) publish(ingest *Origin, key string, from *publisher) (*broadcast, error) {
	if !streamKeyShape.MatchString(key) {
		return nil, errBadName
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	id, label := key, "of an unregistered key"
	if s := p.byKey[key]; s != nil {
		id, label = s.playbackID, s.id
		s.lastSeen = time.Now()
	} else if p.byPlayback[key] != nil {
		return nil, errBadName
	}
	if p.broadcasts[id] != nil {
		return nil, errNameInUse
	}
	if len(p.broadcasts) >= maxBroadcasts {
		return nil, fmt.Errorf("%w broadcasts: %d run", errTooMany, len(p.broadcasts))
	}
	b := &broadcast{
		id: id, label: label, platform: p, ingest: ingest, from: from,
		started: time.Now(), outputs: make(map[*Origin]*output),
	}
	p.broadcasts[id] = b
	return b, nil
}

func (p *platform) unpublish(b *broadcast) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broadcasts[b.id] == b {
		delete(p.broadcasts, b.id)
	}
	if s := p.byPlayback[b.id]; s != nil {
		s.lastSeen = time.Now()
	}
}

// running lists the broadcasts that one origin takes.
func (p *platform) running(ingest *Origin) []*broadcast {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []*broadcast
	for _, b := range p.broadcasts {
		if b.ingest == ingest {
			list = append(list, b)
		}
	}
	return list
}

// create makes a stream.
func (p *platform) create(settings streamRequest) (streamView, error) {
	s := &stream{
		id:         randomUUID(),
		name:       settings.Name,
		key:        prober.Secret(randomKey()),
		playbackID: randomID(),
		settings:   settings,
		created:    time.Now(),
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.streams) >= maxStreams {
		return streamView{}, fmt.Errorf("%w streams: delete some of the %d", errTooMany, len(p.streams))
	}
	p.made++
	s.order = p.made
	p.streams[s.id], p.byKey[s.key.Reveal()], p.byPlayback[s.playbackID] = s, s, s
	return p.view(s), nil
}

// remove deletes a stream and ends its broadcast.
func (p *platform) remove(id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.streams[id]
	if s == nil {
		return errNotLive
	}
	delete(p.streams, s.id)
	delete(p.byKey, s.key.Reveal())
	delete(p.byPlayback, s.playbackID)
	if b := p.broadcasts[s.playbackID]; b != nil {
		b.from.conn.abort()
	}
	return nil
}

func (p *platform) get(id string) (streamView, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.streams[id]
	if s == nil {
		return streamView{}, errNotLive
	}
	return p.view(s), nil
}

// list gives up to n streams made before that one, newest first, and the order
// of the last of them if there are more.
func (p *platform) list(before uint64, n int) (page []streamView, next uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []*stream
	for _, s := range p.streams {
		if s.order < before {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b *stream) int { return cmp.Compare(b.order, a.order) })
	if len(all) > n {
		all, next = all[:n], all[n-1].order
	}
	page = make([]streamView, len(all))
	for i, s := range all {
		page[i] = p.view(s)
	}
	return page, next
}

// view is called with p.mu held.
func (p *platform) view(s *stream) streamView {
	v := streamView{
		streamRequest: s.settings,
		ID:            s.id,
		StreamKey:     s.key.Reveal(),
		PlaybackID:    s.playbackID,
		IsActive:      p.broadcasts[s.playbackID] != nil,
		CreatedAt:     s.created.UnixMilli(),
	}
	if v.IsActive {
		s.lastSeen = time.Now()
	}
	if !s.lastSeen.IsZero() {
		v.LastSeen = s.lastSeen.UnixMilli()
	}
	return v
}

// randomKey is shaped as Livepeer Studio's: four groups of four base 36 digits.
func randomKey() string {
	const digits = "0123456789abcdefghijklmnopqrstuvwxyz"
	key := make([]byte, 0, 19)
	for len(key) < cap(key) {
		var b [1]byte
		_, _ = rand.Read(b[:]) // never fails
		switch {
		case len(key)%5 == 4:
			key = append(key, '-')
		case b[0] < 252: // the largest multiple of 36: every digit as likely
			key = append(key, digits[b[0]%36])
		}
	}
	return string(key)
}

// randomID is a playback id: 16 hexadecimal digits.
func randomID() string {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func randomUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
