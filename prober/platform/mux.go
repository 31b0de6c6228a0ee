package platform

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"streamcanary/prober"
)

// mux drives Mux Video's API: POST /video/v1/live-streams gives 201 with a
// stream_key and playback_ids; DELETE /video/v1/live-streams/{id} gives 204. A
// stream has no name there: passthrough carries it. Every broadcast becomes an
// asset, which costs and stays, so those are deleted, too.
type mux struct {
	given
	api  *api
	test bool
}

const (
	muxStreams  = "/video/v1/live-streams"
	muxAssets   = "/video/v1/assets"
	muxPageSize = 100
)

type muxStream struct {
	ID          string        `json:"id"`
	Key         prober.Secret `json:"stream_key"`
	PlaybackIDs []muxPlayback `json:"playback_ids"`
	Passthrough string        `json:"passthrough"`
	CreatedAt   string        `json:"created_at"` // seconds since 1970, as text
	ActiveAsset string        `json:"active_asset_id"`
	Assets      []string      `json:"recent_asset_ids"`
}

type muxPlayback struct {
	ID     string `json:"id"`
	Policy string `json:"policy"`
}

type muxAsset struct {
	ID          string        `json:"id"`
	Status      string        `json:"status"` // preparing, ready or errored
	PlaybackIDs []muxPlayback `json:"playback_ids"`
	Passthrough string        `json:"passthrough"`
	CreatedAt   string        `json:"created_at"`
}

func newMux(p prober.Platform, client *http.Client) (*mux, error) {
	if p.KeyID == "" || p.Key == "" {
		return nil, fmt.Errorf("platform mux: it needs api_key_id and api_key, an access token's id and secret")
	}
	a, err := newAPI(p, client)
	if err != nil {
		return nil, err
	}
	a.authorize = func(r *http.Request) { r.SetBasicAuth(p.KeyID, p.Key.Reveal()) }
	a.secrets = append(a.secrets, prober.Secret("Basic "+base64.StdEncoding.EncodeToString([]byte(p.KeyID+":"+p.Key.Reveal()))))
	return &mux{given: given{"mux"}, api: a, test: p.Test}, nil
}

func (m *mux) Create(ctx context.Context, name string) (Stream, *prober.Failure, error) {
	if err := checkName(name); err != nil {
		return Stream{}, nil, err
	}
	public := []string{"public"}
	body := map[string]any{"passthrough": name, "playback_policy": public,
		"new_asset_settings": map[string]any{"passthrough": name, "playback_policy": public}}
	if m.test {
		body["test"] = true
	}
	c := call{stage: prober.StageProvision, method: http.MethodPost, path: muxStreams, body: asJSON(body), want: []int{http.StatusCreated}, limit: maxStream}
	var s muxStream
	if failure, err := m.data(ctx, c, &s, "a live stream"); failure != nil || err != nil {
		return Stream{}, failure, err
	}
	playback := publicID(s.PlaybackIDs)
	made := Stream{Name: name, ID: s.ID, Key: s.Key, PlaybackID: playback}
	if failure := c.unusable(201, field{"id", s.ID}, field{"stream_key", s.Key.Reveal()}, field{"public playback id", playback}); failure != nil {
		return made.leftover(), failure, nil
	}
	return made, nil, nil
}

// PlayURL follows from the playback id, which other agents are told.
func (m *mux) PlayURL(ctx context.Context, s Stream, node string) (string, *prober.Failure, error) {
	if usable(s.PlaybackID) {
		s.Play = muxPlaylist(s.PlaybackID)
	}
	return m.given.PlayURL(ctx, s, node)
}

func muxPlaylist(playbackID string) string { return "https://stream.mux.com/" + playbackID + ".m3u8" }

func publicID(ids []muxPlayback) string {
	for _, p := range ids {
		if p.Policy == "public" {
			return p.ID
		}
	}
	return ""
}

// data makes a call and reads what stands under "data".
func (m *mux) data(ctx context.Context, c call, into any, what string) (*prober.Failure, error) {
	answer, failure, err := m.api.do(ctx, c)
	if failure != nil || err != nil {
		return failure, err
	}
	envelope := struct {
		Data any `json:"data"`
	}{into}
	if answer.status != http.StatusNotFound && !answer.decodes(&envelope) {
		return c.failure(prober.ReasonAPIBadAnswer, fmt.Sprintf("%d, but not %s in JSON", answer.status, what)), nil
	}
	return nil, nil //nolint:nilnil // nothing failed
}

// Delete asks first what was recorded: afterwards nobody knows.
func (m *mux) Delete(ctx context.Context, s Stream) (*prober.Failure, error) {
	if err := checkID(s.ID); err != nil {
		return nil, err
	}
	was, unknown, err := m.stream(ctx, prober.StageTeardown, s)
	if err != nil {
		return nil, err
	}
	failure, err := m.remove(ctx, muxStreams, s.ID, s)
	if failure != nil || err != nil {
		return failure, err
	}
	assets := was.Assets
	if was.ActiveAsset != "" {
		assets = append(assets, was.ActiveAsset)
	}
	for _, asset := range assets[:min(len(assets), maxRecordings)] {
		if !usable(asset) {
			continue
		}
		failure, err := m.remove(ctx, muxAssets, asset, s)
		if err != nil {
			return nil, err
		}
		if failure != nil {
			unknown = failure
		}
	}
	return unknown, nil
}

func (m *mux) remove(ctx context.Context, of, id string, s Stream) (*prober.Failure, error) {
	_, failure, err := m.api.do(ctx, call{stage: prober.StageTeardown, method: http.MethodDelete, path: of + "/" + url.PathEscape(id),
		want: []int{http.StatusNoContent, http.StatusNotFound}, limit: maxStream, secrets: s.secrets()})
	return failure, err
}

// stream reads a stream; one that is gone is empty.
func (m *mux) stream(ctx context.Context, stage prober.Stage, s Stream) (muxStream, *prober.Failure, error) {
	c := call{stage: stage, method: http.MethodGet, path: muxStreams + "/" + url.PathEscape(s.ID),
		want: []int{http.StatusOK, http.StatusNotFound}, limit: maxStream, secrets: s.secrets()}
	var is muxStream
	failure, err := m.data(ctx, c, &is, "a live stream")
	return is, failure, err
}

// Sweep deletes streams, and then the assets of streams that are gone already.
func (m *mux) Sweep(ctx context.Context, left Leftover) (int, *prober.Failure, error) {
	if err := checkName(left.Prefix); err != nil {
		return 0, nil, err
	}
	streams, failure, err := muxList(ctx, m, muxStreams, func(s muxStream) listed {
		return listed{Stream{Name: s.Passthrough, ID: s.ID, Key: s.Key}, muxTime(s.CreatedAt)}
	})
	if failure != nil || err != nil {
		return 0, failure, err
	}
	deleted, failure, err := deleteAll(ctx, left.left(streams, time.Now()), m.Delete)
	if failure != nil || err != nil {
		return deleted, failure, err
	}
	assets, failure, err := muxList(ctx, m, muxAssets, func(a muxAsset) listed {
		return listed{Stream{Name: a.Passthrough, ID: a.ID}, muxTime(a.CreatedAt)}
	})
	if failure != nil || err != nil {
		return deleted, failure, err
	}
	n, failure, err := deleteAll(ctx, left.left(assets, time.Now()), func(ctx context.Context, asset Stream) (*prober.Failure, error) {
		return m.remove(ctx, muxAssets, asset.ID, asset)
	})
	return deleted + n, failure, err
}

// muxList reads a list to its end before anything is deleted, which would shift
// the pages.
func muxList[T any](ctx context.Context, m *mux, path string, what func(T) listed) ([]listed, *prober.Failure, error) {
	var all []listed
	for page := 1; page <= maxPages; page++ {
		c := call{stage: prober.StageTeardown, method: http.MethodGet, want: []int{http.StatusOK}, limit: maxList,
			path: fmt.Sprintf("%s?limit=%d&page=%d", path, muxPageSize, page)}
		var items []T
		if failure, err := m.data(ctx, c, &items, "a list"); failure != nil || err != nil {
			return nil, failure, err
		}
		for _, item := range items {
			all = append(all, what(item))
		}
		if len(items) < muxPageSize {
			break
		}
	}
	return all, nil, nil
}

// Recording looks at the assets that the stream's broadcasts have become.
func (m *mux) Recording(ctx context.Context, s Stream) (string, *prober.Failure, error) {
	if err := checkID(s.ID); err != nil {
		return "", nil, err
	}
	stream, failure, err := m.stream(ctx, prober.StageRecording, s)
	if failure != nil || err != nil || len(stream.Assets) == 0 || stream.ActiveAsset != "" {
		return "", failure, err // none yet, or still being recorded
	}
	newest := stream.Assets[len(stream.Assets)-1]
	c := call{stage: prober.StageRecording, method: http.MethodGet, path: muxAssets + "/" + url.PathEscape(newest),
		want: []int{http.StatusOK}, limit: maxStream, secrets: s.secrets()}
	if failure := c.unusable(200, field{"asset id", newest}); failure != nil {
		return "", failure, nil
	}
	var a muxAsset
	if failure, err := m.data(ctx, c, &a, "an asset"); failure != nil || err != nil {
		return "", failure, err
	}
	playback := publicID(a.PlaybackIDs)
	switch {
	case a.Status == "errored":
		return "", c.failure(prober.ReasonRecordingMissing, "the platform says that the asset is errored"), nil
	case a.Status != "ready":
		return "", nil, nil
	}
	if failure := c.unusable(200, field{"public playback id", playback}); failure != nil {
		return "", failure, nil
	}
	return muxPlaylist(playback), nil, nil
}

func muxTime(seconds string) time.Time {
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || n <= 0 {
		return time.Time{}
	}
	return time.Unix(n, 0)
}
