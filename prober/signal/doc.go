// Package signal makes the synthetic broadcast: H.264 pictures drawn and coded
// in Go, a loop of AAC sound, and markers in both, as FLV tag bodies.
// It knows bytes only; it must not know how or where they are sent.
//
// # Pictures
//
// Every picture is made of flat blocks of 4x4 luma samples, so that one
// Intra_16x16 macroblock with its DC coefficients alone codes it exactly enough,
// in a few bytes where I_PCM takes 384. A keyframe has two slices: the colour
// bars and the label, coded once when the source is made, and the moving part.
// Between keyframes only macroblocks whose content changed are coded (intra
// again); all others are P_Skip. Text and barcode are made of a few thousand
// different macroblocks, so most are written as they were coded before: see Codes.
//
// # Sound
//
// Every fifth AAC frame begins with a data stream element, which decoders skip,
// with a marker in it.
//
// # Rate
//
// Pictures are smaller than the configured rate. What is missing is made up with
// filler data NAL units (type 12), as encoders with a constant rate do, so that
// a running total of all tag bodies follows Config.Bitrate to within one picture.
// Sound alone is filled up with data stream elements.
package signal
