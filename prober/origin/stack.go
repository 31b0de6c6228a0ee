package origin

import "sync"

// stack holds what faults of one sort have put on. The zero stack is empty.
type stack[T any] struct {
	mu sync.RWMutex
	on []*T
}

// add puts one on top until the function that it returns is called.
func (s *stack[T]) add(v T) (remove func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	added := &v
	s.on = append(s.on, added)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for i, v := range s.on {
			if v == added {
				s.on = append(s.on[:i:i], s.on[i+1:]...)
				return
			}
		}
	}
}

// top is the latest, or nil.
func (s *stack[T]) top() *T {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if n := len(s.on); n > 0 {
		return s.on[n-1]
	}
	return nil
}
