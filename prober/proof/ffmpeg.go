package proof

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"streamcanary/prober"
)

const (
	maxPixels = 4096 * 2304 // H.264 level 5.1
	maxAlloc  = 128 << 20   // of one allocation
	maxSaid   = 4 << 10     // kept of what ffmpeg says
	endDelay  = time.Second // until its pipes are closed by force
)

// inputArgs fence ffmpeg in: see the package's documentation.
func inputArgs(format string) []string {
	return []string{
		"-nostdin", "-hide_banner", "-v", "error", "-max_alloc", strconv.Itoa(maxAlloc),
		"-threads", "1", "-max_pixels", strconv.Itoa(maxPixels),
		"-protocol_whitelist", "pipe", "-format_whitelist", "mpegts,mov,aac",
		"-codec_whitelist", "h264,hevc,av1,libdav1d,libaom-av1,aac,mp3,mp3float,ac3,eac3,opus,libopus",
		"-f", format, "-i", "pipe:0", "-map_metadata", "-1", "-sn", "-dn",
	}
}

// videoArgs ask for pictures as portable greymaps: each says its own size. Of five
// pictures one is taken; their times are made even, so that none is repeated.
func videoArgs(format string, pictures int) []string {
	filter := fmt.Sprintf(`select=not(mod(n\,5)),scale=min(iw\,%d):min(ih\,%d):flags=area,format=gray,setpts=N/25/TB`, maxWidth, maxHeight)
	return append(inputArgs(format), "-map", "0:v:0", "-an", "-vf", filter, "-r", "25",
		"-frames:v", strconv.Itoa(pictures), "-c:v", "pgm", "-f", "image2pipe", "pipe:1")
}

// audioArgs ask for one channel of samples of 16 bits.
func audioArgs(format string) []string {
	return append(inputArgs(format), "-map", "0:a:0", "-vn", "-ac", "1", "-ar", strconv.Itoa(soundRate),
		"-t", strconv.Itoa(soundSeconds), "-c:a", "pcm_s16le", "-f", "s16le", "pipe:1")
}

// run gives what ffmpeg writes, at most limit bytes, and the first line it
// complains with: "" where the input just has no such stream.
func (l *Looker) run(ctx context.Context, input []byte, limit int, args []string) (out []byte, trouble string, err error) {
	cmd := exec.CommandContext(ctx, l.path, args...) //nolint:gosec // the operator's path, arguments of our own
	written, said := &bounded{limit: limit}, &bounded{limit: maxSaid, lossy: true}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), written, said
	cmd.Env = []string{"LC_ALL=C", "AV_LOG_FORCE_NOCOLOR=1"}
	cmd.WaitDelay = endDelay
	if err := cmd.Start(); err != nil {
		return nil, "", fmt.Errorf("look at a segment: start ffmpeg: %w", err)
	}
	limited := restrict(cmd.Process.Pid)
	err = cmd.Wait()
	if ctx.Err() != nil {
		return nil, "", fmt.Errorf("look at a segment: ffmpeg was ended: %w", context.Cause(ctx))
	}
	if limited != nil {
		return nil, "", fmt.Errorf("look at a segment: bound ffmpeg's memory and time: %w", limited)
	}
	if written.over {
		return nil, "", fmt.Errorf("look at a segment: ffmpeg gave more than the %d bytes that were asked for", limit)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, "", fmt.Errorf("look at a segment: run ffmpeg: %w", err)
	}
	if exit != nil && !exit.Exited() {
		return nil, "", fmt.Errorf("look at a segment: ffmpeg ended by itself: %w", exit)
	}
	trouble, err = complaint(said.kept.String())
	return written.kept.Bytes(), trouble, err
}

// complaint is the first line of what ffmpeg said. The error is for what says
// something of this ffmpeg, and nothing of the segment.
func complaint(said string) (string, error) {
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case strings.Contains(line, "does not contain any stream"), strings.Contains(line, "matches no streams"):
			return "", nil
		case strings.Contains(line, "whitelist"), strings.Contains(line, "no decoder found"),
			strings.Contains(line, "Decoder (codec ") && !strings.Contains(line, "(codec none)"),
			strings.Contains(line, "Cannot allocate memory"), strings.Contains(line, "Option not found"):
			return "", fmt.Errorf("look at a segment: this ffmpeg cannot: %s", prober.Clip(line, prober.MaxDetail))
		default:
			return withoutAddress(line), nil
		}
	}
	return "", nil
}

// withoutAddress takes "[h264 @ 0x55...] " off a line: the address differs from
// run to run.
func withoutAddress(line string) string {
	if part, rest, ok := strings.Cut(line, "] "); ok && strings.HasPrefix(part, "[") {
		name, _, _ := strings.Cut(part[1:], " @ ")
		return name + ": " + rest
	}
	return line
}

// bounded keeps the first limit bytes. More of them end the writer, unless what is
// beyond may be lost.
type bounded struct {
	kept  bytes.Buffer // not embedded: its ReadFrom knows no bound
	limit int
	lossy bool
	over  bool
}

func (b *bounded) Write(p []byte) (int, error) {
	room := b.limit - b.kept.Len()
	if len(p) <= room {
		return b.kept.Write(p)
	}
	b.kept.Write(p[:room])
	b.over = true
	if b.lossy {
		return len(p), nil
	}
	return room, io.ErrShortWrite
}
