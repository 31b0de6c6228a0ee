// Package report is the way of a result from an agent to the hub and of orders
// back: the wire form, the agent's outbox, and both ends of NATS. It must not
// know how results are made or what is decided from them.
package report
