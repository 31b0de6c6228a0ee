// Package hls pulls a broadcast back as viewers' players do, every rendition of
// it, and says what is wrong with it: playlists, segments, whether the media inside
// is ours and from now, and what a viewer would have felt. It must not know who
// pushes, schedules or judges.
package hls
