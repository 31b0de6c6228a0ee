// Package media says what is inside a media segment: the container, tracks and
// codecs, pictures and sound, their times, and the markers of our broadcasts; or why
// the bytes are no media at all. A Checker holds a rendition's segments to the rules,
// each and one after the other. It knows bytes only; it must not know where they
// came from.
//
// MPEG-TS and fMP4 are read here: for the little that a probe needs, mediacommon's
// readers take up to eighteen times as long and eighty times the allocations, and one
// fragment or sample entry that they do not support hides all others. What is coded
// in bits, the parameter sets of H.264 and HEVC and the frame headers of MP3 and AC-3,
// is read by mediacommon.
package media
