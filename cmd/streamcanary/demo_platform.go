package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/origin"
)

// demoRegion is a region of the demo's platform.
type demoRegion struct {
	id, name string
	origin   *origin.Origin
	control  *origin.Origin // of the agent that stands there: nothing but its own loopback
}

// demoPlatform is a live platform in one process: three regions, linked.
type demoPlatform struct {
	regions []*demoRegion
	api     *origin.API // beside the media servers: their restart leaves it up
	apiKey  prober.Secret
	release func() // of the ports
}

// demoPorts is where the origins' ports are looked for: below the range that
// systems hand out for outgoing connections, so that a restarting origin never
// finds its own port taken.
const demoPorts = 19350

// startPlatform starts the platform. Ports that were free may be taken before
// they are used, by another demo that starts: then it looks again.
func startPlatform(ctx context.Context, apiKey prober.Secret, log *slog.Logger) (*demoPlatform, error) {
	const tries = 5
	for try := 1; ; try++ {
		p, err := startPlatformOnce(ctx, apiKey, log)
		if try == tries || !errors.Is(err, syscall.EADDRINUSE) {
			return p, err
		}
	}
}

func startPlatformOnce(ctx context.Context, apiKey prober.Secret, log *slog.Logger) (_ *demoPlatform, err error) {
	p := &demoPlatform{apiKey: apiKey, regions: []*demoRegion{
		{id: "fra", name: "Frankfurt"}, {id: "nyc", name: "New York"}, {id: "sin", name: "Singapore"},
	}}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	ports, release, err := freePorts(ctx, demoPorts, 4*len(p.regions)+1)
	if err != nil {
		return nil, err
	}
	p.release = release
	var all []*origin.Origin
	for i, r := range p.regions {
		of := ports[4*i:]
		r.origin, err = origin.New(origin.Config{Region: r.name, RTMPAddr: of[0], HTTPAddr: of[1], Auth: apiKey, Logger: log.With("origin", r.id)})
		if err != nil {
			return nil, err
		}
		r.control, err = origin.New(origin.Config{Region: r.name, RTMPAddr: of[2], HTTPAddr: of[3], Logger: log.With("control", r.id)})
		if err != nil {
			return nil, err
		}
		all = append(all, r.origin)
	}
	origin.Link(all...)
	for _, r := range p.regions {
		if err := errors.Join(r.origin.Start(ctx), r.control.Start(ctx)); err != nil {
			return nil, fmt.Errorf("the origin in %s does not start: %w", r.name, err)
		}
	}
	if p.api, err = p.regions[0].origin.ServeAPI(ctx, ports[len(ports)-1]); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *demoPlatform) close() {
	if p.api != nil {
		p.api.Close()
	}
	for _, r := range p.regions {
		for _, o := range []*origin.Origin{r.origin, r.control} {
			if o != nil {
				o.Close()
			}
		}
	}
	if p.release != nil {
		p.release()
	}
}

// in selects the regions that a drill is for; "" is all.
func (p *demoPlatform) in(region string) ([]*demoRegion, error) {
	if region == "" || region == "all" {
		return p.regions, nil
	}
	var known []string
	for _, r := range p.regions {
		if r.id == region {
			return []*demoRegion{r}, nil
		}
		known = append(known, r.id)
	}
	return nil, fmt.Errorf("there is no region %q; write %s, or leave --region out for all", region, strings.Join(known, ", "))
}

// inject breaks origins, and returns when all of them are healed. It touches
// nothing but the origins: agents and hub find out for themselves.
func (p *demoPlatform) inject(ctx context.Context, fault, region string, d time.Duration) error {
	regions, err := p.in(region)
	if err != nil {
		return err
	}
	if fault == "api-500" {
		regions = p.regions[:1] // there is one API, whose faults are this origin's
	}
	done := make(chan error, len(regions))
	for _, r := range regions {
		go func() { done <- r.origin.Inject(ctx, origin.Fault{Name: fault, For: d}) }()
	}
	for range regions {
		err = errors.Join(err, <-done)
	}
	return err
}

// freePorts finds n loopback addresses that nothing listens on, and holds them
// against other demos: the port of a media server that is being restarted looks
// free to them.
func freePorts(ctx context.Context, from, n int) (free []string, release func(), err error) {
	const tries = 2000
	var held []func()
	release = func() {
		for _, unlock := range held {
			unlock()
		}
	}
	for port := from; port < from+tries && len(free) < n; port++ {
		unlock, err := lockPort(port)
		if errors.Is(err, errInUse) {
			continue
		}
		if err != nil {
			release()
			return nil, nil, err
		}
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
		if err != nil {
			unlock()
			continue
		}
		_ = l.Close()
		free, held = append(free, addr), append(held, unlock)
	}
	if len(free) < n {
		release()
		return nil, nil, fmt.Errorf("fewer than %d ports are free on 127.0.0.1 from %d to %d; end what listens there", n, from, from+tries-1)
	}
	return free, release, nil
}

// watchURL is where a broadcast that runs can be watched, or "".
func (p *demoPlatform) watchURL(ctx context.Context) string {
	body, err := get(ctx, http.DefaultClient, p.api.URL()+"/stream", p.apiKey)
	if err != nil {
		return ""
	}
	var streams []struct {
		PlaybackID string `json:"playbackId"`
		IsActive   bool   `json:"isActive"`
		CreatedAt  int64  `json:"createdAt"`
	}
	if json.Unmarshal(body, &streams) != nil {
		return ""
	}
	// The oldest that runs is a canary: it stays.
	for i := len(streams) - 1; i >= 0; i-- {
		if streams[i].IsActive {
			return prober.StreamURL(p.regions[0].origin.HLSURL(), streams[i].PlaybackID)
		}
	}
	return ""
}
