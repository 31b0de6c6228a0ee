package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"streamcanary/config"
	"streamcanary/prober"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

const demoHelp = `Run everything in one process: a live platform with three regions (Frankfurt,
New York, Singapore; real RTMP in, real HLS out, on loopback), an agent in each
region that pushes to every ingest and pulls from every playback, the hub with
its embedded NATS server and database, and the status page.

Once all is green, the default drill plays the incident of 8 April 2024 by
itself: a change is reported, every media server restarts, running broadcasts
drop and new ones are refused, and then it comes back. The terminal tells what
the public page says meanwhile. Then the demo stays up: break something yourself
with 'streamcanary drill', in another terminal.

With --exit-after-drill the exit code is 0 only if exactly one incident opened,
its updates say both that running broadcasts dropped and that new ones cannot
start, it named the right components in all three regions, it resolved, and the
change stands in the on-call feed and nowhere on the page.`

// defaultAddr is where the demo listens, and where drill looks for it.
const defaultAddr = "127.0.0.1:8080"

type demoOptions struct {
	addr           string
	data           string
	drill          string
	exitAfterDrill bool
	json           bool
	verbose        bool
}

func newDemoCommand() *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:     "demo",
		Short:   "A platform, its agents, the hub and the page in one process",
		Long:    demoHelp,
		Example: "  streamcanary demo\n  streamcanary demo --http 127.0.0.1:9000 --drill none\n  streamcanary demo --exit-after-drill --json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.drill != "april" && o.drill != "none" {
				return usageErrorf("--drill is %q; write april or none", o.drill)
			}
			if o.exitAfterDrill && o.drill == "none" {
				return usageErrorf("--exit-after-drill needs a drill; leave out --drill none")
			}
			tell := newStory(cmd.OutOrStdout(), o.json)
			log := slog.New(slog.DiscardHandler)
			if o.verbose {
				log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			}
			return runDemo(cmd.Context(), o, tell, log)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.addr, "http", defaultAddr, "where to serve the page, HOST:PORT")
	f.StringVar(&o.data, "data", "", "folder to keep everything in and go on from (default: a fresh temporary one)")
	f.StringVar(&o.drill, "drill", "april", "what to play once all is green: april or none")
	f.BoolVar(&o.exitAfterDrill, "exit-after-drill", false, "end after the drill; exit code 0 only if the page told it right")
	f.BoolVar(&o.json, "json", false, "tell the story as one JSON object a line")
	f.BoolVar(&o.verbose, "verbose", false, "log what hub, agents and origins do to stderr")
	return cmd
}

// demo is one demo that runs.
type demo struct {
	demoOptions
	tell     *story
	log      *slog.Logger
	url      string // of the page
	platform *demoPlatform
	files    demoFiles
	config   *config.Hub
	hub      *runningHub
}

func runDemo(ctx context.Context, o demoOptions, tell *story, log *slog.Logger) error {
	host, port, err := net.SplitHostPort(o.addr)
	if err != nil {
		return usageErrorf("--http %q is not HOST:PORT: %w", o.addr, err)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 { // the page's links name it
		return usageErrorf("--http %q has no port from 1 to 65535; write one, such as %s", o.addr, defaultAddr)
	}
	if host == "" || net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1"
	}
	if o.data == "" {
		if o.data, err = os.MkdirTemp("", "streamcanary-demo-"); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		defer func() { _ = os.RemoveAll(o.data) }()
	} else if err := os.MkdirAll(o.data, 0o700); err != nil {
		return fmt.Errorf("demo: %w; choose another --data", err)
	}
	if o.data, err = filepath.Abs(o.data); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	d := &demo{demoOptions: o, tell: tell, log: log, url: "http://" + net.JoinHostPort(host, port)}
	if d.platform, err = startPlatform(ctx, prober.Secret(rand.Text()), log); err != nil {
		return err
	}
	defer d.platform.close()
	if d.files, d.config, err = demoConfig(o.data, net.JoinHostPort(host, port), d.platform); err != nil {
		return err
	}
	d.config.HTTP.Listen = o.addr
	return d.run(ctx)
}

// errDrillOver ends a demo whose drill went as it should.
var errDrillOver = errors.New("the drill is over")

func (d *demo) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	ready := make(chan struct{})
	group.Go(func() error {
		return serve(ctx, d.config, d.log, func(h *runningHub) {
			d.hub = h
			h.handler = d.withDrills(h.handler)
			close(ready)
		})
	})
	group.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case <-ready:
		}
		d.introduce()
		for _, r := range d.platform.regions {
			group.Go(func() error { return d.agent(ctx, r) })
		}
		return d.play(ctx)
	})
	err := group.Wait()
	if errors.Is(err, errDrillOver) || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// agent runs the agent of one region.
func (d *demo) agent(ctx context.Context, r *demoRegion) error {
	id := "agent-" + r.id
	return runAgent(ctx, config.Agent{
		Hub: d.hub.ClientURL(), ID: id, Site: id, Region: r.id, Key: d.files.keys[id], Data: filepath.Join(d.data, id),
	}, r.control, d.log.With("agent", id))
}

func (d *demo) introduce() {
	d.tell.say("start", "streamcanary demo: a platform in three regions, its agents, its status page")
	d.tell.say("start", "page     "+d.url)
	d.tell.say("start", fmt.Sprintf("on-call  curl -H \"Authorization: Bearer $(cat %s)\" %s/alerts", d.files.tokenFile, d.url))
	d.tell.say("start", "policy   default, but a hold of 10s (not 5m) and a go-live every 9s (not 60s)")
}

// play waits until all is green, plays the drill, and stays.
func (d *demo) play(ctx context.Context) error {
	watch := newPageWatch(d.url, d.tell)
	if err := d.green(ctx, watch); err != nil {
		return err
	}
	if d.drill == "april" {
		verdict := d.april(ctx, watch)
		if err := d.backtest(ctx); err != nil && ctx.Err() == nil {
			d.tell.say("drill", err.Error())
		}
		if d.exitAfterDrill {
			if verdict == nil {
				return errDrillOver
			}
			return verdict
		}
		if verdict != nil && ctx.Err() == nil {
			d.tell.say("drill", verdict.Error())
		}
	}
	if ctx.Err() == nil {
		try := "bin/streamcanary drill restart --region fra"
		if d.addr != defaultAddr {
			try += " --http " + strings.TrimPrefix(d.url, "http://")
		}
		d.tell.say("demo", "it stays up. Break something, in another terminal: "+try+"; end it with Ctrl-C")
	}
	return watch.follow(ctx, func() bool { return false })
}

// green waits until every component has been seen, and is well.
func (d *demo) green(ctx context.Context, watch *pageWatch) error {
	const patience = 2 * time.Minute
	limit, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not all components were green within %s; run it with --verbose to see why", patience))
	defer cancel()
	err := watch.follow(limit, func() bool {
		page, err := d.hub.Page(limit)
		if err != nil {
			return false
		}
		for _, g := range page.Groups {
			for _, c := range g.Components {
				if c.CheckedAt.IsZero() || c.Status != "operational" {
					return false
				}
			}
		}
		return true
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	d.tell.say("green", "every component is operational: broadcasts run from three regions, new ones start, all of them play everywhere")
	if url := d.platform.watchURL(ctx); url != "" {
		d.tell.say("green", "watch a broadcast: ffplay "+url)
	}
	return nil
}

// fetch gets one document of the page or the feed.
func (d *demo) fetch(ctx context.Context, path string, token prober.Secret) ([]byte, error) {
	return get(ctx, http.DefaultClient, d.url+path, token)
}
