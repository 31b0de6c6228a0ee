// Package hls pulls a live broadcast back as a viewer's player does and says
// what is wrong with it: playlists, segments, and whether the media inside is
// ours and from now. It must not know who pushes, schedules or judges.
package hls
