package host

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/beevik/ntp"
)

const (
	clockPeriod  = 64 * time.Second // NTP's own (RFC 5905 7.3: 2^6 s); no server minds
	clockBackoff = 15 * time.Minute // after a kiss of death (RFC 5905 7.4)
	clockBound   = 2 * time.Second
	clockStays   = 5 * time.Minute // how long an offset is told after the last answer
	mostDistance = time.Second     // an answer that may be further off says nothing
)

// followClock asks the server for the time again and again.
func (m *Meter) followClock(ctx context.Context) {
	ask := m.ask
	if ask == nil {
		ask = askClock
	}
	log := m.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	told := false
	for {
		offset, err := ask(m.ClockServer)
		wait := clockPeriod
		switch {
		case err == nil:
			m.mu.Lock()
			m.offset, m.asked = offset, time.Now()
			m.mu.Unlock()
		case isKiss(err):
			wait = clockBackoff
			fallthrough
		default:
			if !told {
				log.Warn("the clock server does not answer as it should; the clock's offset is not known", "server", m.ClockServer, "error", err)
			}
		}
		told = err != nil
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// kissError says that the server wants to be left alone.
type kissError struct{ code string }

func (e kissError) Error() string { return "the server asks to be left alone: " + e.code }

func isKiss(err error) bool {
	_, ok := err.(kissError) //nolint:errorlint // it is never wrapped
	return ok
}

// askClock asks once, and gives the server's clock less ours.
func askClock(server string) (time.Duration, error) {
	r, err := ntp.QueryWithOptions(server, ntp.QueryOptions{Timeout: clockBound})
	if err != nil {
		return 0, err
	}
	if r.IsKissOfDeath() {
		return 0, kissError{r.KissCode}
	}
	if err := r.Validate(); err != nil {
		return 0, err
	}
	if r.RootDistance > mostDistance {
		return 0, fmt.Errorf("its answer may be %v off", r.RootDistance.Round(time.Millisecond))
	}
	return r.ClockOffset, nil
}
