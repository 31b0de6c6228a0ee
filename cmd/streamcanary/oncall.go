package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"streamcanary/config"
	"streamcanary/prober"

	"github.com/spf13/cobra"
)

// onCall is where a hub is, and the token that lets on-call in.
type onCall struct {
	hub       string
	token     prober.Secret
	tokenFile string
	config    string
	from      string // where the token is from, for a person who has the wrong one
}

const onCallHelp = `The hub's address is --hub, or STREAMCANARY_HUB, without which it is looked for on
this machine. Its on-call token (alerts.token) is taken from STREAMCANARY_ALERTS_TOKEN, or
from --token-file: on a command line every user of the machine could read it. On the
hub's own machine --config has both.`

const defaultHub = "http://127.0.0.1:8080"

// flags adds what every command of on-call has.
func (o *onCall) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.hub, "hub", "", "the hub's address (default: $STREAMCANARY_HUB, or "+defaultHub+")")
	cmd.Flags().StringVar(&o.tokenFile, "token-file", "", "a file that holds the on-call token and nothing else")
	cmd.Flags().StringVar(&o.config, "config", "", "the hub's configuration file: http.listen and alerts.token")
}

// check completes what the flags say from the environment.
func (o *onCall) check() error {
	if err := o.configured(); err != nil {
		return err
	}
	o.hub = strings.TrimRight(orEnvironment(o.hub, "STREAMCANARY_HUB"), "/")
	if o.hub == "" {
		o.hub = defaultHub
	}
	u, err := url.Parse(o.hub)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.User != nil {
		return usageErrorf("--hub is not http://HOST[:PORT] or https://HOST")
	}
	if o.token == "" {
		o.token, o.from = prober.Secret(os.Getenv("STREAMCANARY_ALERTS_TOKEN")), "STREAMCANARY_ALERTS_TOKEN"
	}
	if o.token == "" {
		return usageErrorf("STREAMCANARY_ALERTS_TOKEN is not set; put the hub's on-call token (alerts.token) into it, or name its file with --token-file")
	}
	return nil
}

// configured takes what the flags' files say.
func (o *onCall) configured() error {
	const most = 4 << 10 // bytes of a token's file
	if o.config != "" {
		cfg, err := config.LoadHub(o.config)
		if err != nil {
			return err
		}
		o.token, o.from = cfg.Alerts.Token, "--config "+o.config
		if o.hub == "" {
			o.hub = "http://" + reachable(cfg.HTTP.Listen)
		}
	}
	if o.tokenFile == "" {
		return nil
	}
	f, err := os.Open(o.tokenFile)
	if err != nil {
		return fmt.Errorf("--token-file: %w", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return fmt.Errorf("--token-file: %w", err)
	}
	if o.token, o.from = prober.Secret(strings.TrimSpace(string(text))), "--token-file "+o.tokenFile; o.token == "" {
		return usageErrorf("--token-file %s is empty; it must hold the on-call token", o.tokenFile)
	}
	return nil
}

// reachable is where a server that listens on an address is found on its machine.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen // checked: it cannot be
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// get asks the hub. The body is the caller's to close; an answer other than 200 is an
// error that says what to do.
func (o *onCall) get(ctx context.Context, path string) (io.ReadCloser, error) {
	return o.call(ctx, http.MethodGet, path, nil)
}

// maxAnswer bounds what is read of an answer that is read whole, in bytes.
const maxAnswer = 64 << 20

// read asks the hub for a small document, which it reads and gives as it came.
func (o *onCall) read(ctx context.Context, path string, into any) ([]byte, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	body, err := o.get(ctx, path)
	return whole(body, err, into)
}

// show reads a document into something, and prints it as it came or in text's words.
func (o *onCall) show(cmd *cobra.Command, asJSON bool, path string, into any, text func(io.Writer) error) error {
	raw, err := o.read(cmd.Context(), path, into)
	if err != nil {
		return err
	}
	if asJSON {
		_, err = cmd.OutOrStdout().Write(raw)
		return err
	}
	return text(cmd.OutOrStdout())
}

// newListCommand makes a command that lists what the hub has at /v1/NAME, of the shape T.
func newListCommand[T any](name, short, long string, text func(io.Writer, T) error) *cobra.Command {
	var hub onCall
	var asJSON bool
	cmd := &cobra.Command{
		Use: name, Short: short, Long: long, Args: noArgs,
		Example: "  streamcanary " + name + " --config hub.yaml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var list T
			return hub.show(cmd, asJSON, "/v1/"+name, &list, func(w io.Writer) error { return text(w, list) })
		},
	}
	hub.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the "+name+" as JSON")
	return cmd
}

// tell tells the hub something, and reads its answer as read does.
func (o *onCall) tell(ctx context.Context, path string, what, into any) ([]byte, error) {
	payload, err := json.Marshal(what)
	if err != nil {
		return nil, err
	}
	body, err := o.call(ctx, http.MethodPost, path, bytes.NewReader(payload))
	return whole(body, err, into)
}

func whole(body io.ReadCloser, err error, into any) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("the hub's answer is not whole: %w", err)
	}
	return raw, decode(raw, into)
}

// call is get for any method. What a person cannot do has the hub's own reason.
func (o *onCall) call(ctx context.Context, method, path string, body io.Reader) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, o.hub+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+o.token.Reveal())
	answer, err := o.client().Do(req)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err
		}
		return nil, fmt.Errorf("the hub at %s cannot be reached: %s; does it run, and is --hub (or STREAMCANARY_HUB) the address of its page?", o.hub, prober.Clip(err.Error(), 200))
	}
	if answer.StatusCode == http.StatusOK || answer.StatusCode == http.StatusAccepted {
		return answer.Body, nil
	}
	defer func() { _ = answer.Body.Close() }()
	switch answer.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, o.unknownToken()
	case http.StatusConflict, http.StatusUnprocessableEntity, http.StatusBadRequest:
		said, _ := io.ReadAll(io.LimitReader(answer.Body, 1000))
		return nil, fmt.Errorf("refused: %s", prober.Clip(strings.TrimSpace(string(said)), 500))
	case http.StatusNotFound:
		said, _ := io.ReadAll(io.LimitReader(answer.Body, 1000))
		if text := strings.TrimSpace(string(said)); strings.HasPrefix(answer.Header.Get("Content-Type"), "text/plain") && text != "404 page not found" {
			return nil, fmt.Errorf("refused: %s%s", prober.Clip(text, 500), listed(path))
		}
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

// listed says where to find the id of what there is not.
func listed(path string) string {
	switch {
	case strings.HasPrefix(path, "/v1/incidents/"):
		return "; 'streamcanary incident list --state all' has their ids"
	case strings.HasPrefix(path, "/v1/maintenances/"):
		return "; 'streamcanary maintenance list' has their ids"
	}
	return ""
}

func (o *onCall) unknownToken() error {
	return fmt.Errorf("the hub at %s does not know the token of %s; it wants its configuration's alerts.token, or one of alerts.people", o.hub, o.from)
}
