package host

import (
	"io"
	"os"
)

// readCounters reads the machine's processors and the network namespace's TCP.
// Two numbers of two files need no library of all that proc(5) has.
func readCounters() (counters, bool) {
	var c counters
	var haveCPU, haveTCP bool
	if text, err := readProc("/proc/stat"); err == nil {
		c.busy, c.all, haveCPU = parseStat(text)
	}
	if text, err := readProc("/proc/self/net/snmp"); err == nil {
		c.sent, c.again, haveTCP = parseSNMP(text)
	}
	return c, haveCPU || haveTCP
}

func readProc(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, maxProc))
}
