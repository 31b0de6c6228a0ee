package host

import "testing"

const stat = "cpu  300 20 100 5000 80 7 13 40 60 0\ncpu0 150 10 50 2500 40 3 6 20 30 0\nintr 1 2 3\n"

const snmp = `Ip: Forwarding DefaultTTL
Ip: 1 64
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors
Tcp: 1 200 120000 -1 5 6 7 8 9 1000 900 100 0 11 0
Udp: InDatagrams
Udp: 5
`

func TestParseStat(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][3]uint64{
		stat:                               {480, 5560, 1},
		"cpu 1 2 3 4 5\n":                  {6, 15, 1}, // Linux 2.5
		"cpu 1 2 3 4\n":                    {},
		"":                                 {},
		"intr 5\n":                         {},
		"cpu a b c d e f\n":                {},
		"cpu 1 2 3 4 99999999999999999999": {},
	} {
		busy, all, ok := parseStat([]byte(text))
		if busy != want[0] || all != want[1] || ok != (want[2] == 1) {
			t.Errorf("%q: %d of %d, %v", text, busy, all, ok)
		}
	}
}

func TestParseSNMP(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][3]uint64{
		snmp:                                     {1000, 100, 1},
		"Tcp: OutSegs RetransSegs\nTcp: 1\n":     {},
		"Tcp: OutSegs\nTcp: 1\n":                 {},
		"Tcp: OutSegs RetransSegs\nTcp: -1 1\n":  {},
		"Tcp: OutSegs RetransSegs\n":             {},
		"Udp: OutSegs RetransSegs\nUdp: 1 2\n\n": {},
	} {
		sent, again, ok := parseSNMP([]byte(text))
		if sent != want[0] || again != want[1] || ok != (want[2] == 1) {
			t.Errorf("%q: %d again of %d, %v", text, again, sent, ok)
		}
	}
}

// FuzzCounters: whatever the kernel writes, the parts are no more than the whole.
func FuzzCounters(f *testing.F) {
	f.Add([]byte(stat))
	f.Add([]byte(snmp))
	f.Fuzz(func(t *testing.T, text []byte) {
		if busy, all, ok := parseStat(text); ok && busy > all {
			t.Errorf("%d busy of %d", busy, all)
		}
		if sent, again, ok := parseSNMP(text); ok && again > sent {
			t.Errorf("%d again of %d", again, sent)
		}
	})
}
