package hub

import (
	"testing"
	"time"
)

func TestTickIsDue(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	at := func(d time.Duration) int64 { return now.Add(d).UnixNano() }
	justNow := ticking{last: now.Add(-tickStep), seq: 7}
	for name, test := range map[string]struct {
		ticking ticking
		next    int64
		folded  uint64
		want    bool
	}{
		"nothing is waited for":        {justNow, 0, 7, false},
		"not yet":                      {justNow, at(1), 7, false},
		"now":                          {justNow, at(0), 7, true},
		"overdue, others came since":   {justNow, at(-time.Minute), 9, true},
		"overdue, the last one waits":  {justNow, at(-time.Minute), 6, false},
		"housekeeping":                 {ticking{last: now.Add(-housekeeping), seq: 7}, 0, 7, true},
		"housekeeping, the last waits": {ticking{last: now.Add(-time.Hour), seq: 7}, 0, 6, false},
		"after a failure, too early":   {ticking{last: now, notBefore: now.Add(1)}, at(0), 7, false},
		"after a failure":              {ticking{last: now, notBefore: now}, at(0), 7, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.ticking.due(now, test.next, test.folded); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}
