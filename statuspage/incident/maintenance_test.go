package incident

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

func (r *rig) edge(e Edge, w Window) {
	r.step(Input{Maintenance: &MaintenanceEdge{Edge: e, Window: w}})
}

// work is a window on Frankfurt's playback, from now on.
func (r *rig) work() Window {
	return Window{ID: "m1", Name: "Disks", Body: "We replace disks.", Components: []string{"playback-fra"}, Regions: []string{"fra"},
		StartsAt: r.now, EndsAt: r.now.Add(time.Hour)}
}

// TestMaintenanceMutes: what a window covers opens nothing while it runs, and at
// once when it ends and still fails; anything else opens as ever.
func TestMaintenanceMutes(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.warm()
	w := r.work()
	r.edge(EdgeAnnounced, w)
	r.edge(EdgeBegan, w)
	r.edge(EdgeBegan, w) // comes again
	status := func(c string) Status { return r.state.Components[c].Status }
	if status("playback-fra") != UnderMaintenance || status("playback-nyc") != Operational || r.count(MaintenanceBegan) != 1 {
		t.Errorf("Frankfurt is %s, New York %s", status("playback-fra"), status("playback-nyc"))
	}
	asked := r.count(ProbeRequested)
	r.down(20)
	if n := len(r.state.Incidents); n != 0 || r.count(ProbeRequested) != asked || r.count(BaselineExceeded) != 0 {
		t.Fatalf("%d incidents in a maintenance, %d requests", n, r.count(ProbeRequested)-asked)
	}
	r.edge(EdgeEnded, w)
	if n := len(r.state.Incidents); n != 1 {
		t.Fatalf("%d incidents when it ended, want one at once", n)
	}
	r.pass(time.Second)
	if status("playback-fra") != MajorOutage || r.count(IncidentOpened) != 1 {
		t.Errorf("Frankfurt is %s", status("playback-fra"))
	}
}

// TestRepairedInMaintenance: what works again when a window ends opens nothing, however
// lately it failed; nor does what was seen before the hub was away.
func TestRepairedInMaintenance(t *testing.T) {
	t.Parallel()
	for good := range 12 {
		r := newRig(t, 3, nil, nil)
		r.warm()
		w := r.work()
		r.edge(EdgeAnnounced, w)
		r.edge(EdgeBegan, w)
		r.down(20)
		if good > 0 {
			r.up(good)
		}
		away := good == 0
		if away {
			r.now = r.now.Add(30 * time.Minute)
			r.step(Input{Config: &ConfigChange{}})
		}
		r.edge(EdgeEnded, w)
		if n := len(r.state.Incidents); n != 0 {
			t.Errorf("%d incidents after %d good rounds, or the hub's being away", n, good)
		}
		r.down(20)
		if n := len(r.state.Incidents); n != 1 {
			t.Errorf("%d incidents when it fails again", n)
		}
	}
}

// TestNoLongerWorkedOn: a window that is changed in its course mutes no more what it
// leaves out, and what of that still fails opens at once.
func TestNoLongerWorkedOn(t *testing.T) {
	t.Parallel()
	for _, good := range []int{0, 1} {
		r := newRig(t, 3, nil, nil)
		r.warm()
		w := r.work()
		r.edge(EdgeAnnounced, w)
		r.edge(EdgeBegan, w)
		r.down(20)
		if good > 0 {
			r.up(good)
		}
		w.Components, w.Regions = []string{"playback-nyc"}, []string{"nyc"}
		r.edge(EdgeAnnounced, w)
		if s := r.state.Components["playback-fra"].Status; s == UnderMaintenance {
			t.Errorf("what is no longer worked on is %s", s)
		}
		if n := len(r.state.Incidents); n != 1-good {
			t.Errorf("%d incidents of what is no longer worked on, after %d good rounds", n, good)
		}
	}
}

func TestMaintenanceOfOneRegionAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.warm()
	w := r.work()
	w.Components, w.Regions = nil, []string{"nyc"}
	r.edge(EdgeAnnounced, w)
	r.edge(EdgeBegan, w)
	r.down(10)
	if n := r.count(IncidentOpened); n != 1 {
		t.Errorf("%d opened in Frankfurt while New York is worked on", n)
	}
	for _, c := range []string{"ingest-nyc", "playback-nyc"} {
		if s := r.state.Components[c].Status; s != UnderMaintenance {
			t.Errorf("%s is %s", c, s)
		}
	}
}

// TestMaintenanceNeverMutesAResolve: what was open before a window ends in it.
func TestMaintenanceNeverMutesAResolve(t *testing.T) {
	t.Parallel()
	r, id := outage(t, nil, nil)
	w := r.work()
	r.edge(EdgeAnnounced, w)
	r.edge(EdgeBegan, w)
	if s := r.state.Components["playback-fra"].Status; s != MajorOutage {
		t.Errorf("what is out and worked on is %s", s)
	}
	r.up(60)
	in := r.incident(id)
	if in.Phase != Resolved {
		t.Fatalf("it is %s", in.Phase)
	}
	if s := r.state.Components["playback-fra"].Status; s != UnderMaintenance {
		t.Errorf("what is worked on is %s", s)
	}
	r.edge(EdgeEnded, w)
	if s := r.state.Components["playback-fra"].Status; s != Operational || r.count(IncidentOpened) != 1 {
		t.Errorf("in the end it is %s", s)
	}
}

// TestMaintenanceByHand: people announce, cancel and end windows, and each stands
// in the trail.
func TestMaintenanceByHand(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.warm()
	w := r.work()
	w.ID, w.Source = "chosen", "by me"
	id := r.must(Command{Action: ActionMaintenanceAdd, Window: &w, Note: "ticket 7"}).About
	m := r.state.Maintenances[0]
	if len(id) != 12 || m.Source != "" || len(m.Audit) != 1 || m.Audit[0].Who != "anna" || m.Audit[0].Note != "ticket 7" {
		t.Errorf("%+v", m)
	}
	if o := r.do(Command{Action: ActionMaintenanceEnd, Maintenance: id}); o.Refused != RefusedConflict {
		t.Errorf("ended before it began: %+v", o)
	}
	r.must(Command{Action: ActionMaintenanceCancel, Maintenance: id})
	if len(r.state.Maintenances) != 0 || r.count(MaintenanceCancelled) != 1 {
		t.Error("it was not cancelled")
	}
	id = r.must(Command{Action: ActionMaintenanceAdd, Window: &w}).About
	r.edge(EdgeBegan, Window{ID: id})
	if o := r.do(Command{Action: ActionMaintenanceCancel, Maintenance: id}); o.Refused != RefusedConflict {
		t.Errorf("cancelled while it runs: %+v", o)
	}
	r.must(Command{Action: ActionMaintenanceEnd, Maintenance: id, Note: "done early"})
	if m := r.state.Maintenances[0]; m.EndedAt.IsZero() || len(m.Audit) != 2 || r.state.Components["playback-fra"].Status != Operational {
		t.Errorf("%+v", m)
	}
}

// TestCancelledStaysCancelled: what a person cancels is not brought again by its
// schedule, and is forgotten once its time is over.
func TestCancelledStaysCancelled(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.warm()
	w := r.work()
	w.Source, w.EndsAt = "nightly", r.now.Add(time.Minute)
	r.edge(EdgeAnnounced, w)
	r.must(Command{Action: ActionMaintenanceCancel, Maintenance: w.ID})
	r.edge(EdgeAnnounced, w)
	r.edge(EdgeBegan, w)
	if m := r.state.Maintenances; len(m) != 1 || !m[0].Cancelled || m[0].Running() || r.count(MaintenanceScheduled) != 1 || r.count(MaintenanceBegan) != 0 {
		t.Errorf("%+v", m[0])
	}
	r.pass(2 * time.Minute)
	next := r.work()
	next.ID, next.Source = "m2", "nightly"
	r.edge(EdgeAnnounced, next)
	r.edge(EdgeEnded, next)
	if len(r.state.Maintenances) != 1 || r.state.Maintenances[0].ID != "m2" {
		t.Errorf("%d are kept", len(r.state.Maintenances))
	}
}

// TestWorkFromNowOn: a window without times begins when its command is taken, so that
// the same command sent again is the same.
func TestWorkFromNowOn(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.warm()
	w := r.work()
	w.StartsAt, w.EndsAt = time.Time{}, time.Time{}
	r.now = r.now.Add(300 * time.Millisecond)
	began := r.now.Truncate(time.Second)
	for range 2 {
		r.must(Command{ID: "work", Action: ActionMaintenanceAdd, Window: &w, Lasts: 2 * time.Hour})
		r.now = r.now.Add(time.Minute)
	}
	if all := r.state.Maintenances; len(all) != 1 || !all[0].StartsAt.Equal(began) || !all[0].EndsAt.Equal(began.Add(2*time.Hour)) {
		t.Errorf("%+v", all[0])
	}
}

func TestWindowRefusals(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.warm()
	for name, test := range map[string]struct {
		change func(*Window)
		want   string
	}{
		"no name":         {func(w *Window) { w.Name = " " }, "needs a name"},
		"long message":    {func(w *Window) { w.Body = strings.Repeat("x", MaxMessage+1) }, "message is longer"},
		"ends before":     {func(w *Window) { w.EndsAt = w.StartsAt }, "end after it starts"},
		"for ever":        {func(w *Window) { w.EndsAt = w.StartsAt.AddDate(1, 0, 0) }, "longer than 31 days"},
		"over":            {func(w *Window) { w.StartsAt, w.EndsAt = r.now.Add(-2*time.Hour), r.now.Add(-time.Hour) }, "over already"},
		"of nothing":      {func(w *Window) { w.Components, w.Regions = nil, nil }, "at least one component or region"},
		"unknown":         {func(w *Window) { w.Components = []string{"mars"} }, `no component "mars"; there are ingest-fra, playback-fra`},
		"unknown region":  {func(w *Window) { w.Regions = []string{"mars"} }, `no region "mars"; there are fra, `},
		"not both at one": {func(w *Window) { w.Regions = []string{"nyc"} }, "has an element in these regions"},
	} {
		w := r.work()
		test.change(&w)
		if o := r.do(Command{Action: ActionMaintenanceAdd, Window: &w}); o.Refused != RefusedInvalid || !strings.Contains(o.Reason, test.want) {
			t.Errorf("%s: %+v", name, o)
		}
	}
	w := r.work()
	if o := r.do(Command{Action: ActionMaintenanceAdd, Window: &w, Lasts: time.Hour}); o.Refused != RefusedInvalid || !strings.Contains(o.Reason, "both when it ends") {
		t.Errorf("two ends: %+v", o)
	}
	r.edge("odd", r.work())
	r.edge(EdgeBegan, Window{ID: "nothing"})
	if len(r.state.Maintenances) != 0 || r.state.Refused["maintenance: began: unknown"] != 1 || r.state.Refused["maintenance: odd: invalid"] != 1 {
		t.Errorf("%+v, %v", r.state.Maintenances, r.state.Refused)
	}
}

// What of the schedule comes to nothing is told where it leaves work unmuted: once a
// day, however often the hub tries.
func TestRefusedEdgesAreTold(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.warm()
	for n := range maxMaintenances {
		w := r.work()
		w.ID = fmt.Sprintf("w%d", n)
		r.edge(EdgeAnnounced, w)
	}
	again := func(e Edge, w Window) (told []string) {
		before := len(r.events)
		for range 25 {
			r.edge(e, w)
			r.now = r.now.Add(time.Hour)
		}
		for _, e := range r.events[before:] {
			if e.Type == MaintenanceRefused {
				told = append(told, e.Summary)
			}
		}
		return told
	}
	more := r.work()
	more.ID, more.Name = "one-more", "New switches"
	more.EndsAt = more.EndsAt.AddDate(0, 0, 5)
	want := "A maintenance is not announced as the configuration has it: New switches: 100 maintenances are announced or run already; cancel some. What fails in it opens incidents as ever"
	if told := again(EdgeAnnounced, more); !slices.Equal(told, []string{want, want}) {
		t.Errorf("%d, %q", len(told), told)
	}
	want = "A maintenance is not begun: New switches: no such maintenance. What fails in it opens incidents as ever"
	if told := again(EdgeBegan, more); !slices.Equal(told, []string{want, want}) {
		t.Errorf("%d, %q", len(told), told)
	}
	// Another window's is news on the same day; a schedule gone mad is told of so often.
	before := r.count(MaintenanceRefused)
	for n := range 2 * maxMaintenances {
		more.ID = fmt.Sprint("more-", n)
		r.edge(EdgeAnnounced, more)
	}
	if told := r.count(MaintenanceRefused) - before; told != maxMaintenances-1 || len(r.state.RefusedWindows) != maxMaintenances {
		t.Errorf("%d of as many other windows were told, %d are known", told, len(r.state.RefusedWindows))
	}
	for _, e := range []Edge{EdgeEnded, EdgeCancelled} {
		if told := again(e, more); len(told) != 0 {
			t.Errorf("%s of what is gone: %q", e, told)
		}
	}
}

// TestMaintenancesAreBounded: years of nightly work leave a few behind.
func TestMaintenancesAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.warm()
	for i := range 300 {
		w := r.work()
		w.ID = fmt.Sprint("m", i)
		r.edge(EdgeAnnounced, w)
		r.edge(EdgeBegan, w)
		r.edge(EdgeEnded, w)
	}
	if n := len(r.state.Maintenances); n != keptMaintenance || r.state.Maintenances[n-1].ID != "m299" {
		t.Errorf("%d are kept", n)
	}
	for i := range 2 * maxMaintenances {
		w := r.work()
		w.ID = fmt.Sprint("n", i)
		r.edge(EdgeAnnounced, w)
	}
	if n := len(r.state.Maintenances); n != maxMaintenances+keptMaintenance {
		t.Errorf("%d are kept", n)
	}
}

// TestRelapseInMaintenance: what relapses while it is worked on opens nothing.
func TestRelapseInMaintenance(t *testing.T) {
	t.Parallel()
	r, _ := outage(t, nil, nil)
	w := r.work()
	r.edge(EdgeAnnounced, w)
	r.edge(EdgeBegan, w)
	r.up(15)
	r.every(10, func(_, i int) {
		r.cells(i, prober.KindPlayback, func(_, out string) prober.Stage {
			if out == "fra" {
				return prober.StageManifest
			}
			return ""
		})
	})
	if r.state.Incidents != nil && r.state.Incidents[0].failing() {
		t.Error("a relapse in a maintenance opened")
	}
}

// TestMaintenanceOfEveryRegion: the core, and the API, lie in no region; work on all
// regions covers them, on some of them does not.
func TestMaintenanceOfEveryRegion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		regions []string
		opens   int
	}{"one region": {regions[:1], 1}, "all of them": {regions, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 3, nil, nil)
			r.warm()
			w := r.work()
			w.Components, w.Regions = nil, c.regions
			r.edge(EdgeAnnounced, w)
			r.edge(EdgeBegan, w)
			dark := func(string, string) prober.Stage { return prober.StageManifest }
			r.every(10, func(_, i int) {
				r.canaries(i, nil)
				r.cells(i, prober.KindPlayback, dark)
				r.cells(i, prober.KindGoLive, dark)
			})
			if n := r.count(IncidentOpened); n != c.opens {
				t.Errorf("%d opened, want %d", n, c.opens)
			}
		})
	}
}

// TestReconfiguredInMaintenance: what another configuration takes out of a window's
// components is worked on no more, either.
func TestReconfiguredInMaintenance(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.warm()
	w := r.work()
	w.Regions = nil
	r.edge(EdgeAnnounced, w)
	r.edge(EdgeBegan, w)
	r.down(20)
	r.up(2)
	top := topologyOf(3)
	for i := range top.Components {
		if c := &top.Components[i]; c.ID == w.Components[0] {
			c.ID = "playback-frankfurt"
		}
	}
	top.Components = append(top.Components, Component{ID: w.Components[0], Name: "Else", Elements: []prober.Element{playback("live", "nyc")}})
	p, err := NewPolicy(DefaultSettings(), top)
	if err != nil {
		t.Fatal(err)
	}
	r.policy = p
	r.now = r.now.Add(3 * time.Second)
	r.step(Input{Config: &ConfigChange{}})
	r.up(1)
	if n := len(r.state.Incidents); n != 0 {
		t.Errorf("%d incidents of what works", n)
	}
}
