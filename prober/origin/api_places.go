package origin

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"

	"streamcanary/prober"
)

// place is where the streams API says that streams are pushed to and played, one
// for each origin. A key and a playback id come behind with a slash.
type place struct {
	Ingest   string `json:"ingest"`
	Playback string `json:"playback"`
	Base     string `json:"base"`
}

func (o *Origin) place() place {
	return place{
		Ingest:   strings.TrimSuffix(o.RTMPURL(), "/"+prober.StreamVariable),
		Playback: strings.TrimSuffix(o.HLSURL(), "/"+prober.StreamVariable+"/index.m3u8"),
		Base:     "http://" + reachable(o.ports.http.addr),
	}
}

// ingests answers every origin, shuffled, as Livepeer Studio does to spread the load.
func (a *api) ingests(w http.ResponseWriter, _ *http.Request) {
	places := make([]place, 0, len(a.platform.origins))
	for _, o := range a.platform.origins {
		places = append(places, o.place())
	}
	rand.Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] }) //nolint:gosec // spreads load, hides nothing
	answer(w, http.StatusOK, places)
}

// playbackInfo answers where a playback id plays.
func (a *api) playbackInfo(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !a.platform.plays(id) {
		answerError(w, http.StatusNotFound, errNotLive)
		return
	}
	type source struct {
		Name string `json:"hrn"`
		Type string `json:"type"`
		URL  string `json:"url"`
	}
	var sources []source
	for _, o := range a.platform.origins {
		sources = append(sources, source{"HLS (TS)", "html5/application/vnd.apple.mpegurl", prober.StreamURL(o.HLSURL(), id)})
	}
	answer(w, http.StatusOK, map[string]any{"type": "live", "meta": map[string]any{"live": 0, "source": sources}})
}

// session is one broadcast of a stream, with what was recorded of it.
type session struct {
	ID              string `json:"id"`
	ParentID        string `json:"parentId"`
	RecordingStatus string `json:"recordingStatus"` // "waiting", "ready"
	RecordingURL    string `json:"recordingUrl,omitempty"`
}

// sessions answers a stream's recording, from any origin that has it.
func (a *api) sessions(w http.ResponseWriter, r *http.Request) {
	view, err := a.platform.get(r.PathValue("id"))
	switch {
	case err != nil:
		answerError(w, http.StatusNotFound, err)
		return
	case r.FormValue("record") != "" && r.FormValue("record") != "1":
		answerError(w, http.StatusBadRequest, errors.New("record has to be 1"))
		return
	}
	list := []session{}
	if view.Record {
		s := session{ID: fmt.Sprintf("%s-1", view.ID), ParentID: view.ID, RecordingStatus: "waiting"}
		for _, o := range a.platform.origins {
			if o.playback.shelf.file(view.PlaybackID, "index.m3u8") != nil {
				s.RecordingStatus, s.RecordingURL = "ready", prober.StreamURL(o.RecordingURL(), view.PlaybackID)
			}
		}
		list = append(list, s)
	}
	answer(w, http.StatusOK, list)
}

// plays says whether a playback id is of a stream that the API made.
func (p *platform) plays(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byPlayback[id] != nil
}
