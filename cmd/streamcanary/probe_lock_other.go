//go:build !unix

package main

import "errors"

var errInUse = errors.New("another process of ours on this machine uses it")

// lockKey has no lock here that ends with its process, however that ends.
func lockKey(string) (unlock func(), err error) {
	return nil, errors.New("two probes of one key cannot be kept apart on this system; write {stream} in both URLs in the place of the key")
}

// lockPort holds nothing: a second demo may find a port that looks free, and end.
func lockPort(int) (unlock func(), err error) { return func() {}, nil }
