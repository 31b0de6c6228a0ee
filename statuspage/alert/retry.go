package alert

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Delay is how long to wait before the next attempt when attempts have failed.
//
// Standard Webhooks' schedule (0 s, 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h,
// 24 h) is made for senders with thousands of endpoints. Here one receiver and a
// person on call wait: what restarts is back within a minute, so the first five
// minutes hold seven retries, and within the first hour none is more than ten
// minutes away. From then on it is the standard's, and then daily for as long as
// nobody acknowledges: a resolve is never forgotten.
func Delay(attempts int) time.Duration {
	schedule := []time.Duration{
		5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
		time.Minute, time.Minute, 2 * time.Minute,
		5 * time.Minute, 5 * time.Minute, 10 * time.Minute, 10 * time.Minute, 10 * time.Minute, 10 * time.Minute, 10 * time.Minute,
		30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour,
	}
	if attempts <= 0 {
		return 0
	}
	if past := schedule[:min(attempts, len(schedule))]; len(past) == attempts {
		return past[len(past)-1]
	}
	return 24 * time.Hour
}

// StatusError is an HTTP answer that does not acknowledge.
type StatusError struct {
	Code int
}

// Error says what was answered, and what that means where it is not plain.
func (e *StatusError) Error() string {
	text := fmt.Sprintf("answered %d %s", e.Code, http.StatusText(e.Code))
	switch {
	case e.Code == http.StatusGone:
		return text + ": the receiver wants no more"
	case e.Code >= 300 && e.Code <= 399:
		return text + ": redirects are not followed, configure the final address"
	}
	return text
}

// isGone: 410 asks the sender to stop (Standard Webhooks, "Disabling endpoints").
func isGone(err error) bool {
	var s *StatusError
	return errors.As(err, &s) && s.Code == http.StatusGone
}

// isRefusal: the receiver is up and will not take this one, now or later.
func isRefusal(err error) bool {
	var s *StatusError
	if !errors.As(err, &s) || s.Code < 400 || s.Code > 499 {
		return false
	}
	switch s.Code {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, // a configuration that will be mended
		http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusGone:
		return false
	}
	return true
}
