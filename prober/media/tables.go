package media

// tables reads the program tables of a transport stream (2.4.4): the first
// program's first video stream, and its sound.
type tables struct {
	havePAT, havePMT bool
	pmtPID           int
	videoPID         int // 0: no video
	videoCodec       codec
	audioPIDs        [8]int // 0: none
	section          []byte // of the PMT, which may span packets
}

func (t *tables) isAudio(pid int) bool {
	for _, a := range t.audioPIDs {
		if a == pid {
			return a != 0
		}
	}
	return false
}

// table takes a packet that may belong to the PAT or the PMT.
func (t *tables) table(pid int, payload []byte, begins bool) {
	if pid != 0 && (!t.havePAT || pid != t.pmtPID) || t.havePMT {
		return
	}
	if begins {
		if len(payload) == 0 || len(payload) < 1+int(payload[0]) {
			return
		}
		payload = payload[1+int(payload[0]):] // pointer_field
		t.section = t.section[:0]
	} else if len(t.section) == 0 {
		return
	}
	t.section = append(t.section, payload...)
	if len(t.section) < 3 {
		return
	}
	end := 3 + int(t.section[1]&0x0f)<<8 + int(t.section[2]) // section_length is 12 bits
	if len(t.section) < end || end < 12 {
		return
	}
	body := t.section[8 : end-4] // without the CRC
	switch {
	case pid == 0 && t.section[0] == 0:
		t.pat(body)
	case pid != 0 && t.section[0] == 2:
		t.pmt(body)
	}
	t.section = t.section[:0]
}

func (t *tables) pat(b []byte) {
	for ; len(b) >= 4; b = b[4:] {
		if program := int(b[0])<<8 | int(b[1]); program != 0 { // 0 is the network's
			t.pmtPID, t.havePAT = int(b[2]&0x1f)<<8|int(b[3]), true
			return
		}
	}
}

func (t *tables) pmt(b []byte) {
	if len(b) < 4 {
		return
	}
	skip := 4 + int(b[2]&0x0f)<<8 + int(b[3]) // program_info_length
	sounds := 0
	for skip+5 <= len(b) {
		b = b[skip:]
		pid := int(b[1]&0x1f)<<8 | int(b[2])
		if c, ok := videoType(b[0]); ok && t.videoPID == 0 {
			t.videoPID, t.videoCodec = pid, c
		}
		if isAudioType(b[0]) && sounds < len(t.audioPIDs) {
			t.audioPIDs[sounds] = pid
			sounds++
		}
		skip = 5 + int(b[3]&0x0f)<<8 + int(b[4]) // ES_info_length
	}
	t.havePMT = true
}

// videoType is Table 2-34, and the types of HLS sample encryption.
func videoType(streamType byte) (codec, bool) {
	switch streamType {
	case 0x1b, 0xdb:
		return h264, true
	case 0x24:
		return h265, true
	case 0x01, 0x02, 0x10, 0x33, 0xd1:
		return otherCodec, true
	}
	return otherCodec, false
}

// isAudioType is Table 2-34 (MPEG audio, AAC), ATSC A/53 (AC-3, E-AC-3), and the
// types of HLS sample encryption.
func isAudioType(streamType byte) bool {
	switch streamType {
	case 0x03, 0x04, 0x0f, 0x11, 0x1c, 0x81, 0x87, 0xcf, 0xc1, 0xc2:
		return true
	}
	return false
}
