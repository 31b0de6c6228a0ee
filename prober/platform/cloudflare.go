package platform

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"streamcanary/prober"
)

// cloudflare drives Cloudflare Stream's API: POST .../stream/live_inputs gives
// 200 with a uid and where to push (RTMPS only); DELETE .../live_inputs/{uid}
// leaves the recordings, which are videos of their own, so those are deleted first.
type cloudflare struct {
	given
	api    *api
	root   string // path of the account's streams
	record bool
}

type cloudflareInput struct {
	UID     string         `json:"uid"`
	Created string         `json:"created"` // RFC 3339
	Meta    cloudflareMeta `json:"meta"`
	RTMPS   struct {
		URL string        `json:"url"`
		Key prober.Secret `json:"streamKey"`
	} `json:"rtmps"`
}

// cloudflareMeta is the caller's own store of keys; it may hold anything.
type cloudflareMeta struct{ name string }

func (m *cloudflareMeta) UnmarshalJSON(b []byte) error {
	var meta struct {
		Name string `json:"name"`
	}
	if json.Unmarshal(b, &meta) == nil {
		m.name = meta.Name
	}
	return nil
}

type cloudflareVideo struct {
	UID    string `json:"uid"`
	Ready  bool   `json:"readyToStream"`
	Status struct {
		State string `json:"state"`
	} `json:"status"`
	Playback struct {
		HLS string `json:"hls"`
	} `json:"playback"`
}

func newCloudflare(p prober.Platform, client *http.Client) (*cloudflare, error) {
	if !usable(p.Account) || p.Key == "" {
		return nil, fmt.Errorf("platform cloudflare: it needs account and api_key, the account's id and a token that may edit Stream")
	}
	a, err := newAPI(p, client)
	return &cloudflare{given: given{"cloudflare"}, api: a, root: "/accounts/" + p.Account + "/stream", record: p.Record}, err
}

func (f *cloudflare) Create(ctx context.Context, name string) (Stream, *prober.Failure, error) {
	if err := checkName(name); err != nil {
		return Stream{}, nil, err
	}
	mode := "off"
	if f.record {
		mode = "automatic"
	}
	c := f.call(prober.StageProvision, http.MethodPost, "/live_inputs", maxStream)
	c.body = asJSON(map[string]any{"meta": map[string]string{"name": name}, "recording": map[string]string{"mode": mode}})
	var in cloudflareInput
	if failure, err := f.result(ctx, c, &in, "a live input"); failure != nil || err != nil {
		return Stream{Name: name, ID: in.UID, Key: in.RTMPS.Key}.leftover(), failure, err
	}
	made := Stream{Name: name, ID: in.UID, Key: in.RTMPS.Key, PlaybackID: in.UID}
	if failure := c.unusable(200, field{"uid", in.UID}, field{"rtmps.streamKey", in.RTMPS.Key.Reveal()}); failure != nil {
		return made.leftover(), failure, nil
	}
	if !usableURL(in.RTMPS.URL, "rtmps") {
		return made.leftover(), c.failure(prober.ReasonAPIBadAnswer, "200, but without a usable rtmps.url"), nil
	}
	made.Push = prober.Secret(strings.TrimRight(in.RTMPS.URL, "/") + "/" + in.RTMPS.Key.Reveal())
	return made, nil, nil
}

// call is one of the account's streams; a path shows without the account.
func (f *cloudflare) call(stage prober.Stage, method, path string, limit int64) call {
	shown, _, _ := strings.Cut(path, "?")
	return call{stage: stage, method: method, path: f.root + path, shown: "stream" + shown, want: []int{http.StatusOK}, limit: limit}
}

// result makes a call and reads what stands under "result" of a success.
func (f *cloudflare) result(ctx context.Context, c call, into any, what string) (*prober.Failure, error) {
	answer, failure, err := f.api.do(ctx, c)
	var envelope struct {
		Success bool            `json:"success"`
		Result  json.RawMessage `json:"result"`
	}
	if failure != nil || err != nil {
		if answer.decodes(&envelope) { // what was made under another status
			_ = json.Unmarshal(envelope.Result, into)
		}
		return failure, err
	}
	if answer.status == http.StatusNotFound {
		return nil, nil //nolint:nilnil // asked for as a success: it is gone
	}
	fits := answer.decodes(&envelope) && envelope.Success && json.Unmarshal(envelope.Result, into) == nil
	if !fits {
		return c.failure(prober.ReasonAPIBadAnswer, fmt.Sprintf("%d, but not %s in JSON", answer.status, what)), nil
	}
	return nil, nil //nolint:nilnil // nothing failed
}

// Delete takes the input last, and leaves it where something that was recorded of it
// is left: without the input nobody would know of that any more, neither the next
// attempt nor a sweep.
func (f *cloudflare) Delete(ctx context.Context, s Stream) (*prober.Failure, error) {
	if err := checkID(s.ID); err != nil {
		return nil, err
	}
	videos, failure, err := f.videos(ctx, prober.StageTeardown, s)
	if failure != nil || err != nil {
		return failure, err
	}
	if failure, err = f.removeVideos(ctx, videos, s); failure != nil || err != nil {
		return failure, err
	}
	return f.remove(ctx, "/live_inputs/"+url.PathEscape(s.ID), s)
}

// removeVideos tries every one within its bound, and gives the first failure. That
// more are left is one, too.
func (f *cloudflare) removeVideos(ctx context.Context, videos []cloudflareVideo, s Stream) (first *prober.Failure, err error) {
	list := f.videosCall(prober.StageTeardown, s)
	for _, v := range videos[:min(len(videos), maxRecordings)] {
		failure := list.unusable(http.StatusOK, field{"uid of a video", v.UID})
		if failure == nil {
			if failure, err = f.remove(ctx, "/"+v.UID, s); err != nil {
				return nil, err
			}
		}
		if first == nil {
			first = failure
		}
	}
	if left := len(videos) - maxRecordings; left > 0 && first == nil {
		first = list.failure(prober.ReasonTeardownFailed, fmt.Sprintf("%d recordings, of which %d are left for the next attempt", len(videos), left))
	}
	return first, nil
}

func (f *cloudflare) remove(ctx context.Context, path string, s Stream) (*prober.Failure, error) {
	c := f.call(prober.StageTeardown, http.MethodDelete, path, maxStream)
	c.secrets = s.secrets()
	c.want = []int{http.StatusOK, http.StatusNoContent, http.StatusNotFound}
	_, failure, err := f.api.do(ctx, c)
	return failure, err
}

// videos are what was recorded of an input, of one that is gone none.
func (f *cloudflare) videos(ctx context.Context, stage prober.Stage, s Stream) ([]cloudflareVideo, *prober.Failure, error) {
	c := f.videosCall(stage, s)
	if stage == prober.StageTeardown {
		c.want = append(c.want, http.StatusNotFound)
	}
	var videos []cloudflareVideo
	failure, err := f.result(ctx, c, &videos, "a list of videos")
	return videos, failure, err
}

func (f *cloudflare) videosCall(stage prober.Stage, s Stream) call {
	c := f.call(stage, http.MethodGet, "/live_inputs/"+url.PathEscape(s.ID)+"/videos", maxList)
	c.secrets = s.secrets()
	return c
}

// Sweep lists again after it has deleted, since the list is cut off at a length
// and has no pages.
func (f *cloudflare) Sweep(ctx context.Context, left Leftover) (int, *prober.Failure, error) {
	if err := checkName(left.Prefix); err != nil {
		return 0, nil, err
	}
	total := 0
	gone := map[string]bool{} // a list may lag behind
	del := func(ctx context.Context, s Stream) (*prober.Failure, error) {
		gone[s.ID] = true
		return f.Delete(ctx, s)
	}
	for range maxPages {
		all, failure, err := f.list(ctx)
		if failure != nil || err != nil {
			return total, failure, err
		}
		fresh := slices.DeleteFunc(left.left(all, time.Now()), func(s Stream) bool { return gone[s.ID] })
		n, failure, err := deleteAll(ctx, fresh, del)
		if total += n; failure != nil || err != nil || n == 0 {
			return total, failure, err
		}
	}
	return total, nil, nil
}

func (f *cloudflare) list(ctx context.Context) ([]listed, *prober.Failure, error) {
	c := f.call(prober.StageTeardown, http.MethodGet, "/live_inputs", maxList)
	var list cloudflareList
	if failure, err := f.result(ctx, c, &list, "a list of live inputs"); failure != nil || err != nil {
		return nil, failure, err
	}
	all := make([]listed, 0, len(list))
	for _, in := range list {
		created, _ := time.Parse(time.RFC3339, in.Created) // the zero time: not told
		all = append(all, listed{Stream{Name: in.Meta.name, ID: in.UID}, created})
	}
	return all, nil, nil
}

// cloudflareList is the result of a list: an array, or one under "liveInputs",
// depending on the age of the documentation.
type cloudflareList []cloudflareInput

func (l *cloudflareList) UnmarshalJSON(b []byte) error {
	var list []cloudflareInput
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] == '[' {
		if err := json.Unmarshal(b, &list); err != nil {
			return fmt.Errorf("live inputs: %w", err)
		}
		*l = list
		return nil
	}
	var wrapped struct {
		Inputs *[]cloudflareInput `json:"liveInputs"`
	}
	if err := json.Unmarshal(b, &wrapped); err != nil {
		return fmt.Errorf("live inputs: %w", err)
	}
	if wrapped.Inputs == nil {
		return fmt.Errorf("live inputs: no list")
	}
	*l = *wrapped.Inputs
	return nil
}

func (f *cloudflare) Recording(ctx context.Context, s Stream) (string, *prober.Failure, error) {
	if err := checkID(s.ID); err != nil {
		return "", nil, err
	}
	videos, failure, err := f.videos(ctx, prober.StageRecording, s)
	if failure != nil || err != nil {
		return "", failure, err
	}
	c := f.videosCall(prober.StageRecording, s)
	for _, v := range videos {
		switch {
		case v.Status.State == "error":
			return "", c.failure(prober.ReasonRecordingMissing, "the platform says that the recording is in error"), nil
		case !v.Ready || v.Status.State == "live-inprogress":
		case !usableURL(v.Playback.HLS, "http", "https"):
			return "", c.failure(prober.ReasonAPIBadAnswer, "a video is ready, but without a usable playback.hls"), nil
		default:
			return v.Playback.HLS, nil, nil
		}
	}
	return "", nil, nil
}
