// Package platform makes, finds and deletes streams through a platform's API.
// It must not know RTMP, HLS, or why a stream is wanted.
package platform

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"streamcanary/prober"
)

// Prefix opens the name of every stream that we make. Nothing else is ever swept.
const Prefix = "streamcanary-"

// Stream is a stream that can be pushed to and pulled from.
type Stream struct {
	Name       string        // that it was made under; "" where it is not known
	ID         string        // by which the API deletes it
	Key        prober.Secret // takes the place of {stream} in an ingest's URL
	PlaybackID string        // takes the place of {stream} in a playback's URL
	Push       prober.Secret // whole URL, key included, where the API gave one with the stream
	Play       string        // URL of its playlist, where the API gave one with the stream
}

// secrets are what a server may repeat of a stream, and nobody else is to read.
func (s Stream) secrets() []prober.Secret {
	all := []prober.Secret{s.Key, s.Push}
	if u, err := url.Parse(s.Push.Reveal()); err == nil && len(u.Path) > 1 {
		password, _ := u.User.Password()
		all = append(all, prober.Secret(path.Base(u.Path)), prober.Secret(u.RawQuery), prober.Secret(password))
	}
	if u, err := url.Parse(s.Play); err == nil {
		all = append(all, prober.Secret(u.RawQuery)) // signed, where it has one
	}
	return all
}

// leftover is a stream that was made and cannot be used; the zero Stream where not
// even its id is known.
func (s Stream) leftover() Stream {
	if !usable(s.ID) {
		return Stream{}
	}
	return s
}

// Leftover says which streams a sweep deletes.
type Leftover struct {
	Prefix    string                 // of their names, as it is, longer than the constant Prefix
	OlderThan time.Duration          // what was made less long ago stays; where the API does not tell, it is old
	Keep      func(name string) bool // what is in use; nil keeps nothing
}

// Platform is what every platform's API can do. A failure is the platform's; an
// error means that the call was wrong. Its methods are bounded in time and safe
// for use by several goroutines.
type Platform interface {
	// Create makes a stream. The name has to begin with Prefix. A stream that it gives
	// with a failure was made, and is of no use but to be deleted, or swept by its name
	// where that is all that it has.
	Create(ctx context.Context, name string) (Stream, *prober.Failure, error)
	// Delete ends a stream, and deletes what was recorded of it. One that is gone
	// already counts as deleted.
	Delete(ctx context.Context, s Stream) (*prober.Failure, error)
	// Sweep deletes what runs that crashed have left behind. It tries every one,
	// and gives the first failure.
	Sweep(ctx context.Context, l Leftover) (deleted int, failure *prober.Failure, err error)
	// PushURL is where the API says that a stream is pushed to, key included: at
	// the ingest whose host holds node, or at any.
	PushURL(ctx context.Context, s Stream, node string) (prober.Secret, *prober.Failure, error)
	// PlayURL is where the API says that a stream is played, by its playlist's URL.
	PlayURL(ctx context.Context, s Stream, node string) (string, *prober.Failure, error)
	// Recording is the URL of a playlist of what was recorded of a stream, or ""
	// while there is none yet.
	Recording(ctx context.Context, s Stream) (string, *prober.Failure, error)
}

// requestTimeout bounds each call of an API, its answer included.
const requestTimeout = 10 * time.Second

// Types lists the types that New knows.
func Types() []string { return []string{"livepeer", "mux", "cloudflare", "http", "static"} }

// New makes the platform that p describes. A nil client means one of its own.
func New(p prober.Platform, client *http.Client) (Platform, error) {
	switch p.Type {
	case "static":
		return static{}, nil
	case "livepeer":
		return newLivepeer(p, client)
	case "mux":
		return newMux(p, client)
	case "cloudflare":
		return newCloudflare(p, client)
	case "http":
		return newContract(p, client)
	}
	return nil, fmt.Errorf("platform type %q: want one of %s", p.Type, strings.Join(Types(), ", "))
}

func checkName(name string) error {
	if len(name) <= len(Prefix) || !strings.HasPrefix(name, Prefix) {
		return fmt.Errorf("stream name %q: want %q and more", name, Prefix)
	}
	return nil
}

// checkID keeps a delete from being that of another thing, or of a whole collection.
func checkID(id string) error {
	if !usable(id) {
		return fmt.Errorf("stream id %q: want one that the platform gave", id)
	}
	return nil
}

// given is what a platform can say of addresses that gave them with the stream,
// or never does. Platforms that can be asked have methods of their own.
type given struct{ platform string }

func (g given) PushURL(_ context.Context, s Stream, node string) (prober.Secret, *prober.Failure, error) {
	if s.Push == "" || node != "" {
		return "", g.missing(prober.StageProvision, "an ingest", node), nil
	}
	return s.Push, nil, nil
}

func (g given) PlayURL(_ context.Context, s Stream, node string) (string, *prober.Failure, error) {
	if s.Play == "" || node != "" {
		return "", g.missing(prober.StageProvision, "a playback", node), nil
	}
	return s.Play, nil, nil
}

func (g given) Recording(context.Context, Stream) (string, *prober.Failure, error) {
	return "", g.missing(prober.StageRecording, "a recording", ""), nil
}

func (g given) missing(stage prober.Stage, what, node string) *prober.Failure {
	detail := "the " + g.platform + " platform does not say where " + what + " is; give its URL in the configuration"
	if node != "" {
		detail = "the " + g.platform + " platform lists no nodes; leave node out"
	}
	return &prober.Failure{Outcome: prober.Inconclusive, Stage: stage, Reason: prober.ReasonConfiguration, Detail: detail}
}
