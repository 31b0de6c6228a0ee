package prober

import "time"

// LongestTarget is the longest target duration that a live stream is waited for.
const LongestTarget = 2 * time.Minute

// RenewalSlack is what a second segment may take beyond two target durations.
const RenewalSlack = 10 * time.Second

// RenewalDue is when a second segment of a live stream has come to whoever reloads as a
// player does, or none will: a playlist that has not changed is asked for again after half
// a target duration, and one that has after all of it (RFC 8216bis 6.3.4).
func RenewalDue(target time.Duration) time.Duration { return 2*target + min(target, RenewalSlack) }

// RenewalWait is for how long one is waited for, where nobody says how long.
func RenewalWait(target time.Duration) time.Duration {
	return 2*min(target, LongestTarget) + RenewalSlack
}
