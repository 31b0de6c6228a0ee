package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"streamcanary/prober"
	"streamcanary/prober/report"
)

// full has every field set, so that one that is forgotten on the way shows.
func full() prober.Result {
	start := time.Date(2024, 4, 8, 12, 0, 0, 123456789, time.UTC)
	return prober.Result{
		ID: "boot1-42", Agent: "fra-1", Site: "fra", Boot: "boot1", Seq: 42,
		Kind: prober.KindGoLive, Target: "live", Ingest: "nyc", Playback: "sgp", Pusher: "nyc-1",
		Run: "run-7", Round: "round-3", RoundOf: 9,
		Outcome: prober.Fail, Stage: prober.StageManifest, Reason: prober.ReasonHTTPStatus, Detail: "status 404 <b>\"ü\"</b>",
		Started: start, Ended: start.Add(3 * time.Second), Age: 1500 * time.Microsecond,
		Figures: prober.Figures{
			Stages: []prober.StageTime{{Stage: prober.StageConnect, Duration: 43 * time.Millisecond}, {Stage: prober.StagePublish, Duration: 2 * time.Millisecond}},
			TTFF:   1200 * time.Millisecond, LatencyFirst: 1040 * time.Millisecond, LatencyLast: -77 * time.Millisecond,
			BytesSent: 123456, BytesReceived: 65432, SendStall: 12 * time.Millisecond, Interruptions: 2, InterruptionTime: 30 * time.Second,
			LatencyBy: prober.MeansSEI, Proof: prober.MeansAAC, SendQueue: 4096,
			Viewing: prober.Viewing{
				Startup: 900 * time.Millisecond, Watched: 2 * time.Second, Rebuffers: 1, RebufferTime: 400 * time.Millisecond,
				Latency: 3 * time.Second, Drift: -20 * time.Millisecond, Buffer: 4 * time.Second,
			},
			HTTP: prober.HTTPTimes{
				Resolve: time.Millisecond, Connect: 2 * time.Millisecond, TLS: 3 * time.Millisecond, FirstByte: 4 * time.Millisecond,
				Body: 5 * time.Millisecond, Protocol: "HTTP/2.0", Redirects: 1, Cache: "hit", Age: 2 * time.Second, Encoding: "gzip",
			},
			PartLatency: 300 * time.Millisecond, Skipped: 1, Missed: 2, Recovered: 3,
			Renditions: []prober.Rendition{{
				Name: "720p", Type: prober.RenditionVariant, Playing: true, Proof: prober.MeansBarcode,
				Announced: prober.Encoding{Bandwidth: 3_000_000}, PeakBitrate: 2_900_000, AverageBitrate: 2_000_000,
				Seen:     prober.Encoding{Width: 1280, Height: 720, FrameRate: 29.97, Codecs: "avc1.64001f,mp4a.40.2"},
				Segments: 2, Downloaded: 1, Skipped: 1, Missed: 1,
				LatencyLast: 500 * time.Millisecond, PartLatency: 300 * time.Millisecond, LatencyBy: prober.MeansBarcode,
				Viewing: prober.Viewing{Watched: 2 * time.Second, Rebuffers: 1, RebufferTime: 400 * time.Millisecond, Latency: 3 * time.Second},
			}},
		},
		Findings: []prober.Finding{{
			Rule: "stale", Section: "6.2.1", Severity: prober.SeverityDegraded, Stage: prober.StageManifest, Reason: prober.ReasonPlaylistStale,
			Where: "720p", Detail: "no new segment for 9 s", Count: 3,
		}},
		Host:    prober.Host{CPU: .25, ClockOffset: -3 * time.Millisecond, ClockKnown: true, Loss: .01, Reference: prober.ControlFail, ReferenceDetail: "no connection"},
		Control: prober.ControlFail, ControlDetail: "loopback origin: no segment within 5 s", Dropped: 17,
		Spending: prober.Spending{LastHour: 123, Limit: 456, Thinned: 7},
	}
}

func TestEveryFieldIsSet(t *testing.T) {
	t.Parallel()
	for _, v := range []reflect.Value{
		reflect.ValueOf(full()), reflect.ValueOf(full().Figures), reflect.ValueOf(full().Figures.Viewing),
		reflect.ValueOf(full().Figures.HTTP), reflect.ValueOf(full().Findings[0]), reflect.ValueOf(full().Host), reflect.ValueOf(full().Spending),
	} {
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("the test's result lacks %s.%s", v.Type(), v.Type().Field(i).Name)
			}
		}
	}
}

// TestWireForm holds the form to a file: a change of it breaks agents and hubs
// that are out there, and needs a new version.
func TestWireForm(t *testing.T) {
	t.Parallel()
	got, err := report.Encode(full())
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "result.v1.json")
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, got, "", "  "); err != nil {
		t.Fatal(err)
	}
	pretty.WriteByte('\n')
	if *update {
		if err := os.WriteFile(golden, pretty.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(pretty.Bytes(), want) {
		t.Errorf("the wire form is\n%s\nwant\n%s", pretty.Bytes(), want)
	}
	back, err := report.Decode(want)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, full()) {
		t.Errorf("decoded\n%+v\nwant\n%+v", back, full())
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	good, err := report.Encode(full())
	if err != nil {
		t.Fatal(err)
	}
	replace := func(old, with string) string {
		if !bytes.Contains(good, []byte(old)) {
			t.Fatalf("the wire form has no %s", old)
		}
		return strings.Replace(string(good), old, with, 1)
	}
	for name, test := range map[string]struct{ in, want string }{
		"nothing":            {"", "unexpected end"},
		"not JSON":           {"<html>", "invalid character"},
		"an array":           {"[]", "cannot unmarshal"},
		"no version":         {"{}", "it names none"},
		"newer version":      {replace(`"version":1`, `"version":2`), "it has 2, known is 1"},
		"something behind":   {string(good) + "{}", "after top-level value"},
		"not UTF-8":          {replace("status 404", "status \xff"), "not UTF-8"},
		"too long":           {replace(`{`, "{"+strings.Repeat(" ", report.MaxResultSize)), "at most 16384"},
		"unknown kind":       {replace(`"kind":"golive"`, `"kind":"golive2"`), `kind: "golive2" is not known`},
		"unknown outcome":    {replace(`"outcome":"fail"`, `"outcome":"meh"`), `outcome: "meh" is not known`},
		"unknown stage":      {replace(`"stage":"manifest"`, `"stage":"x"`), `stage: "x" is not known`},
		"unknown reason":     {replace(`"http_status"`, `"x"`), `reason: "x" is not known`},
		"unknown control":    {replace(`"control":"fail"`, `"control":"x"`), `control: "x" is not known`},
		"unknown stage time": {replace(`"stage":"connect"`, `"stage":"x"`), `figures.stages: "x" is not known`},
		"pass with a reason": {replace(`"outcome":"fail"`, `"outcome":"pass"`), "pass with stage"},
		"fail without one":   {replace(`"reason":"http_status",`, ``), "want both"},
		"agent with a dot":   {replace(`"agent":"fra-1"`, `"agent":"fra.1"`), "agent: character '.'"},
		"no agent":           {replace(`"agent":"fra-1"`, `"agent":""`), "agent: 0 characters"},
		"no target":          {replace(`"target":"live"`, `"target":""`), "target: missing"},
		"id with a newline":  {replace(`"id":"boot1-42"`, `"id":"a\nb"`), "id: byte 0x0a"},
		"long id":            {replace(`"id":"boot1-42"`, `"id":"`+strings.Repeat("x", 129)+`"`), "id: 129 bytes"},
		"long detail":        {replace("status 404", strings.Repeat("x", 301)), "detail: 3"},
		"no sequence":        {replace(`"seq":42`, `"seq":0`), "seq: 0"},
		"negative sequence":  {replace(`"seq":42`, `"seq":-1`), "cannot unmarshal"},
		"negative age":       {replace(`"age_ns":1500000`, `"age_ns":-1`), "age_ns: -1"},
		"negative bytes":     {replace(`"bytes_sent":123456`, `"bytes_sent":-1`), "figures: -1"},
		"negative bitrate":   {replace(`"peak_bitrate":2900000`, `"peak_bitrate":-1`), "figures.renditions: -1"},
		"unknown rendition":  {replace(`"type":"variant"`, `"type":"x"`), `figures.renditions: type: "x" is not known`},
		"long codecs":        {replace(`"codecs":"avc1`, `"codecs":"`+strings.Repeat("x", 65)), "figures.renditions: name or codecs"},
		"negative round":     {replace(`"round_of":9`, `"round_of":-9`), "round_of: -9"},
		"no time":            {replace(`"started":"2024-04-08T12:00:00.123456789Z",`, ``), "started: missing"},
		"a time long ago":    {replace(`"started":"2024`, `"started":"1024`), "started: year 1024"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := report.Decode([]byte(test.in))
			if err == nil {
				t.Fatalf("decoded %+v", r)
			}
			if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 400 {
				t.Errorf("error %q, want one line with %q", err, test.want)
			}
		})
	}
	if _, err := report.Decode([]byte(`{"version":3}`)); !errors.Is(err, report.ErrVersion) {
		t.Errorf("%v is not %v", err, report.ErrVersion)
	}
}

// TestDecodeIgnoresUnknownFields: an older hub understands a newer agent.
func TestDecodeIgnoresUnknownFields(t *testing.T) {
	t.Parallel()
	b, err := report.Encode(full())
	if err != nil {
		t.Fatal(err)
	}
	b = bytes.Replace(b, []byte(`"figures":{`), []byte(`"new":{"a":[1]},"figures":{"loudness":-23,`), 1)
	if r, err := report.Decode(b); err != nil || !reflect.DeepEqual(r, full()) {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestEncodeCleansDetails: they hold what strangers' servers said.
func TestEncodeCleansDetails(t *testing.T) {
	t.Parallel()
	r := full()
	r.Detail = "a\x00b\nc\xffd" + strings.Repeat("ü", 500)
	r.ControlDetail = strings.Repeat("\u2028", 1<<20)
	b, err := report.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	back, err := report.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(back.Detail, "a b c?dü") || len(back.Detail) > prober.MaxDetail || len(back.Detail) < prober.MaxDetail-3 || !utf8.ValidString(back.Detail) {
		t.Errorf("detail %q of %d bytes", back.Detail, len(back.Detail))
	}
}

// TestLargestResultFits: whatever Check allows can be sent.
func TestLargestResultFits(t *testing.T) {
	t.Parallel()
	r := full()
	long := strings.Repeat(`<`, 128) // six bytes each in JSON
	r.ID, r.Site, r.Boot, r.Target, r.Ingest, r.Playback, r.Pusher, r.Run, r.Round = long, long, long, long, long, long, long, long, long
	r.Agent = strings.Repeat("a", 64)
	r.Detail, r.ControlDetail = strings.Repeat(`<`, 300), strings.Repeat(`<`, 300)
	for len(r.Figures.Stages) < 32 {
		r.Figures.Stages = append(r.Figures.Stages, prober.StageTime{Stage: prober.StageProvision, Duration: 1<<63 - 1})
	}
	for range prober.MaxFindings {
		f := prober.Finding{Section: strings.Repeat(`<`, 200), Severity: prober.SeverityNote, Stage: prober.StageMedia,
			Reason: prober.ReasonNotMedia, Where: strings.Repeat(`<`, 200), Detail: strings.Repeat(`<`, 300), Count: 1}
		r.Findings = append(r.Findings, f)
	}
	r.Findings = r.Findings[:prober.MaxFindings]
	b, err := report.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	switch back, err := report.Decode(b); {
	case err != nil:
		t.Fatal(err)
	case len(back.Findings) == 0 || len(back.Findings) == prober.MaxFindings:
		t.Errorf("%d findings, want those alone that fit", len(back.Findings))
	}
	r.Figures.Stages = append(r.Figures.Stages, prober.StageTime{Stage: prober.StageProvision})
	if _, err := report.Encode(r); err == nil {
		t.Error("33 stage times were taken")
	}
}

// TestRenditionsAreSmall: a ladder of four costs little, and one of sixteen leaves
// the findings where they are.
func TestRenditionsAreSmall(t *testing.T) {
	t.Parallel()
	size := func(renditions int) (int, prober.Result) {
		r := full()
		one := r.Figures.Renditions[0]
		r.Figures.Renditions = nil
		for range renditions {
			r.Figures.Renditions = append(r.Figures.Renditions, one)
		}
		for len(r.Findings) < prober.MaxFindings {
			r.Findings = append(r.Findings, r.Findings[0])
		}
		b, err := report.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		back, err := report.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		return len(b), back
	}
	none, _ := size(0)
	four, _ := size(4)
	all, back := size(prober.MaxRenditions + 1)
	t.Logf("%d bytes without, %d with four, %d with %d", none, four, all, prober.MaxRenditions)
	if each := (four - none) / 4; each > 500 || len(back.Figures.Renditions) != prober.MaxRenditions || len(back.Findings) != prober.MaxFindings {
		t.Errorf("%d bytes each, %d renditions, %d findings", each, len(back.Figures.Renditions), len(back.Findings))
	}
	r := full()
	r.Figures.Renditions[0].Name = ""
	b, err := report.Encode(r)
	if err != nil || bytes.Contains(b, []byte("renditions")) {
		t.Errorf("a media playlist alone is sent as a rendition: %v", err)
	}
}

// FuzzDecode: what is taken can be sent on, and is the same then. Fuzzing is slow
// here, because SQLite and NATS are in the same binary and are instrumented too
// (a million runs a minute without them, a few hundred with them).
func FuzzDecode(f *testing.F) {
	b, err := report.Encode(full())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"version":1}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := report.Decode(in)
		if err != nil {
			if r.ID != "" {
				t.Errorf("an error and a result: %+v", r)
			}
			return
		}
		out, err := report.Encode(r)
		if err != nil {
			t.Fatalf("%q was taken and cannot be sent: %v", in, err)
		}
		again, err := report.Decode(out)
		if err != nil {
			t.Fatalf("%q was sent and cannot be taken: %v", out, err)
		}
		r.Detail, r.ControlDetail = again.Detail, again.ControlDetail // cleaned
		if !reflect.DeepEqual(r, again) {
			t.Errorf("%+v became %+v", r, again)
		}
	})
}
