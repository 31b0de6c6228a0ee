package agent

import (
	"maps"

	"streamcanary/prober"
)

// owed is what a broadcast has sent, and the server has asked for besides, that no
// result has told: of the connections since the last round.
type owed struct {
	bytes    int64
	findings []prober.Finding
}

// untold is that up to this moment. Who asks has to tell it. c.mu is held.
func (c *canary) untold() owed {
	all := c.owed
	c.owed = owed{}
	if c.broadcast != nil {
		sent := c.broadcast.Sent()
		all.bytes += max(sent.Bytes-c.sentBefore.Bytes, 0)
		fresh := prober.NewFindings(c.sentBefore.Findings, sent.Findings, prober.MaxFindings)
		all.findings = prober.AddFindings(all.findings, prober.MaxFindings, fresh...)
		c.sentBefore = sent
	}
	return all
}

// leave ends a cell, and counts what came after its last result. c.mu is held.
func (c *canary) leave(old *cell) {
	old.stop()
	c.pulls.Go(func() {
		<-old.ended
		c.spend(old.untold().Figures.BytesReceived)
	})
}

// spend counts bytes that no result tells. What a control sends itself crosses no
// network.
func (c *canary) spend(bytes int64) {
	if !c.small {
		c.env.budget.spend(bytes)
	}
}

// inherit goes on counting where the canary before has stopped, and tells what
// that has not told.
func (c *canary) inherit(old *canary) {
	old.mu.Lock()
	n, untold := old.interruptions, old.untold()
	cells := maps.Clone(old.cells)
	old.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.interruptions += n
	c.owed.bytes += untold.bytes
	c.owed.findings = prober.AddFindings(c.owed.findings, prober.MaxFindings, untold.findings...)
	for id, cell := range c.cells {
		if before := cells[id]; before != nil {
			cell.owe(before)
		}
	}
}
