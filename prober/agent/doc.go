// Package agent composes one vantage point's probes from an assignment, runs
// them, and hands every result to a sink. It must not know RTMP, HLS, any
// platform's API, how results travel, or what is decided from them.
package agent
