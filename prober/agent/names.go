package agent

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
	"time"

	"streamcanary/prober"
)

// namePrefix opens the names of all streams that an agent makes at a target. The
// hash keeps agents apart whose ids begin alike, and targets that share an
// account: a sweep of one must never end a broadcast of another.
func namePrefix(agent, target string) string {
	sum := sha256.Sum256([]byte(agent + "\x00" + target))
	return "streamcanary-" + agent + "-" + hex.EncodeToString(sum[:4]) + "-"
}

// streamName is fresh at each call and cannot be guessed: a static platform
// takes whoever knows it for the broadcaster.
func streamName(agent, target string) string {
	return namePrefix(agent, target) + strings.ToLower(rand.Text()[:12])
}

// keyLocks keeps broadcasts apart whose ingest has one fixed key.
type keyLocks struct {
	mu    sync.Mutex
	locks map[string]chan struct{}
}

// lock gives the lock of an ingest's URL, to be taken by sending to it: nil when
// every broadcast has a key of its own.
func (k *keyLocks) lock(ingestURL string) chan struct{} {
	if strings.Contains(ingestURL, prober.StreamVariable) || ingestURL == prober.PushVariable {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.locks == nil {
		k.locks = map[string]chan struct{}{}
	}
	if k.locks[ingestURL] == nil {
		k.locks[ingestURL] = make(chan struct{}, 1)
	}
	return k.locks[ingestURL]
}

// signal leaves a note in a channel of capacity 1, unless there is one.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

func drain(ch chan struct{}) {
	select {
	case <-ch:
	default:
	}
}

// sleep waits for d and says whether ctx is still alive after it.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
	return ctx.Err() == nil
}
