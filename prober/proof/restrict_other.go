//go:build !linux

package proof

// restrict bounds nothing: elsewhere no process can bound another. Time, input,
// output and single allocations are bounded all the same.
func restrict(int) error { return nil }
