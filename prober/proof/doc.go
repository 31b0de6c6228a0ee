// Package proof looks at what a viewer would see and hear in a segment: it lets
// ffmpeg, where that is installed, decode the first second or so. It must not know
// whose broadcast it is, nor where the bytes came from; prober.Look.Judge decides.
//
// # Bounds
//
// A segment comes from outside, and decoders have holes. So ffmpeg is told the
// format, gets bytes through a pipe and may open nothing else, decodes with one
// thread a few well-known codecs, and is bounded in input, output, time, picture
// size and, on Linux, memory and CPU time. It inherits no environment.
package proof
