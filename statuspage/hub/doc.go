// Package hub takes the journal in, lets the engine decide, stores what it
// decided and publishes it: page, on-call feed, sinks and orders to the agents.
// It must not know how a stream is probed, nor decide anything itself.
package hub
