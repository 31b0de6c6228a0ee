package rtmp

import (
	"fmt"
	"slices"
	"sync"

	"streamcanary/prober"
)

// Server is what a server last asked of the protocol; zero: nothing yet.
type Server struct {
	ChunkSize     uint32 // of its chunks, bytes (RTMP 1.0, 5.4.1)
	AckWindow     uint32 // bytes after which we acknowledge (5.4.4)
	PeerBandwidth uint32 // bytes that we may have unacknowledged (5.4.5)
}

// notes are what was heard that is no failure. The greeting of a server, in which
// all of them set chunk size and window, is none; another wish later is.
type notes struct {
	mu       sync.Mutex
	server   Server
	greeted  bool // the broadcast has begun
	findings []prober.Finding
}

// asked keeps a wish, and says whether it was another than before. field is one of
// server's.
func (n *notes) asked(field *uint32, value uint32, section string, reason prober.Reason, what string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	before := *field
	if before == value {
		return false
	}
	*field = value
	if n.greeted {
		was := "it had asked for none before"
		if before != 0 {
			was = fmt.Sprintf("it was %d", before)
		}
		n.append(prober.Finding{Section: "RTMP 1.0 " + section, Severity: prober.SeverityNote, Stage: prober.StageIngest, Reason: reason,
			Detail: fmt.Sprintf("the server asks for %s of %d bytes in mid-broadcast; %s", what, value, was)})
	}
	return true
}

// begin ends the greeting.
func (n *notes) begin() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.greeted = true
}

func (n *notes) add(f prober.Finding) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.append(f)
}

// append counts a finding that is there already. It needs mu.
func (n *notes) append(f prober.Finding) {
	f.Detail = prober.Clip(f.Detail, prober.MaxDetail)
	f.Count = 1
	same := slices.IndexFunc(n.findings, func(o prober.Finding) bool {
		return o.Reason == f.Reason && o.Where == f.Where && o.Section == f.Section
	})
	switch {
	case same >= 0:
		f.Count += n.findings[same].Count
		n.findings[same] = f
	case len(n.findings) < prober.MaxFindings:
		n.findings = append(n.findings, f)
	}
}

// soFar gives what was heard since the connection began.
func (n *notes) soFar() (Server, []prober.Finding) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.server, slices.Clone(n.findings)
}
