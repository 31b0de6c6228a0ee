package incident

import "streamcanary/prober"

// The keys of sums. They are looked up for every result, so that they are written
// where they cost nothing: a map is read by string(bytes) without a new string.

const keyRoom = 128 // bytes: what most keys fit in; a longer one takes an allocation

// appendSumKey writes "target/type/id|kind".
func appendSumKey(b []byte, e prober.Element, k prober.Kind) []byte {
	b = append(append(append(b, e.Target...), '/'), e.Type...)
	if e.ID != "" {
		b = append(append(b, '/'), e.ID...)
	}
	return append(append(b, '|'), k...)
}

// appendRoundKey writes "agent|kind|target|round".
func appendRoundKey(b []byte, r *prober.Result) []byte {
	b = append(append(append(b, r.Agent...), '|'), r.Kind...)
	b = append(append(append(b, '|'), r.Target...), '|')
	return append(b, r.Round...)
}

func sumKey(e prober.Element, k prober.Kind) string {
	var room [keyRoom]byte
	return string(appendSumKey(room[:0], e, k))
}

// sum is the evidence on an element for a kind; nil is none so far.
func (s *State) sum(e prober.Element, k prober.Kind) *sumState {
	var room [keyRoom]byte
	return s.Sums[string(appendSumKey(room[:0], e, k))]
}

// countable gives the key of a sum, if a round has no evidence of the site in it yet,
// and notes that it has now.
func (r *roundState) countable(e prober.Element, k prober.Kind, site string) (key string, ok bool) {
	var room [keyRoom]byte
	b := appendSumKey(room[:0], e, k)
	n := len(b)
	b = append(append(b, '|'), site...)
	for _, counted := range r.Counted {
		if counted == string(b) {
			return "", false
		}
	}
	counted := string(b)
	r.Counted = append(r.Counted, counted)
	return counted[:n], true
}
