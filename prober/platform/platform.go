// Package platform makes and deletes streams through a platform's API. It must
// not know RTMP, HLS, or why a stream is wanted.
package platform

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"streamcanary/prober"
)

// Prefix opens the name of every stream that we make. Nothing else is ever swept.
const Prefix = "streamcanary-"

// Stream is a stream that can be pushed to and pulled from.
type Stream struct {
	ID         string        // by which the API deletes it
	Key        prober.Secret // takes the place of {stream} in an ingest's URL
	PlaybackID string        // takes the place of {stream} in a playback's URL
}

// Platform is what every platform's API can do. A failure is the platform's; an
// error means that the call was wrong.
type Platform interface {
	// Create makes a stream. The name has to begin with Prefix.
	Create(ctx context.Context, name string) (Stream, *prober.Failure, error)
	// Delete ends a stream. One that is gone already counts as deleted.
	Delete(ctx context.Context, s Stream) (*prober.Failure, error)
	// Sweep deletes every stream whose name begins with prefix, which has to be
	// longer than Prefix: an agent's own, left behind by a run that crashed.
	Sweep(ctx context.Context, prefix string) (deleted int, failure *prober.Failure, err error)
}

// requestTimeout bounds each call of an API, its answer included.
const requestTimeout = 10 * time.Second

// New makes the platform that p describes. A nil client means one of its own.
func New(p prober.Platform, client *http.Client) (Platform, error) {
	switch p.Type {
	case "static":
		return static{}, nil
	case "livepeer":
		base, err := url.Parse(p.API)
		if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
			return nil, fmt.Errorf("platform livepeer: its api has to be an http or https URL, such as https://livepeer.studio/api")
		}
		return &livepeer{api: newAPI(base, p.Key, client)}, nil
	}
	return nil, fmt.Errorf("platform type %q: want livepeer or static", p.Type)
}

func checkName(name string) error {
	if len(name) <= len(Prefix) || !strings.HasPrefix(name, Prefix) {
		return fmt.Errorf("stream name %q: want %q and more", name, Prefix)
	}
	return nil
}

// static is a platform where a stream exists once it is pushed to: its name is
// its key and its playback id.
type static struct{}

func (static) Create(_ context.Context, name string) (Stream, *prober.Failure, error) {
	if err := checkName(name); err != nil {
		return Stream{}, nil, err
	}
	return Stream{ID: name, Key: prober.Secret(name), PlaybackID: name}, nil, nil
}

func (static) Delete(context.Context, Stream) (*prober.Failure, error) { return nil, nil }

func (static) Sweep(_ context.Context, prefix string) (int, *prober.Failure, error) {
	return 0, nil, checkName(prefix)
}
