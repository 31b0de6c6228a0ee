// Package origin is a small real RTMP to HLS platform with faults to inject, for
// the demo, the drills, the tests, and as every agent's own control: what a
// broadcaster pushes to it, a player can watch. It must not know who pushes, who pulls, or why.
package origin
