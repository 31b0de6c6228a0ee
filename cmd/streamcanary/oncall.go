package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"streamcanary/prober"

	"github.com/spf13/cobra"
)

// onCall is where a hub is, and the token that lets on-call in.
type onCall struct {
	hub   string
	token prober.Secret
}

const onCallHelp = `The hub's address is --hub, or STREAMCANARY_HUB, without which it is looked for on
this machine. Its on-call token (alerts.token) is taken from STREAMCANARY_ALERTS_TOKEN: on
a command line every user of the machine could read it.`

const defaultHub = "http://127.0.0.1:8080"

// flags adds what every command of on-call has.
func (o *onCall) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.hub, "hub", "", "the hub's address (default: $STREAMCANARY_HUB, or "+defaultHub+")")
}

// check completes what the flags say from the environment.
func (o *onCall) check() error {
	o.hub = strings.TrimRight(orEnvironment(o.hub, "STREAMCANARY_HUB"), "/")
	if o.hub == "" {
		o.hub = defaultHub
	}
	u, err := url.Parse(o.hub)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.User != nil {
		return usageErrorf("--hub is not http://HOST[:PORT] or https://HOST")
	}
	if o.token = prober.Secret(os.Getenv("STREAMCANARY_ALERTS_TOKEN")); o.token == "" {
		return usageErrorf("STREAMCANARY_ALERTS_TOKEN is not set; put the hub's on-call token (alerts.token) into it")
	}
	return nil
}

// get asks the hub. The body is the caller's to close; an answer other than 200 is an
// error that says what to do.
func (o *onCall) get(ctx context.Context, path string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.hub+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+o.token.Reveal())
	answer, err := o.client().Do(req)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err
		}
		return nil, fmt.Errorf("the hub at %s cannot be reached: %w", o.hub, err)
	}
	if answer.StatusCode == http.StatusOK {
		return answer.Body, nil
	}
	defer func() { _ = answer.Body.Close() }()
	switch answer.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, o.unknownToken()
	case http.StatusNotFound:
		return nil, fmt.Errorf("nothing of a hub is at %s%s: is the address right, has the hub an alerts.token, and is it of this version?", o.hub, path)
	}
	said, _ := io.ReadAll(io.LimitReader(answer.Body, 500)) // evidence only
	return nil, fmt.Errorf("the hub at %s answered %s: %s", o.hub, answer.Status, prober.Clip(strings.TrimSpace(string(said)), 300))
}

func (o *onCall) client() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: 30 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the token is for the hub alone
	}
}

func (o *onCall) unknownToken() error {
	return fmt.Errorf("the hub at %s does not know the token in STREAMCANARY_ALERTS_TOKEN; it is alerts.token of its configuration", o.hub)
}
