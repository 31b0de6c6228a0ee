package origin

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Fault is what to break at one origin, and for how long.
type Fault struct {
	Name  string
	For   time.Duration
	Begun func() // called once the origin is broken; nil is not
}

// FaultInfo is a fault that can be injected, in words.
type FaultInfo struct {
	At    Where
	Name  string
	Help  string // one line
	Needs Need   // what an origin has to have for it
}

// Need is what an origin has to have, beyond one rendition of MPEG-TS with segments
// of a second, for a fault to be seen; "" is nothing.
type Need string

// Needs of faults.
const (
	NeedRenditions Need = "several renditions"
	NeedTLS        Need = "TLS"
	NeedLowLatency Need = "low latency"
	NeedRecordings Need = "recordings"
	NeedTwoSeconds Need = "segments of 2 s"
)

func needs(fault string) Need {
	switch fault {
	case "freeze-rendition", "rendition-404", "missing-rendition", "rendition-behind", "missing-dates":
		return NeedRenditions
	case "tls-expired":
		return NeedTLS
	case "early-reload", "refuse-reload", "part-404", "slow-parts":
		return NeedLowLatency
	case "recording-404", "recording-denied", "short-recording":
		return NeedRecordings
	case "small-target-duration":
		return NeedTwoSeconds
	}
	return ""
}

// Faults lists every fault that Inject knows.
func Faults() []FaultInfo {
	var list []FaultInfo
	for _, f := range faults() {
		list = append(list, FaultInfo{At: f.at, Name: f.name, Help: f.help, Needs: needs(f.name)})
	}
	return list
}

// Inject breaks this origin, and this one alone, for the fault's duration. It
// returns when the fault is over and healed: early when ctx ends, with its
// error, or when the origin is closed.
func (o *Origin) Inject(ctx context.Context, f Fault) error {
	row, err := findFault(f)
	if err != nil {
		return err
	}
	heal, err := row.begin(o)
	if err != nil {
		return fmt.Errorf("fault %s at %s: %w", f.Name, o.config.Region, err)
	}
	o.log.Info("fault begins", "fault", f.Name, "for", f.For)
	if f.Begun != nil {
		f.Begun()
	}
	interrupted := o.hold(ctx, f.For)
	if err := heal(); err != nil {
		return fmt.Errorf("fault %s at %s does not heal: %w", f.Name, o.config.Region, err)
	}
	o.log.Info("fault is over", "fault", f.Name)
	return interrupted
}

func findFault(f Fault) (fault, error) {
	if f.For < 0 {
		return fault{}, fmt.Errorf("fault %s: duration %s is negative", f.Name, f.For)
	}
	var names []string
	for _, row := range faults() {
		if row.name == f.Name {
			return row, nil
		}
		names = append(names, row.name)
	}
	return fault{}, fmt.Errorf("no fault %q: want one of %s", f.Name, strings.Join(names, ", "))
}

func (o *Origin) hold(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-o.closing.Done():
		return errNotUp
	}
}
