package origin

import "sync"

// firsts keeps the first value of each key.
type firsts struct {
	mu   sync.Mutex
	kept map[string]uint64
}

// get gives the key's first value, which is v if it is new.
func (f *firsts) get(key string, v uint64) uint64 {
	return f.once(key, func() uint64 { return v })
}

// count numbers keys in the order in which they were first seen, from 0.
func (f *firsts) count(key string) int {
	return int(f.once(key, func() uint64 { return uint64(len(f.kept)) })) //nolint:gosec // a few
}

func (f *firsts) once(key string, v func() uint64) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if kept, ok := f.kept[key]; ok {
		return kept
	}
	if f.kept == nil {
		f.kept = make(map[string]uint64)
	}
	f.kept[key] = v()
	return f.kept[key]
}
