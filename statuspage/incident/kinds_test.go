package incident

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

// tell is one result of a round of its own.
func (r *rig) tell(agent int, x prober.Result) {
	r.round++
	a := fmt.Sprintf("a%d", agent)
	r.seqs[a]++
	x.Agent, x.Pusher, x.Target, x.Boot, x.Seq = a, a, "live", "boot", r.seqs[a]
	x.Round, x.RoundOf, x.Control = fmt.Sprint(r.round), 1, prober.ControlPass
	if x.Outcome == "" {
		x.Outcome = prober.Pass
	}
	r.step(Input{Result: &x})
}

// Each kind has its element, its words and its weight on the page.
func TestOtherKinds(t *testing.T) {
	t.Parallel()
	failed := func(kind prober.Kind, in, out string, stage prober.Stage, reason prober.Reason) prober.Result {
		return prober.Result{Kind: kind, Ingest: in, Playback: out, Outcome: prober.Fail, Stage: stage, Reason: reason}
	}
	for name, c := range map[string]struct {
		bad    prober.Result
		title  string // "" opens nothing
		body   string
		again  string
		impact Impact
		down   map[string]Status
	}{
		"api": {failed(prober.KindAPI, "", "", prober.StageProvision, prober.ReasonAPIError), "The API is failing",
			"The API does not answer, or not as it should, since 12:00:02 UTC.", "answers of the API", ImpactMajor, map[string]Status{"api": MajorOutage}},
		"recording": {failed(prober.KindRecording, "fra", "", prober.StageRecording, prober.ReasonRecordingDenied), "Recordings of broadcasts are missing",
			"Recordings of broadcasts are missing or do not play, since 12:00:02 UTC.", "recordings of broadcasts", ImpactMajor,
			map[string]Status{"playback-fra": PartialOutage, "playback-nyc": PartialOutage, "playback-sin": PartialOutage}},
		"recording of nothing": {bad: failed(prober.KindRecording, "fra", "", prober.StageProvision, prober.ReasonAPIError)},
		"a stream of others": {failed(prober.KindPlayback, "", "nyc", prober.StageManifest, prober.ReasonPlaylistStale), "Playback is failing in New York",
			"Playback is failing in New York, since 12:00:02 UTC.", "playback in New York", ImpactMajor, map[string]Status{"playback-nyc": MajorOutage}},
		"a stream of others, badly": {prober.Result{Kind: prober.KindPlayback, Playback: "nyc", Outcome: prober.Degraded, Stage: prober.StageSegment, Reason: prober.ReasonHTTPStatus},
			"Playback is degraded in New York", "", "quality of playback in New York", ImpactMinor, map[string]Status{"playback-nyc": DegradedPerformance}},
		"api, slow":    {bad: prober.Result{Kind: prober.KindAPI, Outcome: prober.Degraded, Stage: prober.StageLatency, Reason: prober.ReasonLatencyHigh}},
		"api, refused": {bad: prober.Result{Kind: prober.KindAPI, Outcome: prober.Inconclusive, Stage: prober.StageProvision, Reason: prober.ReasonAPIQuota}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 3, nil, nil)
			round := func(x prober.Result) {
				r.pass(2 * time.Second)
				for i := range 3 {
					r.tell(i, x)
				}
			}
			for range 12 {
				round(c.bad)
			}
			r.pass(time.Second)
			view := r.policy.View(r.state)
			if c.title == "" {
				if len(view.Incidents) > 0 {
					t.Fatalf("opened %+v", view.Incidents)
				}
				return
			}
			if len(view.Incidents) != 1 {
				t.Fatalf("%d incidents", len(view.Incidents))
			}
			in := view.Incidents[0]
			if in.Name != c.title || in.Impact != c.impact || !strings.HasPrefix(in.Updates[0].Body, c.body) {
				t.Errorf("%q, %s: %q; want %q, %s: %q", in.Name, in.Impact, in.Updates[0].Body, c.title, c.impact, c.body)
			}
			for _, component := range view.Components {
				want := c.down[component.ID]
				if want == "" {
					want = Operational
				}
				if component.Status != want {
					t.Errorf("%s is %s, want %s", component.ID, component.Status, want)
				}
			}
			good := c.bad
			good.Outcome, good.Stage, good.Reason = prober.Pass, "", ""
			for range 12 {
				round(good)
			}
			r.pass(time.Second)
			in = r.policy.View(r.state).Incidents[0]
			if last := in.Updates[len(in.Updates)-1].Body; in.Phase != Monitoring || !strings.Contains(last, "Working again: "+c.again) {
				t.Errorf("%s: %q; want %q", in.Phase, last, c.again)
			}
		})
	}
}

// An API that makes no streams is not told of twice.
func TestTheAPIFailsInTwoWays(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	for range 12 {
		r.pass(2 * time.Second)
		for i := range 3 {
			r.tell(i, prober.Result{Kind: prober.KindAPI, Outcome: prober.Fail, Stage: prober.StageProvision, Reason: prober.ReasonAPIError})
			r.tell(i, prober.Result{Kind: prober.KindGoLive, Ingest: "fra", Outcome: prober.Fail, Stage: prober.StageProvision, Reason: prober.ReasonAPIError})
		}
	}
	r.pass(5 * time.Second)
	in := r.policy.View(r.state).Incidents
	if len(in) != 1 || in[0].Name != "New streams cannot be created" {
		t.Errorf("got %+v", in)
	}
}

// told lists the events of some types since the last time.
func (r *rig) told(types ...EventType) []string {
	var list []string
	for _, e := range r.events {
		if slices.Contains(types, e.Type) {
			list = append(list, string(e.Type)+" "+e.Key+": "+e.Summary)
		}
	}
	r.events = nil
	return list
}

func TestOnCallIsToldOfRefusals(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	refused := func(kind prober.Kind, reason prober.Reason) prober.Result {
		return prober.Result{Kind: kind, Ingest: "fra", Outcome: prober.Inconclusive, Stage: prober.StageProvision, Reason: reason, Detail: "POST /stream: 401"}
	}
	expect := func(want ...string) {
		t.Helper()
		if got := r.told(PlatformRefused, PlatformAccepted, CertificateExpiring); !slices.Equal(got, want) {
			t.Errorf("told\n%q\nwant\n%q", got, want)
		}
	}
	for range 3 {
		r.pass(2 * time.Second)
		for i := range 3 {
			r.tell(i, refused(prober.KindGoLive, prober.ReasonAPIUnauthorized))
		}
		r.tell(0, refused(prober.KindCanary, prober.ReasonAPIUnauthorized))
	}
	expect("platform_refused platform/live: The API of live turns our calls away, its key is not accepted, so the golive probes say nothing: POST /stream: 401")
	// Another kind's success says nothing of these calls, nor does an outage.
	r.tell(0, prober.Result{Kind: prober.KindAPI})
	r.tell(0, prober.Result{Kind: prober.KindGoLive, Ingest: "fra", Outcome: prober.Fail, Stage: prober.StageProvision, Reason: prober.ReasonAPIError})
	for i := range 3 {
		r.tell(i, prober.Result{Kind: prober.KindGoLive, Ingest: "fra"})
	}
	expect()
	r.tell(0, prober.Result{Kind: prober.KindCanary, Ingest: "fra"})
	expect("platform_accepted platform/live: The API of live takes our calls again")

	r.tell(1, refused(prober.KindRecording, prober.ReasonAPIQuota))
	expect("platform_refused platform/live: The API of live turns our calls away, a quota is used up, so the recording probes say nothing: POST /stream: 401")
	// An agent that is taken away is not waited for.
	top := topologyOf(1)
	p, err := NewPolicy(r.policy.settings, top)
	if err != nil {
		t.Fatal(err)
	}
	r.policy = p
	r.step(Input{Config: &ConfigChange{PolicyHash: p.Hash()}})
	expect("platform_accepted platform/live: The API of live takes our calls again")
	if len(r.policy.View(r.state).Incidents) > 0 {
		t.Error("a refusal became an incident")
	}

	expiring := prober.Result{Kind: prober.KindAPI, Outcome: prober.Degraded, Stage: prober.StageConnect, Reason: prober.ReasonCertificateExpiring,
		Findings: []prober.Finding{{Severity: prober.SeverityDegraded, Stage: prober.StageConnect, Reason: prober.ReasonCertificateExpiring, Detail: "in 9 days", Count: 1}}}
	for range 30 {
		r.tell(0, expiring)
		r.pass(time.Hour)
	}
	expect("certificate_expiring certificate/live: The API of live: in 9 days", "certificate_expiring certificate/live: The API of live: in 9 days")
}
