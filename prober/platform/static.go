package platform

import (
	"context"

	"streamcanary/prober"
)

// static is a platform where a stream exists once it is pushed to: its name is
// its key and its playback id.
type static struct{}

func (static) Create(_ context.Context, name string) (Stream, *prober.Failure, error) {
	if err := checkName(name); err != nil {
		return Stream{}, nil, err
	}
	return Stream{Name: name, ID: name, Key: prober.Secret(name), PlaybackID: name}, nil, nil
}

func (static) Delete(context.Context, Stream) (*prober.Failure, error) { return nil, nil }

func (static) Sweep(_ context.Context, l Leftover) (int, *prober.Failure, error) {
	return 0, nil, checkName(l.Prefix)
}

func (static) PushURL(ctx context.Context, s Stream, node string) (prober.Secret, *prober.Failure, error) {
	return given{"static"}.PushURL(ctx, s, node)
}

func (static) PlayURL(ctx context.Context, s Stream, node string) (string, *prober.Failure, error) {
	return given{"static"}.PlayURL(ctx, s, node)
}

func (static) Recording(ctx context.Context, s Stream) (string, *prober.Failure, error) {
	return given{"static"}.Recording(ctx, s)
}
