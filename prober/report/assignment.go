package report

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"streamcanary/prober"
)

// The assignment is read with JetStream's direct get, on a connect, when the
// hub says that there is a newer one, and now and then. A watch would need the
// right to make consumers, and whoever has that can have a stream's messages
// delivered to any subject.

// followAssignment hands on every assignment that differs from the last.
func (c *Client) followAssignment(ctx context.Context, nc *nats.Conn) {
	tick := time.NewTicker(c.cfg.RefreshPeriod)
	defer tick.Stop()
	var last []byte
	for {
		var atLeast uint64
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case atLeast = <-c.refresh:
		}
		body, err := c.readAssignment(ctx, nc, atLeast)
		if err != nil {
			if nc.IsConnected() && ctx.Err() == nil {
				c.log.Warn("the assignment cannot be read; the last one stays", "err", err)
			}
			continue
		}
		if body == nil || bytes.Equal(body, last) {
			continue
		}
		last = body
		a, err := decodeAssignment(body)
		if err != nil {
			c.log.Error("the assignment cannot be used; the last one stays", "err", err)
			continue
		}
		replace(c.assignments, a)
	}
}

// readAssignment gets the agent's assignment at the given revision of the bucket
// or later; nil when there is none. In a cluster the replica that answers may
// lag behind, so it asks again.
func (c *Client) readAssignment(ctx context.Context, nc *nats.Conn, atLeast uint64) ([]byte, error) {
	const tries = 5
	for try := 1; ; try++ {
		body, revision, err := getAssignment(ctx, nc, c.cfg.Agent)
		if err == nil && revision >= atLeast {
			return body, nil
		}
		if err == nil {
			err = fmt.Errorf("revision %d, want %d or later", revision, atLeast)
		}
		if try == tries {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Duration(try) * 50 * time.Millisecond):
		}
	}
}

func getAssignment(ctx context.Context, nc *nats.Conn, agent string) (body []byte, revision uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	m, err := nc.RequestWithContext(ctx, directGet+agent, nil)
	if err != nil {
		return nil, 0, err
	}
	switch status := m.Header.Get("Status"); status {
	case "":
	case "404": // nothing was ever assigned
		return nil, 0, nil
	default:
		return nil, 0, fmt.Errorf("the hub answers %s %s", status, m.Header.Get("Description"))
	}
	revision, err = strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
	if err != nil {
		return nil, 0, fmt.Errorf("answer without a revision: %w", err)
	}
	if m.Header.Get("KV-Operation") != "" { // deleted or purged: an assignment of nothing
		body, err = encodeAssignment(prober.Assignment{})
		return body, revision, err
	}
	return m.Data, revision, nil
}

func parseRevision(b []byte) uint64 {
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
