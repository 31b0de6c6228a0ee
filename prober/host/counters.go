package host

import (
	"bufio"
	"bytes"
	"strconv"
	"strings"
)

// counters are the kernel's, which only rise. What cannot be read is zero.
type counters struct {
	busy, all   uint64 // clock ticks of all processors
	sent, again uint64 // TCP segments, and those sent again
}

// maxProc bounds what is read of a file of proc(5), in bytes.
const maxProc = 1 << 20

// parseStat reads the first line of /proc/stat (proc_stat(5)): user, nice,
// system, idle, iowait, irq, softirq, steal; guest time is within user's. Waiting
// for a disk is idle; what the hypervisor took is busy, since we could not run.
func parseStat(text []byte) (busy, all uint64, ok bool) {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	fields := strings.Fields(string(line))
	if len(fields) < 6 || fields[0] != "cpu" {
		return 0, 0, false
	}
	for i, f := range fields[1:min(len(fields), 9)] {
		n, err := strconv.ParseUint(f, 10, 62)
		if err != nil {
			return 0, 0, false
		}
		all += n
		if i != 3 && i != 4 {
			busy += n
		}
	}
	return busy, all, true
}

// parseSNMP reads the Tcp lines of /proc/net/snmp (RFC 4022: tcpOutSegs does not
// count what is sent again, tcpRetransSegs does).
func parseSNMP(text []byte) (sent, again uint64, ok bool) {
	var names []string
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		rest, isTCP := strings.CutPrefix(lines.Text(), "Tcp:")
		switch fields := strings.Fields(rest); {
		case !isTCP:
		case names == nil:
			names = fields
		default:
			return tcpFields(names, fields)
		}
	}
	return 0, 0, false
}

func tcpFields(names, values []string) (sent, again uint64, ok bool) {
	found := 0
	for i, name := range names {
		if i >= len(values) || name != "OutSegs" && name != "RetransSegs" {
			continue
		}
		n, err := strconv.ParseUint(values[i], 10, 62)
		if err != nil {
			return 0, 0, false
		}
		found++
		if name == "OutSegs" {
			sent = n
		} else {
			again = n
		}
	}
	if found < 2 {
		return 0, 0, false
	}
	return sent + again, again, true
}
