package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"streamcanary/statuspage/alert"
)

// TestAgentCutOff puts one of three agents behind a network of its own, and
// takes that network's way to the platform away: the agent reaches its hub and
// nothing that it probes. That is told to on-call, and to nobody else.
func TestAgentCutOff(t *testing.T) {
	t.Parallel()
	const (
		quiet = 30 * time.Second // without a word in public
		told  = 30 * time.Second // policy.contradicted_after
		slack = 20 * time.Second
		again = 30 * time.Second // although nginx believes in the lost broadcast for longer
	)
	n := newNetwork(t)
	s := startNginx(t, n.platform)
	w := newSystem(t, s, n.hub)
	w.agent(t, agentA)
	w.agent(t, agentB)
	start(t, "streamcanary agent "+agentC, "ip", append([]string{"netns", "exec", n.name, binary(t)}, w.agentArgs(agentC)...)...)
	w.known(t)
	s.publishes(t, "streamcanary-"+agentC)

	n.cut(t)
	cut := time.Now()
	eventually(t, "on-call is told", told+slack, func() error {
		if err := w.allGood(); err != nil {
			t.Fatalf("%.1f s after one agent was cut off: %v", time.Since(cut).Seconds(), err)
		}
		if took := time.Since(cut); took < quiet {
			return fmt.Errorf("only %v are over", took)
		}
		return w.contradicted(agentC)
	})
	alone := w.alerted(t, "agent.contradicted", agentC)
	took := alone.At.Sub(cut)
	t.Logf("agent %s was cut off; on-call was told %.1f s later", agentC, took.Seconds())
	if took < told || alone.Action != alert.ActionTrigger || alone.Severity != alert.SeverityWarning {
		t.Errorf("told %v after the cut: %+v", took, alone)
	}

	n.heal(t)
	healed := time.Now()
	back := w.alerted(t, "agent.recovered", agentC)
	t.Logf("the way was free again; on-call was told %.1f s later", back.At.Sub(healed).Seconds())
	if back.At.Sub(healed) > again {
		t.Errorf("on-call was told %v after the way was free again, want at most %v", back.At.Sub(healed), again)
	}
	if back.Key != alone.Key || back.Action != alert.ActionResolve {
		t.Errorf("its return is told as %+v", back)
	}
	if all, err := incidentsOf(w.page); err != nil || len(all) > 0 {
		t.Errorf("incidents were public: %+v (%v)", all, err)
	}
	all, err := w.alerts()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if a.Agent != agentC || a.Incident != nil {
			t.Errorf("on-call was told of more than the one agent:%s", tellAlerts(all))
		}
	}
}

func (w *system) contradicted(agent string) error {
	all, err := w.alerts()
	if err != nil {
		return err
	}
	for _, a := range all {
		if a.Agent == agent && a.Type == "agent.contradicted" {
			return nil
		}
	}
	return fmt.Errorf("on-call was told:%s", tellAlerts(all))
}

// network is a network namespace with one way out: to this machine, which has
// two addresses there.
type network struct {
	name          string
	inside        string // the device within
	hub, platform string // addresses of this machine
}

// newNetwork makes one, in a part of 198.18.0.0/15, which is set aside for tests
// of networks (RFC 2544). It takes root, and a kernel that lets it.
func newNetwork(t *testing.T) *network {
	t.Helper()
	if os.Geteuid() != 0 {
		needs(t, errors.New("network namespaces need root"), "run the tests as root")
	}
	needsProgram(t, "ip", "iproute2")
	id := os.Getpid() % (1 << 16)
	prefix := fmt.Sprintf("198.%d.%d", 18+id>>8&1, id&0xff)
	n := &network{name: fmt.Sprintf("streamcanary-%d", id), inside: "inside", hub: prefix + ".1", platform: prefix + ".2"}
	needs(t, ip("netns", "add", n.name), "this machine gives no network namespaces")
	t.Cleanup(func() {
		if err := ip("netns", "delete", n.name); err != nil { // its device goes with it, and the other end
			t.Error(err)
		}
	})
	outside := fmt.Sprintf("sc%d", id)
	for _, args := range [][]string{
		{"link", "add", outside, "type", "veth", "peer", "name", n.inside, "netns", n.name},
		{"address", "add", n.hub + "/24", "dev", outside},
		{"address", "add", n.platform + "/24", "dev", outside},
		{"link", "set", outside, "up"},
		{"-n", n.name, "address", "add", prefix + ".3/24", "dev", n.inside},
		{"-n", n.name, "link", "set", n.inside, "up"},
		{"-n", n.name, "link", "set", "lo", "up"},
	} {
		needs(t, ip(args...), "this machine gives no networks of one's own")
	}
	return n
}

// cut makes whatever is sent to the platform from within get lost on the way,
// without an answer: it goes to a card that nobody has.
func (n *network) cut(t *testing.T) {
	t.Helper()
	if err := ip("-n", n.name, "neighbour", "replace", n.platform, "lladdr", "02:00:00:00:00:02", "nud", "permanent", "dev", n.inside); err != nil {
		t.Fatal(err)
	}
}

func (n *network) heal(t *testing.T) {
	t.Helper()
	if err := ip("-n", n.name, "neighbour", "delete", n.platform, "dev", n.inside); err != nil {
		t.Fatal(err)
	}
}

func ip(args ...string) error {
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %v: %w: %s", args, err, out)
	}
	return nil
}
