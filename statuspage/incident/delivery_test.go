package incident

import (
	"slices"
	"testing"
	"time"
)

// Delivery is at least once, and not always in order: what opens, when, and what is
// said of it stays the same, give or take the results that are still held up.
func TestDelivery(t *testing.T) {
	t.Parallel()
	for i, row := range faultRows() {
		if row.setup.sites != 3 || row.lasts > 2*time.Minute || row.fault.away || row.away > 0 || i%5 != 0 && !*long {
			continue
		}
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			play := func(change func(*simSetup)) *sim {
				c := row.setup
				c.seed = 5
				c.fault = func(at time.Duration) simFault {
					if at < 2*time.Minute || at >= 2*time.Minute+row.lasts {
						return simFault{}
					}
					return row.fault
				}
				change(&c)
				w := newSim(t, c)
				watch := newInvariants(w)
				w.run(2*time.Minute + row.lasts + 5*time.Minute)
				watch.end()
				return w
			}
			told := func(w *sim) (said []string) {
				for _, e := range w.events {
					if e.Incident != nil {
						u := e.Incident.Updates[len(e.Incident.Updates)-1]
						said = append(said, string(e.Type)+" "+e.At.Format(time.StampMilli)+" "+e.Summary+": "+u.Body)
					}
				}
				return said
			}
			once := play(func(*simSetup) {})
			twice := play(func(s *simSetup) { s.twice = true })
			if a, b := told(once), told(twice); !slices.Equal(a, b) {
				t.Errorf("delivered twice it says\n%q\nand once\n%q", b, a)
			}
			mixed := play(func(s *simSetup) { s.mixed = true })
			if a, b := once.failing(), mixed.failing(); !slices.Equal(a, b) {
				t.Errorf("out of order %v fails, in order %v", b, a)
			}
			a, b := once.of(IncidentOpened), mixed.of(IncidentOpened)
			if len(a) != len(b) {
				t.Fatalf("out of order %d open, in order %d", len(b), len(a))
			}
			for i := range a {
				if d := b[i].At.Sub(a[i].At).Abs(); d > 5*time.Second {
					t.Errorf("out of order it opens %v apart", d)
				}
			}
		})
	}
}
