// Package media says what is inside a media segment: the container, pictures and
// sound, their times, and the markers of our broadcasts; or why the bytes are no
// media at all. It knows bytes only; it must not know where they came from.
//
// MPEG-TS and the fragments of fMP4 are read here: for the little that a probe
// needs, mediacommon's readers take up to eighteen times as long and eighty times
// the allocations, and one fragment that they do not support hides all others.
// The initialization section, where the codecs are, is read by mediacommon.
package media
