// Package host measures the machine and the network that an agent runs on, and
// asks an independent reference, so that the agent's own trouble is told from the
// platform's. It must not know what is probed, nor when an agent is sick.
package host
