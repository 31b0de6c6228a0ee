package report_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"streamcanary/prober/report"
)

func TestRecordedEntries(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 4, 8, 12, 0, 0, 5, time.UTC)
	r := result("fra", 7)
	for _, e := range []report.Entry{
		{Seq: 1, At: at, Kind: report.KindResult, Agent: "fra", Result: &r},
		{Seq: 2, At: at, Kind: report.KindTick},
		{Seq: 3, At: at, Kind: report.KindChange, Payload: []byte(`{"id":"1"}`)},
		{Seq: 4, At: at, Kind: report.KindConfig, Payload: []byte(`{}`)},
		{Seq: 5, At: at, Kind: report.KindCommand, Payload: []byte(`{"x":1}`)},
	} {
		line, err := report.EncodeEntry(e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := report.DecodeEntry(line)
		if err != nil {
			t.Fatal(err)
		}
		if got.Result != nil && e.Result != nil {
			a, _ := report.Encode(*got.Result)
			b, _ := report.Encode(*e.Result)
			if string(a) != string(b) {
				t.Errorf("result %s, want %s", a, b)
			}
			got.Result, e.Result = nil, nil
		}
		if !reflect.DeepEqual(got, e) {
			t.Errorf("%+v, want %+v", got, e)
		}
	}
	for _, bad := range []report.Entry{{Err: "broken"}, {Kind: report.KindChange, Payload: []byte("no JSON")}} {
		if line, err := report.EncodeEntry(bad); err == nil {
			t.Errorf("%+v became %s", bad, line)
		}
	}
}

// Recorded gives what is there between two times, and ends.
func TestRecorded(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	j := n.journal(report.JournalConfig{})
	recorded := func(since, until time.Time) string {
		t.Helper()
		var got []string
		err := j.Recorded(t.Context(), since, until, func(batch []report.Entry) error {
			for _, e := range batch {
				got = append(got, string(e.Payload))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) > 12 {
			return fmt.Sprint(len(got))
		}
		return strings.Join(got, " ")
	}
	if got := recorded(time.Time{}, time.Time{}); got != "" {
		t.Errorf("an empty journal has %q", got)
	}
	const many = 2*report.BatchSize + 10
	for i := range many {
		if _, err := j.Change(t.Context(), fmt.Sprint(i), fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
	var times []time.Time
	if err := j.Recorded(t.Context(), time.Time{}, time.Time{}, func(batch []report.Entry) error {
		for _, e := range batch {
			times = append(times, e.At)
		}
		return nil
	}); err != nil || len(times) != many {
		t.Fatalf("%d of %d entries, %v", len(times), many, err)
	}
	if got := recorded(times[many-3], time.Time{}); got != fmt.Sprintf("%d %d %d", many-3, many-2, many-1) {
		t.Errorf("from the third last on: %q", got)
	}
	if got := recorded(time.Time{}, times[2]); got != "0 1" {
		t.Errorf("before the third: %q", got)
	}
	if got := recorded(times[many-1].Add(time.Hour), time.Time{}); got != "" {
		t.Errorf("from the future on: %q", got)
	}
	if got := recorded(times[4], times[6]); got != "4 5" {
		t.Errorf("between two: %q", got)
	}
}

func FuzzDecodeEntry(f *testing.F) {
	r := result("fra", 1)
	for _, e := range []report.Entry{{Seq: 1, At: time.Unix(1_700_000_000, 0), Kind: report.KindResult, Result: &r}, {Seq: 2, At: time.Unix(1_700_000_000, 0), Kind: report.KindTick}} {
		line, err := report.EncodeEntry(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := report.DecodeEntry(b)
		if err != nil {
			return
		}
		if _, err := report.EncodeEntry(e); err != nil {
			t.Errorf("%s was read, and cannot be written: %v", b, err)
		}
	})
}
