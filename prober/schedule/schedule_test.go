package schedule_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"streamcanary/prober/schedule"
)

var noon = time.Date(2024, 4, 8, 12, 0, 1, 5e8, time.UTC)

func TestNext(t *testing.T) {
	t.Parallel()
	berlin := time.FixedZone("CEST", 2*60*60)
	for _, c := range []struct {
		spec string
		from time.Time
		want string
	}{
		{"@every 2s", noon, "2024-04-08T12:00:02Z"},
		{"  @every 2s ", noon, "2024-04-08T12:00:02Z"},
		{"@every 2s", noon.Truncate(time.Second).Add(time.Second), "2024-04-08T12:00:04Z"},
		{"@every 1m30s", noon, "2024-04-08T12:01:30Z"},
		{"*/5 * * * *", noon, "2024-04-08T12:05:00Z"},
		{"0 13 * * *", noon.In(berlin), "2024-04-08T13:00:00Z"},
		{"@hourly", noon, "2024-04-08T13:00:00Z"},
		{"0 0 29 2 *", noon, "2028-02-29T00:00:00Z"},
	} {
		s, err := schedule.Parse(c.spec)
		if err != nil {
			t.Errorf("%q: %v", c.spec, err)
			continue
		}
		if got := s.Next(c.from).Format(time.RFC3339Nano); got != c.want {
			t.Errorf("%q after %v: got %s, want %s", c.spec, c.from, got, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ spec, want string }{
		{"", "empty"},
		{strings.Repeat("* ", 200), "399 bytes"},
		{"TZ=0", "UTC"},
		{"TZ=Europe/Berlin 0 2 * * *", "UTC"},
		{"CRON_TZ=UTC @every 2s", "UTC"},
		{"@every 30", "unit"},
		{"@every 1500ms", "whole seconds"},
		{"@every 100ms", "whole seconds"},
		{"@every -2s", "whole seconds"},
		{"@every 0s", "whole seconds"},
		{"@reboot", "@reboot"},
		{"* * * *", "expected exactly 5 fields"},
		{"0 0 30 2 *", "never run"},
	} {
		if _, err := schedule.Parse(c.spec); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got error %v, want one that says %q", c.spec, err, c.want)
		}
	}
}

func TestZeroScheduleNeverRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		schedule.Run(ctx, schedule.Schedule{}, 0, 0, func(context.Context, time.Time) {
			t.Error("a schedule that never starts has run")
		})
	})
}

func TestRunKeepsItsPlaceOnTheClock(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spec   string
		offset time.Duration
		takes  time.Duration // how long each round takes
		want   []time.Duration
	}{
		"aligned":        {"@every 2s", 0, 0, []time.Duration{2, 4, 6}},
		"offset":         {"@every 4s", 1 * time.Second, 0, []time.Duration{1, 5, 9}},
		"offset is long": {"@every 2s", 5 * time.Second, 0, []time.Duration{1, 3, 5}},
		"slow, skipped":  {"@every 2s", 0, 5 * time.Second, []time.Duration{2, 8, 14}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now() // a bubble begins at midnight
				<-time.After(500 * time.Millisecond)
				s, err := schedule.Parse(c.spec)
				if err != nil {
					t.Fatal(err)
				}
				var got []time.Duration
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				schedule.Run(ctx, s, c.offset, 0, func(_ context.Context, at time.Time) {
					if d := time.Since(at); d != 0 {
						t.Errorf("started %v after its time", d)
					}
					got = append(got, at.Sub(begin)/time.Second)
					if len(got) == len(c.want) {
						cancel()
						return
					}
					<-time.After(c.takes)
				})
				for i := range c.want {
					if i >= len(got) || got[i] != c.want[i] {
						t.Fatalf("started at seconds %v, want %v", got, c.want)
					}
				}
			})
		})
	}
}

func TestRunWaitsLongerThanAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := schedule.Parse("30 3 * * *")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		begin := time.Now()
		schedule.Run(ctx, s, 0, 0, func(context.Context, time.Time) { cancel() })
		if got, want := time.Since(begin), 3*time.Hour+30*time.Minute; got != want {
			t.Errorf("started after %v, want %v", got, want)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"@every 2s", "*/5 * * * *", "TZ=0", "@hourly", "0 0 29 2 *", "CRON_TZ= x", "1-2/3,4 ? JAN-FEB MON *"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		s, err := schedule.Parse(spec)
		if err != nil {
			return
		}
		at := s.Next(noon)
		if !at.IsZero() && !at.After(noon) {
			t.Errorf("%q: next start %v is not after %v", spec, at, noon)
		}
	})
}
