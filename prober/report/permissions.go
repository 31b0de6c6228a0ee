package report

// Permissions are what a NATS server has to let an agent do. Every agent needs
// an account of its own: JetStream sends its acknowledgement to whatever reply
// subject a publisher names, and no permission is asked for that. In an account
// of its own an agent can only answer itself.
type Permissions struct {
	Publish   []string // subjects that the user may publish to; all others are denied
	Subscribe []string // subjects that the user may subscribe to; all others are denied

	Services []string // that the agent's account imports from the hub's: requests, whose answers come back
	Streams  []string // that the agent's account imports from the hub's: messages one way
}

// AgentPermissions are those of one agent: publish its own results, tell of its
// own broadcasts, read its own assignment, hear "probe now" and what broadcasts
// the others have up. It can neither make consumers nor see
// inboxes, results or assignments of others. The hub's account exports what
// Services and Streams list to the agent's account, and nothing else.
func AgentPermissions(agent string) Permissions {
	requests := []string{subjectResults + agent, directGet + agent, subjectBroadcasts + agent}
	orders := []string{subjectAssignment + agent, subjectProbeNow, subjectFleet}
	return Permissions{
		Publish: requests,
		Subscribe: append([]string{
			inboxPrefix + agent + ".>", // acknowledgements, and the answers to directGet
		}, orders...),
		Services: requests,
		Streams:  orders,
	}
}
