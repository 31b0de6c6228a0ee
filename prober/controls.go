package prober

import "time"

// Controls say how an agent watches itself, beside its own loopback origin. What
// is zero is not watched.
type Controls struct {
	// Reference is an independent public URL, of a file or of an HLS playlist,
	// that has nothing to do with the platform. Whether an agent whose reference
	// fails counts is for the engine: it may fail everywhere.
	Reference string `json:"reference,omitempty"`
	// ClockServer is an SNTP server, HOST or HOST:PORT.
	ClockServer string `json:"clock_server,omitempty"`

	// Beyond these an agent calls itself sick.
	CPU  float64       `json:"cpu,omitempty"`  // busy share of all processors, while its own timers are late, too
	Late time.Duration `json:"late,omitempty"` // average lateness of timers that goes with CPU
	// Clock is how far the clock may be off, or jump.
	Clock time.Duration `json:"clock,omitempty"`
	// Loss is the share of TCP segments sent again. It is the machine's whole
	// network: it cannot tell a lossy way to the platform from one to everywhere.
	Loss float64 `json:"loss,omitempty"`
}

// DefaultControls are the limits that apply where nothing else is said. Loss is
// not judged by default: what is lost on the way to a platform may be lost there.
func DefaultControls() Controls {
	return Controls{CPU: .95, Late: 500 * time.Millisecond, Clock: 5 * time.Second}
}
