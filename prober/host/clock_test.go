package host

import (
	"encoding/binary"
	"net"
	"strings"
	"testing"
	"time"
)

// clockServer answers SNTP on loopback until the test ends: its clock is ahead,
// and edit changes what it answers.
func clockServer(t *testing.T, ahead time.Duration, edit func(answer []byte)) string {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = conn.Close(); <-done })
	go func() {
		defer close(done)
		question := make([]byte, 512)
		for {
			n, from, err := conn.ReadFromUDP(question)
			if err != nil {
				return
			}
			if n < 48 || question[0]&7 != 3 {
				continue
			}
			answer := make([]byte, 48)
			answer[0], answer[1], answer[2], answer[3] = 4<<3|4, 2, 6, 0xec // version 4, server, stratum 2
			copy(answer[24:], question[40:48])
			now := stamp(time.Now().Add(ahead))
			binary.BigEndian.PutUint64(answer[16:], stamp(time.Now().Add(ahead-time.Minute)))
			binary.BigEndian.PutUint64(answer[32:], now)
			binary.BigEndian.PutUint64(answer[40:], now)
			edit(answer)
			_, _ = conn.WriteToUDP(answer, from)
		}
	}()
	return conn.LocalAddr().String()
}

// stamp is a time as NTP writes it (RFC 5905 6).
func stamp(t time.Time) uint64 {
	epoch := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	seconds := t.Unix() - epoch.Unix()
	return uint64(seconds)<<32 | uint64(t.Nanosecond())<<32/1e9
}

func TestAskClock(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ahead time.Duration
		edit  func([]byte)
		want  string // of the error
		kiss  bool
	}{
		"ahead":            {3 * time.Second, func([]byte) {}, "", false},
		"behind":           {-90 * time.Second, func([]byte) {}, "", false},
		"kiss of death":    {0, func(a []byte) { a[1] = 0; copy(a[12:], "RATE") }, "RATE", true},
		"not in step":      {0, func(a []byte) { a[0] |= 3 << 6 }, "leap", false},
		"far from a root":  {0, func(a []byte) { a[4], a[5] = 0, 20 }, "", false}, // root delay of 20 s
		"another's answer": {0, func(a []byte) { a[24] ^= 1 }, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := askClock(clockServer(t, c.ahead, c.edit))
			if c.ahead != 0 {
				if err != nil || (got-c.ahead).Abs() > 200*time.Millisecond {
					t.Errorf("got %v, %v", got, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || isKiss(err) != c.kiss {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestAClockServerThatIsNotThere(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	if _, err := askClock("127.0.0.1:1"); err == nil {
		t.Error("it answered")
	}
	if took := time.Since(begin); took > 2*clockBound {
		t.Errorf("it took %v", took)
	}
}
