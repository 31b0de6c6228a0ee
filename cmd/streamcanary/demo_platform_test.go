package main

import (
	"slices"
	"testing"
)

// Ports that one demo has are not another's, whether or not it listens on them
// at the moment; once it has ended they are.
func TestFreePortsAreHeld(t *testing.T) {
	t.Parallel()
	const from, n = 21_500, 3 // away from what demos use
	one, releaseOne, err := freePorts(t.Context(), from, n)
	if err != nil {
		t.Fatal(err)
	}
	two, releaseTwo, err := freePorts(t.Context(), from, n)
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range two {
		if slices.Contains(one, addr) {
			t.Errorf("%s was given twice", addr)
		}
	}
	releaseTwo()
	releaseOne()
	again, release, err := freePorts(t.Context(), from, n)
	if err != nil {
		t.Fatal(err)
	}
	release()
	if !slices.Equal(again, one) || len(one) != n || len(two) != n {
		t.Errorf("first %v, then %v, and %v again", one, two, again)
	}
}
