// Package media says what is inside a media segment: the container, pictures and
// sound, their times, and the markers of our broadcasts; or why the bytes are no
// media at all. It knows bytes only; it must not know where they came from.
//
// MPEG-TS and the fragments of fMP4 are read here, since mediacommon's readers
// cost eighty times as much for what a probe needs, do not take a sample's
// defaults from where common packagers put them, and are not made for hostile
// input. The initialization section, where the codecs are, is read by mediacommon.
package media
