package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"

	"streamcanary/config"
	"streamcanary/prober/origin"
	"streamcanary/prober/proof"
	"streamcanary/prober/report"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

const agentHelp = `Run one vantage point: keep broadcasts running at every ingest, start fresh ones,
pull them back from every playback, and report to the hub. What to probe comes
from the hub. Results wait on disk while the hub is away. SIGINT or SIGTERM ends
every broadcast and deletes every stream.`

// agentGCPercent has an agent collect twice as often as Go would: its heap is
// mostly segments that were looked into and are done with, and it has processor
// to spare where it has no memory. GOGC in the environment overrides it.
const agentGCPercent = 50

func newAgentCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:     "agent --config FILE",
		Short:   "Run the agent of one vantage point",
		Long:    agentHelp,
		Example: "  streamcanary agent --config /etc/streamcanary/agent.yaml",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.LoadAgent(path)
			if err != nil {
				return err
			}
			if os.Getenv("GOGC") == "" {
				debug.SetGCPercent(agentGCPercent)
			}
			log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			for _, w := range cfg.Warnings {
				log.Warn(w)
			}
			control, err := startControl(cmd.Context(), log)
			if err != nil {
				return err
			}
			defer control.Close()
			return runAgent(cmd.Context(), *cfg, control, log)
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "the agent's configuration file (required)")
	requireFlag(cmd, "config")
	return cmd
}

// startControl starts an agent's own loopback origin. An agent that cannot even
// see that is sick.
func startControl(ctx context.Context, log *slog.Logger) (*origin.Origin, error) {
	control, err := origin.New(origin.Config{
		Region: "control", RTMPAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0", Logger: log.With("part", "control"),
	})
	if err != nil {
		return nil, err
	}
	if err := control.Start(ctx); err != nil {
		return nil, fmt.Errorf("the agent's own control does not start: %w", err)
	}
	return control, nil
}

// runAgent runs an agent until ctx ends.
func runAgent(ctx context.Context, cfg config.Agent, control *origin.Origin, log *slog.Logger) error {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return fmt.Errorf("agent: data folder: %w", err)
	}
	roots, err := readRoots(cfg.CAFile)
	if err != nil {
		return err
	}
	outbox, err := report.OpenOutbox(ctx, report.OutboxConfig{Path: filepath.Join(cfg.Data, "outbox.db")})
	if err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	defer func() { _ = outbox.Close() }()
	client, err := report.NewClient(report.ClientConfig{
		URL: cfg.Hub, Agent: cfg.ID, Key: cfg.Key, Roots: roots, Outbox: outbox, Logger: log,
	})
	if err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	if err := proof.New(proof.Config{FFmpeg: cfg.FFmpeg}).Installed(); err != nil {
		log.Warn("transcoded renditions will not be proven", "error", err)
	}
	a, release, err := newAgent(agentParts{
		Agent: cfg.ID, Site: cfg.Site, Sink: hubSink{client, log}, Dropped: outbox.Dropped, Announce: announce(client, log),
		Controls: cfg.Controls, FFmpeg: cfg.FFmpeg,
		Control: controlTarget(control.RTMPURL(), control.HLSURL()), Logger: log,
	})
	if err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	defer release()

	// The agent ends first, so that its last results still find the outbox.
	reporting, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	group, running := errgroup.WithContext(ctx)
	reports, reporting := errgroup.WithContext(reporting)
	reports.Go(func() error { return client.Run(reporting) })
	reports.Go(func() error { tellStates(reporting, client, log); return nil })
	group.Go(func() error { return a.Run(running) })
	group.Go(func() error { obey(running, client, a); return nil })
	group.Go(func() error {
		select {
		case <-running.Done():
			return nil
		case <-reporting.Done():
			return errors.New("the agent can no longer report")
		}
	})
	err = group.Wait()
	stop()
	if reported := reports.Wait(); reported != nil {
		err = reported
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// tellStates logs how the agent stands with its hub.
func tellStates(ctx context.Context, c *report.Client, log *slog.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-c.States():
			level := slog.LevelInfo
			if s.Name != report.Connected {
				level = slog.LevelWarn
			}
			log.Log(ctx, level, "hub", "state", s.Name, "detail", s.Detail)
		}
	}
}

func readRoots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // the system's authorities
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file %s holds no certificate in PEM", path)
	}
	return pool, nil
}
