package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"streamcanary/prober"
)

// Bounds of what a hub tells its agents.
const (
	maxAssignmentSize = 512 << 10 // bytes
	maxProbeNowSize   = 16 << 10  // bytes
	maxExtraRounds    = 20
)

type wireAssignment struct {
	Version    int                `json:"version"`
	Assignment *prober.Assignment `json:"assignment"`
}

type wireProbeNow struct {
	Version  int             `json:"version"`
	ProbeNow prober.ProbeNow `json:"probe_now"`
}

func encodeAssignment(a prober.Assignment) ([]byte, error) {
	if a.Targets == nil {
		a.Targets = []prober.Target{} // none, and meant so: see checkAssignment
	}
	b, err := json.Marshal(wireAssignment{Version: Version, Assignment: &a})
	if err != nil {
		return nil, fmt.Errorf("encode assignment: %w", err)
	}
	if len(b) > maxAssignmentSize {
		return nil, fmt.Errorf("encode assignment: %d bytes, at most %d can be sent; give the agent fewer targets", len(b), maxAssignmentSize)
	}
	return b, nil
}

func decodeAssignment(b []byte) (prober.Assignment, error) {
	var w wireAssignment
	if err := decodeOrder(b, maxAssignmentSize, &w, &w.Version); err != nil {
		return prober.Assignment{}, fmt.Errorf("decode assignment: %w", err)
	}
	if err := checkAssignment(w.Assignment); err != nil {
		return prober.Assignment{}, fmt.Errorf("decode assignment: %w", err)
	}
	return *w.Assignment, nil
}

// checkAssignment tells an assignment from other JSON: an agent that took that
// for an order to do nothing would stop probing.
func checkAssignment(a *prober.Assignment) error {
	if a == nil || a.Targets == nil {
		return errors.New("it has no list of targets, not even an empty one")
	}
	known := map[string]bool{}
	for i, t := range a.Targets {
		if t.ID == "" {
			return fmt.Errorf("target %d has no id", i+1)
		}
		known[t.ID] = true
	}
	if a.Budget < 0 || a.Sampling.Every < 0 || a.Sampling.Bound < 0 {
		return errors.New("its budget or sampling is negative")
	}
	for _, p := range a.Probes {
		if !slices.Contains(prober.Kinds(), p.Kind) {
			return fmt.Errorf("kind %s is not known; upgrade the agent", quote(p.Kind))
		}
		if !known[p.Target] {
			return fmt.Errorf("a %s probe is of target %s, which is not in it", p.Kind, quote(p.Target))
		}
	}
	return nil
}

func encodeProbeNow(p prober.ProbeNow) ([]byte, error) {
	if err := checkProbeNow(p); err != nil {
		return nil, fmt.Errorf("encode probe now: %w", err)
	}
	b, err := json.Marshal(wireProbeNow{Version: Version, ProbeNow: p})
	if err != nil {
		return nil, fmt.Errorf("encode probe now: %w", err)
	}
	return b, nil
}

func decodeProbeNow(b []byte) (prober.ProbeNow, error) {
	var w wireProbeNow
	if err := decodeOrder(b, maxProbeNowSize, &w, &w.Version); err != nil {
		return prober.ProbeNow{}, fmt.Errorf("decode probe now: %w", err)
	}
	if err := checkProbeNow(w.ProbeNow); err != nil {
		return prober.ProbeNow{}, fmt.Errorf("decode probe now: %w", err)
	}
	return w.ProbeNow, nil
}

func checkProbeNow(p prober.ProbeNow) error {
	if p.Rounds < 1 || p.Rounds > maxExtraRounds {
		return fmt.Errorf("rounds: %d, want 1 to %d", p.Rounds, maxExtraRounds)
	}
	if p.Spacing < 0 {
		return fmt.Errorf("spacing: %v, want 0 or more", p.Spacing)
	}
	if len(p.Kinds) == 0 {
		return errors.New("kinds: none")
	}
	for _, k := range p.Kinds {
		if !slices.Contains(prober.Kinds(), k) {
			return fmt.Errorf("kind %s is not known; upgrade the agent", quote(k))
		}
	}
	return nil
}

func decodeOrder(b []byte, limit int, into any, version *int) error {
	if len(b) > limit {
		return fmt.Errorf("%d bytes, at most %d are taken", len(b), limit)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return err
	}
	if *version != Version {
		return fmt.Errorf("%w: it has %d, known is %d; upgrade the agent", ErrVersion, *version, Version)
	}
	return nil
}
