package backtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/report"
	"streamcanary/statuspage/backtest"
	"streamcanary/statuspage/incident"
)

func topology() incident.Topology {
	element := prober.Element{Target: "live", Type: prober.ElementIngest, ID: "fra"}
	return incident.Topology{
		Installation: "test", Page: incident.PageInfo{Name: "Live", URL: "https://status.example.com"},
		Targets: []incident.Target{{ID: "live", Name: "Live", Regions: []incident.Region{{ID: "fra", Name: "Frankfurt"}},
			Ingests: []incident.Endpoint{{ID: "fra", Region: "fra"}}, Playbacks: []incident.Endpoint{{ID: "fra", Region: "fra"}}}},
		Sites:      []incident.Site{{ID: "a", Agents: []string{"a"}}, {ID: "b", Agents: []string{"b"}}, {ID: "c", Agents: []string{"c"}}},
		Components: []incident.Component{{ID: "in", Name: "Ingest", Publish: incident.PublishAuto, Elements: []prober.Element{element}}},
	}
}

func policy(tb testing.TB, change func(*incident.Settings)) incident.Policy {
	tb.Helper()
	s := incident.DefaultSettings()
	s.Hold = time.Minute
	change(&s)
	p, err := incident.NewPolicy(s, topology())
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func began() time.Time { return time.Date(2026, 4, 8, 12, 0, 0, 0, time.UTC) }

// recording is of three agents whose canaries drop between two minutes, at so many of
// them; every 2 s, without ticks: those come from the policies.
func recording(tb testing.TB, minutes int, down func(second, agent int) bool) []byte {
	tb.Helper()
	var b bytes.Buffer
	header, err := json.Marshal(backtest.Header{Version: backtest.Version, Exported: began(), Policy: policy(tb, func(*incident.Settings) {}).Content()})
	if err != nil {
		tb.Fatal(err)
	}
	b.Write(append(header, '\n'))
	seq := uint64(0)
	for second := 0; second < 60*minutes; second += 2 {
		for agent, name := range []string{"a", "b", "c"} {
			seq++
			at := began().Add(time.Duration(second)*time.Second + time.Duration(agent)*100*time.Millisecond)
			r := prober.Result{
				ID: fmt.Sprintf("boot-%s-%d", name, seq), Agent: name, Site: name, Boot: "boot-" + name, Seq: seq, Kind: prober.KindCanary, Target: "live", Ingest: "fra", Pusher: name,
				Run: "run", Round: fmt.Sprint(second), RoundOf: 1, Outcome: prober.Pass, Started: at.Add(-time.Second), Ended: at, Control: prober.ControlPass,
			}
			if down(second, agent) {
				r.Outcome, r.Stage, r.Reason, r.Detail = prober.Fail, prober.StageIngest, prober.ReasonConnectionReset, "reset"
			}
			line, err := report.EncodeEntry(report.Entry{Seq: seq, At: at, Kind: report.KindResult, Result: &r})
			if err != nil {
				tb.Fatal(err)
			}
			b.Write(append(line, '\n'))
		}
	}
	return b.Bytes()
}

func TestReplay(t *testing.T) {
	t.Parallel()
	all := func(second, _ int) bool { return second >= 60 && second < 120 || second >= 400 && second < 430 }
	two := func(second, agent int) bool { return all(second, agent) && (second < 300 || agent < 2) }
	for _, c := range []struct {
		name           string
		other          func(*incident.Settings)
		present, opens int
		missed, false  int
		later          bool
	}{
		{"the same", func(*incident.Settings) {}, 2, 2, 0, 0, false},
		{"a higher threshold", func(s *incident.Settings) { s.Threshold = incident.NatsOf(60) }, 2, 2, 0, 0, true},
		{"a longer hold", func(s *incident.Settings) { s.Hold = 10 * time.Minute }, 2, 1, 0, 0, false},
		{"every site has to see it", func(s *incident.Settings) { s.Quorum = 3 }, 2, 1, 1, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := backtest.Replay(bytes.NewReader(recording(t, 12, two)), policy(t, c.other))
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Present.Incidents) != c.present || len(got.Other.Incidents) != c.opens || got.Missed() != c.missed || got.False() != c.false {
				t.Errorf("%d and %d incidents, %d missed, %d false", len(got.Present.Incidents), len(got.Other.Incidents), got.Missed(), got.False())
			}
			if got.Recording.Results != 1080 || got.Recording.Agents != 3 || got.Recording.To.Sub(got.Recording.From) < 11*time.Minute {
				t.Errorf("recording %+v", got.Recording)
			}
			present, other, both := got.Figures()
			if both != min(c.present, c.opens) || other.OpenedAfter > present.OpenedAfter != c.later {
				t.Errorf("opened after %v, and %v", present.OpenedAfter, other.OpenedAfter)
			}
			for _, in := range got.Present.Incidents {
				if in.Phase != incident.Resolved || in.OpenedAfter() > 7*time.Second {
					t.Errorf("%s: %s after %v", in.Name, in.Phase, in.OpenedAfter())
				}
			}
			again, err := backtest.Replay(bytes.NewReader(recording(t, 12, two)), policy(t, c.other))
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprintf("%+v", again.Other) != fmt.Sprintf("%+v", got.Other) {
				t.Error("another answer the second time")
			}
		})
	}
}

// Both are measured from the first failing result, though a policy that wants every
// site to agree takes the failure to begin with the last of them.
func TestReplayFromOneStart(t *testing.T) {
	t.Parallel()
	lagging := func(second, agent int) bool {
		return second >= 60 && second < 120 && (agent < 2 || second >= 74)
	}
	got, err := backtest.Replay(bytes.NewReader(recording(t, 12, lagging)), policy(t, func(s *incident.Settings) { s.Quorum = 3 }))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Pairs) != 1 || got.Pairs[0].Present == nil || got.Pairs[0].Other == nil {
		t.Fatalf("pairs: %+v", got.Pairs)
	}
	present, other := got.Pairs[0].Present, got.Pairs[0].Other
	first := began().Add(60 * time.Second)
	if !present.Began.Equal(first) || !other.Began.Equal(first) {
		t.Errorf("began at %s and %s, want %s", present.Began, other.Began, first)
	}
	if lag := other.StartedAt.Sub(present.StartedAt); lag < 10*time.Second {
		t.Errorf("the stricter policy takes it to begin only %s later: the test shows nothing", lag)
	}
	a, o, _ := got.Figures()
	if later := other.CreatedAt.Sub(present.CreatedAt); o.OpenedAfter-a.OpenedAfter != later || o.Slowest-a.Slowest != later || later < 5*time.Second {
		t.Errorf("opened %s later; after %s and %s", later, a.OpenedAfter, o.OpenedAfter)
	}
}

// How soon a policy opens is told of what both open: one that misses what is slow to see
// is not the quicker for it.
func TestReplayOfBoth(t *testing.T) {
	t.Parallel()
	down := func(second, agent int) bool {
		switch {
		case second >= 60 && second < 120:
			return true
		case second >= 400 && second < 460: // seen by two, and not at once
			return agent == 0 || agent == 1 && second >= 430
		}
		return false
	}
	got, err := backtest.Replay(bytes.NewReader(recording(t, 12, down)), policy(t, func(s *incident.Settings) { s.Quorum = 3 }))
	if err != nil {
		t.Fatal(err)
	}
	a, o, both := got.Figures()
	if both != 1 || a.Incidents != 2 || o.Incidents != 1 || got.Missed() != 1 {
		t.Fatalf("%d both, %+v and %+v", both, a, o)
	}
	if slow := got.Present.Incidents[1].OpenedAfter(); slow < 10*time.Second {
		t.Fatalf("what is missed opened after %s: the test shows nothing", slow)
	}
	if a.OpenedAfter > o.OpenedAfter || a.Slowest > o.Slowest {
		t.Errorf("the stricter policy is told as quicker: %+v, present %+v", o, a)
	}
}

// What relapses began when it first failed; where the other policy has two incidents
// of it, each has a beginning of its own.
func TestReplayRelapse(t *testing.T) {
	t.Parallel()
	twice := func(second, _ int) bool { return second >= 60 && second < 120 || second >= 400 && second < 430 }
	got, err := backtest.Replay(bytes.NewReader(recording(t, 12, twice)), policy(t, func(s *incident.Settings) { s.Hold = 10 * time.Minute }))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Pairs) != 2 || len(got.Other.Incidents) != 1 || got.Pairs[0].Other != got.Pairs[1].Other {
		t.Fatalf("pairs: %+v", got.Pairs)
	}
	if got.Pairs[0].Before != nil || got.Pairs[1].Before != got.Pairs[0].Other {
		t.Errorf("pairs: %+v", got.Pairs)
	}
	for i, want := range []struct {
		in    *backtest.Opened
		began int // seconds
	}{{got.Pairs[0].Present, 60}, {got.Pairs[1].Present, 400}, {got.Pairs[0].Other, 60}} {
		if at := began().Add(time.Duration(want.began) * time.Second); !want.in.Began.Equal(at) || want.in.OpenedAfter() > 7*time.Second {
			t.Errorf("%d: began at %s, want %s, opened after %s", i, want.in.Began, at, want.in.OpenedAfter())
		}
	}
	if relapsed := got.Pairs[0].Other.Failures[0].FirstSeen; !relapsed.After(got.Pairs[0].Other.Began) {
		t.Error("the relapse has not replaced the failure: the test shows nothing")
	}
}

// What only the other policy opens is paired with nothing.
func TestReplayFalse(t *testing.T) {
	t.Parallel()
	blip := func(second, agent int) bool { return second == 60 && agent < 2 }
	got, err := backtest.Replay(bytes.NewReader(recording(t, 3, blip)), policy(t, func(s *incident.Settings) { s.Threshold = incident.NatsOf(15) }))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Present.Incidents) != 0 || len(got.Other.Incidents) != 1 || got.False() != 1 || got.Missed() != 0 {
		t.Errorf("%d and %d incidents", len(got.Present.Incidents), len(got.Other.Incidents))
	}
}

// Pairs are in the order in which they began, whichever policy opened what.
func TestReplayOrder(t *testing.T) {
	t.Parallel()
	down := func(second, agent int) bool {
		return second == 60 && agent < 2 || second >= 200 && second < 230 // a blip, and then an outage
	}
	got, err := backtest.Replay(bytes.NewReader(recording(t, 8, down)), policy(t, func(s *incident.Settings) { s.Threshold = incident.NatsOf(15) }))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Pairs) != 2 || got.Pairs[0].Present != nil || got.Pairs[1].Present == nil || got.Pairs[1].Other == nil {
		t.Errorf("pairs: %+v", got.Pairs)
	}
}

func TestReplayRefuses(t *testing.T) {
	t.Parallel()
	good := string(recording(t, 1, func(int, int) bool { return false }))
	lines := strings.SplitAfter(good, "\n")
	for name, c := range map[string]struct{ text, want string }{
		"nothing":                {"", "line 1: the recording is empty"},
		"something else":         {"hello\n", "line 1: not a recording; write one with"},
		"another version":        {strings.Replace(good, `"streamcanary_recording":1`, `"streamcanary_recording":2`, 1), "line 1: version 2 of a recording"},
		"no policy":              {`{"streamcanary_recording":1,"policy":{}}` + "\n", "line 1: the hub's policy: "},
		"a policy of the future": {`{"streamcanary_recording":1,"policy":{"magic":1}}` + "\n", "was not written by this version"},
		"cut short":              {good[:len(good)-30], "line 91: not an entry of a journal"},
		"a bad result":           {lines[0] + strings.Replace(lines[1], `"kind":"canary"`, `"kind":"x"`, 1), `line 2: entry 1: decode result "boot-a-1": kind: "x" is not known`},
		"an unknown kind":        {lines[0] + strings.Replace(lines[1], `"kind":"result"`, `"kind":"x"`, 1), `line 2: entry 1: kind "x" is not known`},
		"another entry":          {lines[0] + strings.Replace(lines[1], `{"version":1`, `{"version":9`, 1), "line 2: version 9 of a recorded entry"},
		"out of order":           {lines[0] + strings.Replace(lines[1], "2026-04-08T12", "2026-04-11T12", 1) + lines[2], "line 3: entry 2 is of"},
		"a line without end":     {lines[0] + strings.Repeat("x", report.MaxRecordedLine+1), "line 2: a line is longer than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := backtest.Replay(strings.NewReader(c.text), policy(t, func(*incident.Settings) {})); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// FuzzReplay: whatever stands in a file is run or refused.
func FuzzReplay(f *testing.F) {
	f.Add(recording(f, 1, func(s, _ int) bool { return s > 20 }))
	f.Add([]byte(`{"streamcanary_recording":1,"policy":{}}` + "\n"))
	p := policy(f, func(*incident.Settings) {})
	header := recording(f, 0, nil)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, recording := range [][]byte{b, append(bytes.Clone(header), b...)} {
			got, err := backtest.Replay(bytes.NewReader(recording), p)
			if err == nil && got.Recording.Entries < len(got.Present.Incidents) {
				t.Errorf("%d entries opened %d incidents", got.Recording.Entries, len(got.Present.Incidents))
			}
		}
	})
}
