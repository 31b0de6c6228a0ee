package origin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// call calls an origin's API.
func call(t *testing.T, o *Origin, method, path, token, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, o.APIURL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	w, err := (&http.Client{Transport: transport, Timeout: patience}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	b, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.StatusCode, string(b)
}

func TestAPIContract(t *testing.T) {
	t.Parallel()
	o := start(t, 1, Config{Auth: "secret"})[0]
	for _, of := range []struct {
		name, method, path, token, body string
		status                          int
		contains                        string
	}{
		{"no token", "GET", "/stream", "", "", 401, "bearer token"},
		{"wrong token", "POST", "/stream", "guess", `{"name":"a"}`, 401, "no such token"},
		{"least", "POST", "/stream", "secret", `{"name":"a"}`, 201, `"isActive":false`},
		{"all keys", "POST", "/stream", "secret", `{"name":"a","profiles":[{"name":"240p","width":426,"height":240,"bitrate":250000,"fps":0}],
			"record":true,"playbackPolicy":{"type":"public"},"multistream":{},"pull":null,"creatorId":"x","userTags":{},"recordingSpec":{}}`, 201, `"record":true`},
		{"unknown key", "POST", "/stream", "secret", `{"name":"a","title":"b"}`, 422, "title"},
		{"no name", "POST", "/stream", "secret", `{}`, 422, "name"},
		{"wrong type", "POST", "/stream", "secret", `{"name":1}`, 422, "name"},
		{"recordingSpec without record", "POST", "/stream", "secret", `{"name":"a","recordingSpec":{}}`, 400, "recordingSpec"},
		{"not JSON", "POST", "/stream", "secret", `name=a`, 400, "errors"},
		{"empty", "POST", "/stream", "secret", ``, 400, "errors"},
		{"two values", "POST", "/stream", "secret", `{"name":"a"}{}`, 400, "more than one"},
		{"too long", "POST", "/stream", "secret", `{"name":"` + strings.Repeat("a", maxRequest) + `"}`, 413, "errors"},
		{"unknown stream", "GET", "/stream/nobody", "secret", "", 404, "no such stream"},
		{"delete of an unknown stream", "DELETE", "/stream/nobody", "secret", "", 404, "no such stream"},
		{"a cursor of another", "GET", "/stream?cursor=x", "secret", "", 400, "not one of ours"},
		{"another method", "PUT", "/stream", "secret", "", 405, ""},
		{"another path", "GET", "/asset", "secret", "", 404, ""},
	} {
		status, body := call(t, o, of.method, of.path, of.token, of.body)
		if status != of.status || !strings.Contains(body, of.contains) {
			t.Errorf("%s: %d %s, want %d with %q", of.name, status, body, of.status, of.contains)
		}
	}
}

func TestStreamsLife(t *testing.T) {
	t.Parallel()
	origins := start(t, 2, Config{})
	status, body := call(t, origins[0], "POST", "/stream", "", `{"name":"sc-1"}`)
	var made streamView
	if err := json.Unmarshal([]byte(body), &made); err != nil || status != http.StatusCreated {
		t.Fatalf("%d %s, %v", status, body, err)
	}
	if !regexp.MustCompile(`^[0-9a-z]{4}(-[0-9a-z]{4}){3}$`).MatchString(made.StreamKey) {
		t.Error("the stream key is not four groups of four")
	}
	if made.ID == "" || made.PlaybackID == "" || made.CreatedAt < 1e12 || made.LastSeen != 0 || made.Name != "sc-1" {
		t.Errorf("made %s", body)
	}
	c := mustPublish(t, origins[1], made.StreamKey)
	c.push(3)
	for _, o := range origins {
		eventually(t, "it plays at its playback id", func() error { return plays(t, o, made.PlaybackID, c.run) })
		if err := plays(t, o, made.StreamKey, c.run); err == nil {
			t.Error("it plays at its key")
		}
	}
	active := func(want bool) error {
		_, body := call(t, origins[0], "GET", "/stream/"+made.ID, "", "")
		var now streamView
		if err := json.Unmarshal([]byte(body), &now); err != nil || now.IsActive != want || now.LastSeen < made.CreatedAt {
			return fmt.Errorf("%s, %w", body, err)
		}
		return nil
	}
	if err := active(true); err != nil {
		t.Error(err)
	}
	call(t, origins[0], "POST", "/stream", "", `{"name":"sc-2"}`)
	var list []streamView
	if _, body := call(t, origins[1], "GET", "/stream", "", ""); json.Unmarshal([]byte(body), &list) != nil ||
		len(list) != 2 || list[0].Name != "sc-2" || list[1].ID != made.ID {
		t.Errorf("list: %s", body)
	}
	if status, body := call(t, origins[0], "DELETE", "/stream/"+made.ID, "", ""); status != 204 || body != "" {
		t.Errorf("delete: %d %s", status, body)
	}
	if err := c.closed(); err == nil {
		t.Error("the broadcast of a deleted stream goes on")
	}
	eventually(t, "playback ends", func() error {
		if err := plays(t, origins[0], made.PlaybackID, c.run); err == nil {
			return errors.New("it plays")
		}
		return nil
	})
	if status, _ := call(t, origins[1], "GET", "/stream/"+made.ID, "", ""); status != 404 {
		t.Errorf("get after delete: %d", status)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	p := newPlatform()
	for range maxStreams {
		if _, err := p.create(streamRequest{Name: "n"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.create(streamRequest{Name: "n"}); !errors.Is(err, errTooMany) {
		t.Errorf("one more: %v", err)
	}
}
