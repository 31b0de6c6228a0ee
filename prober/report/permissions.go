package report

// Permissions are the subjects that a user of the hub's NATS server may publish
// to and subscribe to; whatever they do not list is denied.
type Permissions struct {
	Publish   []string
	Subscribe []string
}

// AgentPermissions are those of one agent: publish its own results, read its
// own assignment, hear "probe now". It can neither make consumers nor see
// inboxes, results or assignments of others.
func AgentPermissions(agent string) Permissions {
	return Permissions{
		Publish: []string{
			subjectResults + agent,
			directGet + agent,
		},
		Subscribe: []string{
			inboxPrefix + agent + ".>", // acknowledgements, and the answers to directGet
			subjectAssignment + agent,
			subjectProbeNow,
		},
	}
}
