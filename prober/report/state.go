package report

import (
	"errors"
	"net/url"
	"strings"

	"github.com/nats-io/nats.go"
)

// StateName is how an agent stands with its hub.
type StateName string

// The states of a client.
const (
	Connected    StateName = "connected"
	Disconnected StateName = "disconnected"
	Refused      StateName = "refused" // reached, but the hub does not take this agent or its results
)

// State is how an agent stands with its hub, and why, for a person.
type State struct {
	Name   StateName
	Detail string
}

// State is the present one.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// States gives the newest state after each change; one that was not taken yet is
// replaced.
func (c *Client) States() <-chan State { return c.states }

func (c *Client) setState(s State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == s {
		return
	}
	c.state = s
	replace(c.states, s)
}

func (c *Client) connected() {
	c.setState(State{Name: Connected})
	replace(c.refresh, 0)
	poke(c.wake)
}

func (c *Client) disconnected(err error) {
	detail := "the connection was closed"
	if err != nil {
		detail = strings.TrimPrefix(err.Error(), "nats: ")
	}
	if errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) || errors.Is(err, nats.ErrAuthRevoked) {
		c.setState(State{Name: Refused, Detail: "the hub does not know agent " + c.cfg.Agent + " with this key; compare the agent's name and key with the hub's configuration"})
		return
	}
	// Right after a refusal the connection closes: that is no news.
	if c.State().Name == Refused && (err == nil || errors.Is(err, nats.ErrConnectionClosed) || detail == "EOF") {
		return
	}
	c.setState(State{Name: Disconnected, Detail: detail})
}

// asyncError hears what the server says outside of any request. A refused
// publish is told here only; its acknowledgement just never comes.
func (c *Client) asyncError(err error) {
	if errors.Is(err, nats.ErrPermissionViolation) {
		c.refused(strings.TrimPrefix(err.Error(), "nats: "))
		return
	}
	c.log.Warn("connection to the hub", "err", err)
}

func (c *Client) refused(detail string) {
	c.setState(State{Name: Refused, Detail: detail})
}

// accepted is called when the hub took a result: whatever was refused is over.
func (c *Client) accepted() {
	if c.State().Name == Refused {
		c.setState(State{Name: Connected})
	}
}

// safeURL is raw without a password.
func safeURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(a URL that cannot be read)"
	}
	return u.Redacted()
}
