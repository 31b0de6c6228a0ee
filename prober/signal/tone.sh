#!/bin/sh
# Makes tone.aac, the loop of sound that the package embeds: 15 AAC-LC frames
# (0.32 s) of a 1 kHz tone at 48 kHz, stereo. Needs ffmpeg; run it in this
# directory. The binary never runs it.
#
# Why it has no seam: 3 frames are 3072 samples, exactly 64 periods of 1 kHz, so
# the tone stands at the same phase wherever a multiple of 3 frames is cut. The
# cut lies 1.92 s into a longer encoding, when the encoder's priming and the
# settling of its rate control are long past. The fast coder codes every frame
# alike (noise 68 dB below the tone); the default one wavers (32 dB).
set -eu
whole=$(mktemp)
trap 'rm -f "$whole"' EXIT
ffmpeg -v error -y -f lavfi -i sine=frequency=1000:sample_rate=48000:duration=4 \
	-ac 2 -c:a aac -aac_coder fast -profile:a aac_low -b:a 64k -flags +bitexact -fflags +bitexact -f adts "$whole"
ffmpeg -v error -y -i "$whole" -c copy -ss 1.92 -frames:a 15 -f adts tone.aac
