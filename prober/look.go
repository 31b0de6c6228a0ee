package prober

import (
	"fmt"
	"time"
)

// Look is what decoding a sampled segment shows.
type Look struct {
	HasVideo bool      // pictures were decoded
	HasAudio bool      // sound was decoded
	Pictures int       // how many were looked at, spread over the first second or so
	Width    int       // of the pictures as they were sent
	Height   int       //
	Barcodes []Barcode // that were read, in the order of the pictures
	Black    bool      // all pictures are black
	Frozen   bool      // all pictures are the same, and there are at least two
	Silent   bool      // no sound above -60 dBFS
	Trouble  string    // what the decoder complained of, at most MaxDetail bytes; "" for nothing
}

// Sought is what a Look is held against.
type Sought struct {
	Tag    Tag           // of the run that was pushed
	At     time.Time     // when the segment was received
	MaxAge time.Duration // older pictures of ours are stale
	Video  bool          // the broadcast has pictures
	Audio  bool          // it has sound
}

// readableWidth is the least width at which barcodes can be expected to be read:
// of 300 pictures all were at 256x144 after x264 at crf 36, and 297 at crf 42. A
// narrower picture without one says nothing.
const readableWidth = 256

// Judge says whether a look proves that a segment is ours, live: then the means is
// MeansBarcode. A failure names what was seen instead: nothing that decodes, black,
// a frozen picture, another broadcast, an old recording of ours, or silence. With
// neither, the look proves nothing: sound alone, or a picture too small to read.
func (l Look) Judge(s Sought) (Means, *Failure) {
	if !l.HasVideo && !l.HasAudio {
		detail := "neither a picture nor sound could be decoded"
		if l.Trouble != "" {
			detail += ": " + l.Trouble
		}
		return "", lookFailure(ReasonNotDecodable, detail)
	}
	var means Means
	if s.Video && l.HasVideo {
		var failure *Failure
		if means, failure = l.pictures(s); failure != nil {
			return "", failure
		}
	}
	return means, l.sound(s)
}

// pictures judges pictures alone.
func (l Look) pictures(s Sought) (Means, *Failure) {
	if l.Black {
		return "", lookFailure(ReasonPictureBlack, fmt.Sprintf("all of %d pictures are black", l.Pictures))
	}
	newest, ours, others := l.newest(s)
	switch {
	case l.Frozen && ours:
		return "", lookFailure(ReasonPictureFrozen, fmt.Sprintf("all of %d pictures are the same one of ours, sent %s ago",
			l.Pictures, s.At.Sub(newest).Round(time.Second)))
	case ours && s.At.Sub(newest) > s.MaxAge:
		return "", lookFailure(ReasonMarkerStale, fmt.Sprintf("our pictures, but sent %s ago by their barcode, bound %s",
			s.At.Sub(newest).Round(time.Second), s.MaxAge))
	case ours:
		return MeansBarcode, nil
	case others:
		return "", lookFailure(ReasonNotOurs, "pictures with another broadcast's barcode")
	case l.Frozen:
		return "", lookFailure(ReasonPictureFrozen, fmt.Sprintf("all of %d pictures are the same, and not ours", l.Pictures))
	case l.Width < readableWidth:
		return "", nil
	}
	return "", lookFailure(ReasonNoMarker, fmt.Sprintf("%d pictures without our barcode", l.Pictures))
}

// newest is the latest clock of our barcodes.
func (l Look) newest(s Sought) (at time.Time, ours, others bool) {
	for _, b := range l.Barcodes {
		if !b.Matches(s.Tag) {
			others = true
			continue
		}
		if t := b.At(s.At); !ours || t.After(at) {
			at, ours = t, true
		}
	}
	return at, ours, others
}

// sound judges sound alone. Whether it has to be there at all is for others to say:
// a rendition may be without.
func (l Look) sound(s Sought) *Failure {
	if s.Audio && l.HasAudio && l.Silent {
		return lookFailure(ReasonSoundSilent, "there is sound, and nothing to be heard in it")
	}
	return nil
}

func lookFailure(r Reason, detail string) *Failure {
	return &Failure{Outcome: Fail, Stage: StageMedia, Reason: r, Detail: Clip(detail, MaxDetail)}
}
