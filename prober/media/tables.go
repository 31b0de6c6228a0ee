package media

import (
	"bytes"
	"hash/crc32"
	"math/bits"
)

// maxStreams bounds the streams of a segment that are looked into.
const maxStreams = 16

// program is what the tables of a transport stream say (ISO/IEC 13818-1, 2.4.4):
// of the first program.
type program struct {
	havePAT, havePMT bool
	pmtPID           int
	pcrPID           int
	sampleAES        bool
	streams          []stream
	badTables        int
	section          []byte // of the PAT or PMT, which may span packets
	sectionPID       int
	good             [2][]byte // the last sections whose checksums were right: spares reading them again
	checksum         []byte
}

// table takes a packet that may belong to the PAT or the PMT.
func (t *program) table(pid int, payload []byte, begins bool) {
	if pid != 0 && (!t.havePAT || pid != t.pmtPID) {
		return
	}
	if begins {
		if len(payload) == 0 || len(payload) < 1+int(payload[0]) {
			return
		}
		payload = payload[1+int(payload[0]):] // pointer_field
		t.section, t.sectionPID = t.section[:0], pid
	} else if len(t.section) == 0 || t.sectionPID != pid {
		return
	}
	t.section = append(t.section, payload...)
	if len(t.section) < 3 {
		return
	}
	end := 3 + int(t.section[1]&0x0f)<<8 + int(t.section[2]) // section_length is 12 bits
	if len(t.section) < end {
		return
	}
	t.whole(pid, t.section[:end])
	t.section = t.section[:0]
}

// whole takes a section. Players ignore one with a wrong checksum, and so do we.
func (t *program) whole(pid int, section []byte) {
	which := min(pid, 1)
	switch {
	case len(section) < 12 || int(section[0]) != 2*which: // some other table
		return
	case bytes.Equal(section, t.good[which]):
		return
	case !t.sound(section):
		t.badTables++
		return
	}
	t.good[which] = append(t.good[which][:0], section...)
	body := section[8 : len(section)-4] // without the CRC
	if pid == 0 {
		t.pat(body)
	} else if !t.havePMT {
		t.pmt(body)
	}
}

// sound checks CRC_32 (Annex A): the polynomial of Ethernet's, with the bits of
// each byte the other way round. Over data and checksum it is zero.
func (t *program) sound(section []byte) bool {
	t.checksum = t.checksum[:0]
	for _, b := range section {
		t.checksum = append(t.checksum, bits.Reverse8(b))
	}
	return ^crc32.ChecksumIEEE(t.checksum) == 0
}

func (t *program) pat(b []byte) {
	for ; len(b) >= 4 && !t.havePAT; b = b[4:] {
		if number := int(b[0])<<8 | int(b[1]); number != 0 { // 0 is the network's
			t.pmtPID, t.havePAT = int(b[2]&0x1f)<<8|int(b[3]), true
		}
	}
}

func (t *program) pmt(b []byte) {
	if len(b) < 4 {
		return
	}
	t.pcrPID = int(b[0]&0x1f)<<8 | int(b[1])
	skip := 4 + int(b[2]&0x0f)<<8 + int(b[3]) // program_info_length
	for skip+5 <= len(b) && len(t.streams) < maxStreams {
		b = b[skip:]
		skip = 5 + int(b[3]&0x0f)<<8 + int(b[4]) // ES_info_length
		s := streamOf(b[0], b[5:min(skip, len(b))])
		s.ID = int(b[1]&0x1f)<<8 | int(b[2])
		t.sampleAES = t.sampleAES || b[0] == 0xdb || b[0] == 0xcf || b[0] == 0xc1 || b[0] == 0xc2
		t.streams = append(t.streams, s)
	}
	t.havePMT = true
}

// streamOf reads a stream_type (Table 2-34, ATSC A/53 for AC-3, Apple's sample
// encryption), and for private data the descriptors.
func streamOf(kind byte, descriptors []byte) stream {
	s := stream{scale: 90000}
	video := func(c codec, name string) { s.Kind, s.codec, s.Codec = Video, c, name }
	audio := func(c codec, name string) { s.Kind, s.codec, s.Codec = Audio, c, name }
	switch kind {
	case 0x1b, 0xdb:
		video(codecH264, "")
	case 0x24:
		video(codecH265, "")
	case 0x01, 0x02, 0x10, 0x33, 0xd1: // MPEG-1, MPEG-2, MPEG-4, VVC, Dirac
		video(otherCodec, "")
	case 0x0f, 0xcf:
		audio(codecAAC, "")
	case 0x03, 0x04:
		audio(codecMP3, "mp4a.40.34")
	case 0x11, 0x1c: // AAC in LATM, and raw
		audio(otherCodec, "")
	case 0x81, 0xc1:
		audio(codecAC3, "ac-3")
	case 0x87, 0xc2:
		audio(codecAC3, "ec-3")
	case 0x06:
		s.private(descriptors)
	default:
		s.Kind = Data
	}
	return s
}

// private reads descriptors: registration (2.6.8), DVB's for AC-3, E-AC-3,
// subtitles and teletext (ETSI EN 300 468).
func (s *stream) private(descriptors []byte) {
	s.Kind = Data
	for len(descriptors) >= 2 && len(descriptors) >= 2+int(descriptors[1]) {
		tag, body := descriptors[0], descriptors[2:2+int(descriptors[1])]
		descriptors = descriptors[2+len(body):]
		name := ""
		if tag == 5 && len(body) >= 4 {
			name = string(body[:4])
		}
		switch {
		case name == "HEVC":
			s.Kind, s.codec = Video, codecH265
		case name == "AV01":
			s.Kind, s.Codec = Video, "av01"
		case name == "Opus":
			s.Kind, s.codec, s.Codec = Audio, codecOpus, "opus"
		case tag == 0x7f && len(body) >= 2 && body[0] == 0x80: // Opus's channel_config_code
			s.Channels = int(body[1])
		case name == "AC-3", tag == 0x6a:
			s.Kind, s.codec, s.Codec = Audio, codecAC3, "ac-3"
		case name == "EAC3", tag == 0x7a:
			s.Kind, s.codec, s.Codec = Audio, codecAC3, "ec-3"
		case tag == 0x59, tag == 0x56:
			s.Kind = Text
		}
	}
}
