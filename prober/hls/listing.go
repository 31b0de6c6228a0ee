package hls

import (
	"net/url"
	"strconv"
	"strings"

	"streamcanary/prober"
)

// listedKind is how a media playlist came to be followed.
type listedKind int

const (
	kindAlone     listedKind = iota // the playback URL is a media playlist
	kindVariant                     // EXT-X-STREAM-INF
	kindAudio                       // EXT-X-MEDIA, TYPE=AUDIO
	kindVideo                       // EXT-X-MEDIA, TYPE=VIDEO
	kindSubtitles                   // EXT-X-MEDIA, TYPE=SUBTITLES
)

// listing is what is known of a rendition before its playlist is loaded.
type listing struct {
	kind    listedKind
	name    string // for a person: "720p", "audio en"; "" is the whole stream
	stem    string // the name without bitrate and number: "720p", "audio"
	uri     string // as listed
	variant Variant
	group   string // of an EXT-X-MEDIA
	single  bool   // nothing else is listed
}

// only says whether this is all that there is.
func (l listing) only() bool { return l.kind == kindAlone || l.single }

// mediaKinds are the TYPEs of EXT-X-MEDIA that have a playlist (4.4.6.1).
func mediaKinds() map[string]listedKind {
	return map[string]listedKind{"AUDIO": kindAudio, "VIDEO": kindVideo, "SUBTITLES": kindSubtitles}
}

// renditionName is how people call an EXT-X-MEDIA: "audio en".
func renditionName(r Rendition) string {
	name := r.Language
	if name == "" {
		name = r.Name
	}
	return prober.Clip(strings.ToLower(r.Type)+" "+name, 40)
}

// listings are what a multivariant playlist has to follow: variants, those with
// pictures first, and then their renditions, each URI once. What was listed before keeps
// its name: see keep.
func listings(multi *Playlist, before []listing) []listing {
	var all []listing
	known := map[string]bool{}
	for _, v := range videoFirst(multi.Variants) {
		if !known[v.URI] {
			known[v.URI] = true
			all = append(all, listing{kind: kindVariant, name: variantName(v), stem: variantStem(v), uri: v.URI, variant: v})
		}
	}
	for _, r := range multi.Renditions {
		kind, ok := mediaKinds()[r.Type]
		if ok && r.URI != "" && !known[r.URI] {
			known[r.URI] = true
			name := renditionName(r)
			all = append(all, listing{kind: kind, name: name, stem: name, uri: r.URI, group: r.Group})
		}
	}
	tellApart(all, before)
	if len(all) == 1 {
		all[0].single = true
	}
	return all
}

// variantName is how people call a variant: by its lines, or by its bitrate.
func variantName(v Variant) string {
	if _, _, ok := resolution(v.Resolution); ok {
		return variantStem(v)
	}
	return strings.TrimSpace(variantStem(v) + " " + bitrateText(v.Bandwidth))
}

// variantStem is what a variant is called whatever its bitrate.
func variantStem(v Variant) string {
	if audioOnly(v) {
		return "audio"
	}
	if _, height, ok := resolution(v.Resolution); ok {
		return strconv.Itoa(height) + "p"
	}
	return ""
}

func bitrateText(bandwidth int64) string { return strconv.FormatInt((bandwidth+500)/1000, 10) + "k" }

// tellApart gives renditions of one name their bitrate, or else a number, until no two
// have one name: they are told apart by it.
func tellApart(all, before []listing) {
	count := map[string]int{}
	for i := range all {
		count[all[i].name]++
	}
	given := newNames()
	kept := given.keep(all, before)
	for i := range all {
		l := &all[i]
		if kept[i] {
			continue
		}
		if count[l.name] > 1 && l.kind == kindVariant && !strings.HasSuffix(l.name, "k") {
			l.name += " " + bitrateText(l.variant.Bandwidth)
		}
		l.name = given.own(l.name)
	}
}

// resolution reads a RESOLUTION attribute (4.2: decimal-resolution).
func resolution(s string) (width, height int, ok bool) {
	w, h, found := strings.Cut(s, "x")
	width, err1 := strconv.Atoi(w)
	height, err2 := strconv.Atoi(h)
	return width, height, found && err1 == nil && err2 == nil && width > 0 && height > 0
}

// videoFirst puts variants whose CODECS name only audio last.
func videoFirst(variants []Variant) []Variant {
	var video, audio []Variant
	for _, v := range variants {
		if audioOnly(v) {
			audio = append(audio, v)
		} else {
			video = append(video, v)
		}
	}
	return append(video, audio...)
}

func audioOnly(v Variant) bool {
	video, audio := tracksOf(v.Codecs)
	return audio && !video && v.Resolution == ""
}

// tracks says what the multivariant playlist promises of a rendition's media.
func (l listing) tracks() (video, audio bool) {
	switch l.kind {
	case kindAudio:
		return false, true
	case kindVideo:
		return true, false
	case kindVariant:
		video, audio = tracksOf(l.variant.Codecs)
		// CODECS names those of its groups too, whose playlists are others'.
		return video && l.variant.Video == "", audio && l.variant.Audio == ""
	default:
		return false, false
	}
}

// tracksOf reads CODECS (RFC 6381). A codec that is not known counts as video.
func tracksOf(codecs string) (video, audio bool) {
	for codec := range strings.SplitSeq(codecs, ",") {
		kind, _, _ := strings.Cut(strings.TrimSpace(codec), ".")
		switch kind {
		case "":
		case "mp4a", "mp3", "ac-3", "ec-3", "ac-4", "opus", "Opus", "fLaC", "flac", "alac",
			"mha1", "mha2", "mhm1", "mhm2", "dtsc", "dtse", "dtsh", "dtsl", "dtsx":
			audio = true
		case "stpp", "wvtt":
		default:
			video = true
		}
	}
	return video, audio
}

// locate makes the listed URI absolute.
func locate(base *url.URL, l listing) (*url.URL, *prober.Failure) {
	return resolveURL(base, l.uri)
}
