package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"

	"streamcanary/prober"
)

// Agents learn of each other's broadcasts through the hub: each tells its own on
// a subject that is its alone, and the hub passes that on to all, under the name
// that the subject proves. Nothing of it is kept: a list that was not repeated
// for prober.AnnounceExpiry counts no more.

// Bounds of a list of broadcasts.
const (
	maxBroadcastsSize = 128 << 10 // bytes
	maxBroadcasts     = 200
)

type wireBroadcasts struct {
	Version    int               `json:"version"`
	Broadcasts prober.Broadcasts `json:"broadcasts"`
}

func encodeBroadcasts(b prober.Broadcasts) ([]byte, error) {
	if err := checkBroadcasts(b); err != nil {
		return nil, fmt.Errorf("encode broadcasts: %w", err)
	}
	body, err := json.Marshal(wireBroadcasts{Version: Version, Broadcasts: b})
	if err != nil {
		return nil, fmt.Errorf("encode broadcasts: %w", err)
	}
	return body, nil
}

func decodeBroadcasts(body []byte) (prober.Broadcasts, error) {
	var w wireBroadcasts
	if err := decodeOrder(body, maxBroadcastsSize, &w, &w.Version); err != nil {
		return prober.Broadcasts{}, fmt.Errorf("decode broadcasts: %w", err)
	}
	if err := checkBroadcasts(w.Broadcasts); err != nil {
		return prober.Broadcasts{}, fmt.Errorf("decode broadcasts: %w", err)
	}
	return w.Broadcasts, nil
}

func checkBroadcasts(b prober.Broadcasts) error {
	if err := CheckAgent(b.Pusher); err != nil {
		return fmt.Errorf("pusher: %w", err)
	}
	if len(b.List) > maxBroadcasts {
		return fmt.Errorf("%d broadcasts, at most %d", len(b.List), maxBroadcasts)
	}
	for _, one := range b.List {
		for _, id := range []string{one.Target, one.Ingest, one.Run} {
			if id == "" || len(id) > maxNameSize || strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }) {
				return fmt.Errorf("target, ingest or run %s, want 1 to %d characters of printable ASCII without spaces", quote(id), maxNameSize)
			}
		}
		if err := checkPlaybackID(one.Playback); err != nil {
			return err
		}
	}
	return nil
}

// checkPlaybackID lets nothing into other agents' playback URLs that could lead
// them elsewhere (RFC 3986 2.3: unreserved characters).
func checkPlaybackID(id string) error {
	if id == "" || len(id) > maxNameSize || id[0] == '.' {
		return errors.New("playback id: want 1 to 128 letters, digits, - . _ ~, not beginning with a dot")
	}
	for _, c := range []byte(id) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~", c) >= 0:
		default:
			return fmt.Errorf("playback id: character %q, want only letters, digits, - . _ ~", c)
		}
	}
	return nil
}

// Announce tells the other agents what this one has up. It is lost without a
// connection, and has to be repeated each prober.AnnouncePeriod.
func (c *Client) Announce(list []prober.Broadcast) error {
	c.mu.Lock()
	nc := c.nc
	c.mu.Unlock()
	body, err := encodeBroadcasts(prober.Broadcasts{Pusher: c.cfg.Agent, List: list})
	if err != nil {
		return err
	}
	if nc == nil || !nc.IsConnected() {
		return nil
	}
	if err := nc.Publish(subjectBroadcasts+c.cfg.Agent, body); err != nil {
		return fmt.Errorf("announce broadcasts: %w", err)
	}
	return nil
}

// Broadcasts gives the lists of other agents. They are not kept: those that came
// while 64 were waiting are lost, and come again.
func (c *Client) Broadcasts() <-chan prober.Broadcasts { return c.broadcasts }

// heardBroadcasts takes what the hub passed on.
func (c *Client) heardBroadcasts(m *nats.Msg) {
	b, err := decodeBroadcasts(m.Data)
	if err != nil {
		c.log.Error("another agent's broadcasts cannot be read", "err", err)
		return
	}
	if b.Pusher == c.cfg.Agent {
		return
	}
	select {
	case c.broadcasts <- b:
	default:
	}
}

// RelayBroadcasts passes on what agents announce, until stop is called.
func (j *Journal) RelayBroadcasts() (stop func(), err error) {
	sub, err := j.nc.Subscribe(subjectBroadcasts+"*", func(m *nats.Msg) {
		pusher := strings.TrimPrefix(m.Subject, subjectBroadcasts)
		b, err := decodeBroadcasts(m.Data)
		if err == nil && b.Pusher != pusher {
			err = fmt.Errorf("they are told in the name of agent %s", quote(b.Pusher))
		}
		if err != nil {
			j.log.Warn("an agent's broadcasts are not passed on", "agent", pusher, "err", err)
			return
		}
		if err := j.nc.Publish(subjectFleet, m.Data); err != nil {
			j.log.Warn("an agent's broadcasts are not passed on", "agent", pusher, "err", err)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("relay of broadcasts: %w", err)
	}
	return func() { _ = sub.Unsubscribe() }, nil
}
