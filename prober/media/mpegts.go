package media

import (
	"bytes"
	"errors"
	"fmt"
)

const (
	packetSize = 188
	syncByte   = 0x47
	syncSearch = 8 * packetSize // players look for the first packet about so far
	nullPID    = 0x1fff
)

// syncAt finds the first packet of a transport stream: three sync bytes in a
// row, or as many as there is room for.
func syncAt(b []byte) (at int, ok bool) {
	for at := range min(len(b)-packetSize+1, syncSearch) {
		if inSync(b[at:]) {
			return at, true
		}
	}
	return 0, false
}

// inSync tells whether packets begin here.
func inSync(b []byte) bool {
	return len(b) >= packetSize && b[0] == syncByte && (len(b) <= packetSize || b[packetSize] == syncByte) &&
		(len(b) <= 2*packetSize || b[2*packetSize] == syncByte)
}

// demuxer takes a transport stream apart.
type demuxer struct {
	program
	data      []byte // what packets are read from
	at        int    // where the present one is
	pcr       clockReference
	stats     TransportStats
	pids      []pidState
	last      int  // index in pids of the latest packet's
	early     bool // media came before the tables
	scrambled bool
	base      int64 // the segment's first time, valid when started
	started   bool
}

// pidState is what is kept of a PID.
type pidState struct {
	pid     int
	counter int8 // continuity_counter of the last packet with payload; -1: none yet
	last    int  // where that packet is in the segment; -1 when it has come twice, as it may once
	elementary
}

func (s *Summary) inspectTS(segment, init []byte) error {
	d := demuxer{pids: make([]pidState, 0, 8)}
	if _, ok := syncAt(init); ok {
		d.data = init
		for ; len(init) >= d.at+packetSize && init[d.at] == syncByte; d.at += packetSize {
			d.packet()
		}
		d.stats, d.pids = TransportStats{}, d.pids[:0] // continuity begins with the segment
	}
	rest := d.read(segment)
	for i := range d.pids {
		d.flush(&d.pids[i])
	}
	s.takeStreams(d.streams)
	d.stats.TableErrors = d.badTables
	d.stats.TablesFirst = d.havePMT && !d.early
	s.TS = d.stats
	switch {
	case d.sampleAES:
		s.Encryption = SampleAES
	case d.scrambled:
		s.Encryption = ScrambledTS
	}
	return d.complaint(*s, segment, rest)
}

// read takes the packets of a segment, finds them again where some bytes are
// damaged or missing, and gives what is no packet any more.
func (d *demuxer) read(segment []byte) (rest []byte) {
	d.data = segment
	for d.at = 0; d.at+packetSize <= len(segment); {
		if segment[d.at] == syncByte {
			d.packet()
			d.at += packetSize
			continue
		}
		again, ok := resync(segment[d.at:])
		if !ok {
			break
		}
		d.stats.SyncLosses++
		d.at += again
	}
	return segment[d.at:]
}

// resync finds where packets go on: at best where they should, else anywhere.
func resync(b []byte) (at int, ok bool) {
	whole := len(b)%packetSize == 0
	for at := packetSize; (whole || at+2*packetSize < len(b)) && at < min(len(b), syncSearch); at += packetSize {
		if inSync(b[at:]) {
			return at, true
		}
	}
	for at := 1; at+2*packetSize < len(b); at++ {
		if b[at] == syncByte && inSync(b[at:]) {
			return at, true
		}
	}
	return 0, false
}

// complaint says what is wrong with a transport stream that was read up to rest.
func (d *demuxer) complaint(s Summary, segment, rest []byte) error {
	at := len(segment) - len(rest)
	switch {
	case len(rest) >= packetSize:
		return fmt.Errorf("not media: MPEG-TS that turns into something else at byte %d of %d", at, len(segment))
	case len(rest) > 0:
		return fmt.Errorf("not media: MPEG-TS cut short: %d bytes behind the last whole packet at byte %d", len(rest), at)
	case d.badTables > 0 && !d.havePMT:
		return errors.New("not media: MPEG-TS whose program tables have wrong checksums: players ignore them")
	case !d.havePAT:
		return errors.New("not media: MPEG-TS without a program association table: no player knows what is in it")
	case !d.havePMT:
		return errors.New("not media: MPEG-TS without a program map table: no player knows what is in it")
	case s.Encryption == ScrambledTS && !s.HasVideo && !s.HasAudio:
		return errors.New("not media: MPEG-TS whose packets are scrambled: still encrypted")
	case !s.HasVideo && !s.HasAudio:
		return errors.New("not media: MPEG-TS without any picture or sound in it")
	}
	return nil
}

// packet takes the transport packet at hand (2.4.3.2).
func (d *demuxer) packet() {
	p := d.data[d.at : d.at+packetSize]
	d.stats.Packets++
	begins := p[1]&0x40 != 0 // payload_unit_start_indicator
	pid := int(p[1]&0x1f)<<8 | int(p[2])
	if p[1]&0x80 != 0 {
		d.stats.ErrorPackets++ // nothing in it can be trusted, its PID neither
		return
	}
	if pid == nullPID {
		return
	}
	payload, adaptation := p[4:], []byte(nil)
	if p[3]&0x20 != 0 {
		n := 1 + int(p[4])
		if n > len(payload) {
			d.stats.BadTimes++
			return
		}
		adaptation, payload = payload[1:n], payload[n:]
	}
	broken := len(adaptation) > 0 && adaptation[0]&0x80 != 0 // discontinuity_indicator
	if pid == d.pcrPID && d.havePMT {
		d.pcr.take(adaptation, broken, &d.stats)
	}
	state := d.state(pid)
	if state == nil || p[3]&0x10 == 0 || !d.next(state, int8(p[3]&0xf), broken) {
		return
	}
	if p[3]&0xc0 != 0 {
		d.scrambled = true
		return
	}
	random := len(adaptation) > 0 && adaptation[0]&0x40 != 0 // random_access_indicator
	d.payload(state, payload, begins, random)
}

// payload hands a packet's content to its stream, or to the tables.
func (d *demuxer) payload(state *pidState, payload []byte, begins, random bool) {
	if !d.havePMT || state.pid == 0 || state.pid == d.pmtPID {
		const reserved = 0x20 // tables of DVB and ATSC
		d.early = d.early || !d.havePMT && begins && state.pid >= reserved && (!d.havePAT || state.pid != d.pmtPID)
		d.table(state.pid, payload, begins)
		return
	}
	if !state.bound {
		state.bound, state.stream = true, d.streamIndex(state.pid)
	}
	if state.stream >= 0 {
		d.media(state, payload, begins, random)
	}
}

// streamIndex finds the stream of a PID, or -1.
func (d *demuxer) streamIndex(pid int) int {
	for i := range d.streams {
		if d.streams[i].ID == pid {
			return i
		}
	}
	return -1
}

// state finds what is kept of a PID. Those beyond a bound are not looked into.
func (d *demuxer) state(pid int) *pidState {
	if d.last < len(d.pids) && d.pids[d.last].pid == pid {
		return &d.pids[d.last]
	}
	for i := range d.pids {
		if d.pids[i].pid == pid {
			d.last = i
			return &d.pids[i]
		}
	}
	if len(d.pids) >= 2*maxStreams {
		return nil
	}
	d.last = len(d.pids)
	d.pids = append(d.pids, pidState{pid: pid, counter: -1})
	return &d.pids[d.last]
}

// next checks the continuity counter (2.4.3.3) of a packet with payload, and says
// whether the packet is to be read: a packet may be sent twice.
func (d *demuxer) next(s *pidState, counter int8, broken bool) bool {
	switch {
	case s.counter < 0 || broken || counter == (s.counter+1)&0xf:
	case counter == s.counter && s.last >= 0 && d.same(s.last):
		s.last = -1
		return false
	default:
		d.stats.ContinuityErrors++
	}
	s.counter, s.last = counter, d.at
	return true
}

// same tells whether an earlier packet is that at hand: but for its clock
// reference a packet that is sent twice is.
func (d *demuxer) same(at int) bool {
	const payload = 4 + 1 + 7 // behind header, adaptation field's head and PCR
	return bytes.Equal(d.data[at+payload:at+packetSize], d.data[d.at+payload:d.at+packetSize])
}
