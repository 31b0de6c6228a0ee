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
	"strings"
	"syscall"
	"time"

	"streamcanary/prober/origin"

	"github.com/spf13/cobra"
)

const drillHelp = `Break the platform of the demo that listens on --http, for a while, and return
when it is healed. A drill touches nothing but the origins: agents and hub find
out for themselves. A demo takes drills from its own machine only.`

const (
	drillPath   = "/demo/drills"
	drillHeader = "X-Streamcanary-Drill" // a page in somebody's browser cannot send it
	maxDrill    = 10 * time.Minute
)

// drillRequest is the body of POST /demo/drills.
type drillRequest struct {
	Fault  string `json:"fault"`
	Region string `json:"region"` // "" is all
	For    string `json:"for"`    // such as 20s
}

func newDrillCommand() *cobra.Command {
	var (
		region, addr string
		d            time.Duration
		list         bool
	)
	cmd := &cobra.Command{
		Use:     "drill FAULT",
		Short:   "Break the demo's platform for a while",
		Long:    drillHelp,
		Example: "  streamcanary drill --list\n  streamcanary drill restart --region fra\n  streamcanary drill refuse-publish --for 30s",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if list {
				return listFaults(cmd.OutOrStdout())
			}
			if len(args) != 1 {
				return usageErrorf("name one fault; 'streamcanary drill --list' names them all")
			}
			if err := playable(args[0]); err != nil {
				return usageErrorf("%w", err)
			}
			if d <= 0 || d > maxDrill {
				return usageErrorf("--for is %s; it must be above 0 and at most %s", d, maxDrill)
			}
			return runDrill(cmd.Context(), cmd.OutOrStdout(), addr, drillRequest{Fault: args[0], Region: region, For: d.String()}, d)
		},
	}
	f := cmd.Flags()
	f.StringVar(&region, "region", "", "fra, nyc or sin (default: all)")
	f.DurationVar(&d, "for", 20*time.Second, "how long")
	f.StringVar(&addr, "http", defaultAddr, "where the demo listens, HOST:PORT")
	f.BoolVar(&list, "list", false, "name the faults and end")
	return cmd
}

func listFaults(w io.Writer) error {
	for _, f := range origin.Faults() {
		help := f.Help
		if f.Needs != "" {
			help += " (not in the demo: it needs " + string(f.Needs) + ")"
		}
		if _, err := fmt.Fprintf(w, "%-30s %s\n", f.Name, help); err != nil {
			return err
		}
	}
	return nil
}

// playable says why the demo has no such fault: its origins have one rendition, no
// TLS, no low latency and no recordings.
func playable(name string) error {
	for _, f := range origin.Faults() {
		switch {
		case f.Name != name:
		case f.Needs != "":
			return fmt.Errorf("the demo cannot play %s: it needs %s, which the demo's origins do not have", name, f.Needs)
		default:
			return nil
		}
	}
	return fmt.Errorf("there is no fault %.40q; 'streamcanary drill --list' names them all", name)
}

func runDrill(ctx context.Context, w io.Writer, addr string, r drillRequest, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d+30*time.Second)
	defer cancel()
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+drillPath, bytes.NewReader(body))
	if err != nil {
		return usageErrorf("--http %q: %w", addr, err)
	}
	req.Header.Set(drillHeader, "1")
	resp, err := http.DefaultClient.Do(req)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("no demo listens on %s; start one with 'streamcanary demo', or say where it is with --http", addr)
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("drill: interrupted; %s ends early, and the demo heals", r.Fault)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		return fmt.Errorf("drill: the demo ended, and %s with it", r.Fault)
	}
	if err != nil {
		return fmt.Errorf("drill: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil {
		return fmt.Errorf("drill: the demo went away: %w", err)
	}
	answer := strings.TrimSpace(string(text))
	switch resp.StatusCode {
	case http.StatusOK:
		_, err = fmt.Fprintln(w, answer)
		return err
	case http.StatusNotFound:
		return fmt.Errorf("what listens on %s is not a demo; drills break demos only", addr)
	default:
		return fmt.Errorf("drill: %s", answer)
	}
}

// withDrills lets the demo take drills beside its page, from this machine only.
func (d *demo) withDrills(page http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", page)
	mux.HandleFunc("POST "+drillPath, d.serveDrill)
	return mux
}

func (d *demo) serveDrill(w http.ResponseWriter, r *http.Request) {
	if err := fromThisMachine(r); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	req, length, err := d.readDrill(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	where := req.Region
	if where == "" || where == "all" {
		where = "all regions"
	}
	d.tell.say("drill", fmt.Sprintf("%s in %s for %s", req.Fault, where, length))
	begun := time.Now()
	_ = http.NewResponseController(w).SetWriteDeadline(begun.Add(length + 30*time.Second)) // the answer comes when it is over
	err = d.platform.inject(r.Context(), req.Fault, req.Region, length)
	switch {
	case r.Context().Err() != nil: // whoever asked is gone, or the demo ends
		http.Error(w, fmt.Sprintf("the demo ended, and %s with it", req.Fault), http.StatusServiceUnavailable)
	case err != nil:
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
	default:
		d.tell.say("drill", req.Fault+" is over")
		_, _ = fmt.Fprintf(w, "%s in %s: over after %s\n", req.Fault, where, time.Since(begun).Round(100*time.Millisecond))
	}
}

// fromThisMachine says why a request is not one of our own drill command. A page
// in a browser of this machine comes from loopback, too: under a name of its own
// that it has had resolved to here (DNS rebinding), or with an Origin. So does
// what a proxy passes on.
func fromThisMachine(r *http.Request) error {
	refused := func(why string) error {
		return fmt.Errorf("a demo takes drills from its own machine only, through 'streamcanary drill': %s", why)
	}
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || !net.ParseIP(from).IsLoopback() {
		return refused("this one comes from elsewhere")
	}
	for _, name := range []string{"Origin", "X-Forwarded-For", "Forwarded"} {
		if len(r.Header.Values(name)) > 0 {
			return refused("this one has the header " + name)
		}
	}
	if r.Header.Get(drillHeader) == "" {
		return refused("this one lacks the header " + drillHeader)
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if !strings.EqualFold(host, "localhost") && !net.ParseIP(strings.Trim(host, "[]")).IsLoopback() {
		return refused("address it as 127.0.0.1, [::1] or localhost")
	}
	return nil
}

// readDrill reads a request's body and says what is wrong with it.
func (d *demo) readDrill(r *http.Request) (drillRequest, time.Duration, error) {
	var req drillRequest
	if err := json.NewDecoder(io.LimitReader(r.Body, 4<<10)).Decode(&req); err != nil {
		return req, 0, fmt.Errorf("the body is not a drill: %w", err)
	}
	length, err := time.ParseDuration(req.For)
	if err != nil || length <= 0 || length > maxDrill {
		return req, 0, fmt.Errorf("for is %.40q; it must be above 0 and at most %s", req.For, maxDrill)
	}
	if err := playable(req.Fault); err != nil {
		return req, 0, err
	}
	_, err = d.platform.in(req.Region)
	return req, length, err
}
