package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"streamcanary/config"
	"streamcanary/prober"
	"streamcanary/prober/schedule"
	"streamcanary/statuspage/alert"
	"streamcanary/statuspage/hub"

	"github.com/spf13/cobra"
	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"
)

const serveHelp = `Run the hub: take the agents' results in over NATS, decide, publish the status
page, serve the on-call feed and deliver alerts. It needs nothing beside its
configuration file and its data folder, and goes on where it left off.

The page is on http.listen; /alerts and /v1 want the on-call token, or a person's
own, as a bearer token. SIGINT or SIGTERM ends it in order.`

func newServeCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:     "serve --config FILE",
		Short:   "Run the hub: status page, on-call feed, alerts",
		Long:    serveHelp,
		Example: "  streamcanary serve --config /etc/streamcanary/hub.yaml",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.LoadHub(path)
			if err != nil {
				return err
			}
			if err := checkRules(cfg.Targets); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			for _, w := range cfg.Warnings {
				log.Warn(w)
			}
			return serve(cmd.Context(), cfg, log, func(h *runningHub) {
				log.Info("hub is up", "page", "http://"+h.page.Addr().String(), "agents", h.ClientURL())
			})
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "the hub's configuration file (required)")
	requireFlag(cmd, "config")
	return cmd
}

// maxReaders bounds the page's connections: files are shared with the journal
// and the database, and readers must not lock the agents out.
const maxReaders = 2000

// runningHub is a hub whose page is being served.
type runningHub struct {
	*hub.Hub
	page    net.Listener
	handler http.Handler
}

// serve runs a hub until ctx ends. up is called once everything listens; what
// it wraps around the handler must be set there.
func serve(ctx context.Context, cfg *config.Hub, log *slog.Logger, up func(*runningHub)) error {
	settings, err := hubSettings(cfg, log)
	if err != nil {
		return err
	}
	page, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.HTTP.Listen)
	if err != nil {
		return fmt.Errorf("the page cannot be served on %s: %w; set another http.listen (or --http)", cfg.HTTP.Listen, err)
	}
	defer func() { _ = page.Close() }()
	h, err := hub.Open(ctx, settings)
	if err != nil {
		return err
	}
	defer h.Close()
	running := &runningHub{Hub: h, page: page}
	if running.handler, err = h.Handler(); err != nil {
		return err
	}
	up(running)
	server := &http.Server{
		Handler: running.handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: 30 * time.Second, // streams of events set their own
		IdleTimeout:  2 * time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return h.Run(ctx) })
	group.Go(func() error {
		if err := server.Serve(netutil.LimitListener(page, maxReaders)); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("the page is no longer served: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		if server.Shutdown(last) != nil {
			return server.Close()
		}
		return nil
	})
	return group.Wait()
}

// hubSettings maps the configuration to what the hub is made of.
func hubSettings(cfg *config.Hub, log *slog.Logger) (hub.Config, error) {
	s := hub.Config{
		Data: cfg.Data, Policy: cfg.Policy, Token: cfg.Alerts.Token, People: cfg.Alerts.People, Logger: log,
		Maintenances: maintenances(cfg.Work),
		Assignments:  map[string]prober.Assignment{}, Sinks: map[string]alert.Sink{},
		NATS: hub.NATSConfig{Addr: cfg.NATS.Listen, MaxBytes: cfg.NATS.MaxBytes, Logger: log},
	}
	if !cfg.NATS.SyncAlways {
		s.NATS.SyncInterval = time.Second
	}
	if cfg.NATS.TLSCertFile != "" {
		pair, err := tls.LoadX509KeyPair(cfg.NATS.TLSCertFile, cfg.NATS.TLSKeyFile)
		if err != nil {
			return s, fmt.Errorf("nats.tls_cert_file, nats.tls_key_file: %w", err)
		}
		s.NATS.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	for _, w := range cfg.Alerts.Webhooks {
		sink, err := alert.NewWebhook(alert.WebhookConfig{URL: w.URL, Secret: w.Secret})
		if err != nil {
			return s, fmt.Errorf("alerts.webhooks %s: %w", w.ID, err)
		}
		s.Sinks[w.ID] = sink
	}
	revision := uint64(time.Now().UnixMilli())
	var ids []string
	for _, a := range cfg.Agents {
		ids = append(ids, a.ID)
	}
	for _, a := range cfg.Agents {
		probes, err := spread(cfg.Probes, a.ID, ids)
		if err != nil {
			return s, err
		}
		s.NATS.Agents = append(s.NATS.Agents, hub.NATSAgent{ID: a.ID, Key: a.Key})
		s.Assignments[a.ID] = prober.Assignment{
			Revision: revision, Targets: cfg.Targets, Probes: probes,
			Sampling: cfg.Sampling, Budget: a.Budget, Controls: cfg.Controls,
		}
	}
	return s, nil
}

func maintenances(work []config.Work) []hub.Maintenance {
	all := make([]hub.Maintenance, 0, len(work))
	for _, w := range work {
		all = append(all, hub.Maintenance{
			ID: w.ID, Name: w.Name, Message: w.Message, Components: w.Components, Regions: w.Regions,
			StartsAt: w.StartsAt, EndsAt: w.EndsAt, Schedule: w.Schedule, Duration: w.Duration, Announce: w.Announce,
		})
	}
	return all
}

// spread gives an agent its own slot of each period: agents never start together,
// and between them they look as many times as often.
func spread(probes []prober.Probe, agent string, agents []string) ([]prober.Probe, error) {
	all := make([]prober.Probe, 0, 2*len(probes))
	for _, p := range probes {
		s, err := schedule.Parse(p.Schedule)
		if err != nil {
			return nil, fmt.Errorf("probe %s of %s: %w", p.Kind, p.Target, err)
		}
		p.Offset = s.Offset(p.Target+" "+string(p.Kind), agent, agents)
		all = append(all, p)
		if p.Kind == prober.KindCanary {
			// Whoever keeps a broadcast up watches it, too.
			p.Kind = prober.KindPlayback
			all = append(all, p)
		}
	}
	return all, nil
}
