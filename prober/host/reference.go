package host

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"streamcanary/prober"
)

const (
	referenceBound = 8 * time.Second
	maxReference   = 512 << 10 // bytes that are read of one answer
	maxDepth       = 3         // multivariant playlist, media playlist, segment
)

// Reference is an independent public URL. Of an HLS playlist it gets the newest
// segment, as far as a few bytes: enough to say that the internet is there.
type Reference struct {
	URL       string
	Transport http.RoundTripper
}

// Check asks once; nil is that all is well. What is wrong stands in the failure
// without the URL's path and query, which may hold a token.
func (r Reference) Check(ctx context.Context) *prober.Failure {
	return r.checkWithin(ctx, referenceBound)
}

func (r Reference) checkWithin(ctx context.Context, bound time.Duration) *prober.Failure {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	client := &http.Client{Transport: r.Transport}
	address, err := url.Parse(r.URL)
	if err != nil {
		return referenceFailure(prober.StageResolve, prober.ReasonConfiguration, "its URL cannot be read")
	}
	for depth := 1; ; depth++ {
		body, failure := get(ctx, client, address)
		if failure != nil {
			return failure
		}
		isPlaylist := bytes.HasPrefix(bytes.TrimPrefix(body, []byte("\ufeff")), []byte("#EXTM3U"))
		switch {
		case !isPlaylist && depth == 1 && strings.HasSuffix(address.Path, ".m3u8"):
			return referenceFailure(prober.StageManifest, prober.ReasonNotAPlaylist, "no #EXTM3U where a playlist should be")
		case !isPlaylist:
			return nil
		case depth == maxDepth:
			return referenceFailure(prober.StageManifest, prober.ReasonPlaylistMalformed, "playlists lead to playlists")
		}
		if address, failure = lastURI(address, body); failure != nil {
			return failure
		}
	}
}

// lastURI is the last URI of a playlist: a variant, or the newest segment.
func lastURI(base *url.URL, playlist []byte) (*url.URL, *prober.Failure) {
	last := ""
	for line := range strings.Lines(string(playlist)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			last = line
		}
	}
	if last == "" {
		return nil, referenceFailure(prober.StageManifest, prober.ReasonPlaylistNoSegments, "its playlist lists nothing")
	}
	u, err := base.Parse(last)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, referenceFailure(prober.StageManifest, prober.ReasonPlaylistMalformed, "its playlist names what is no web address")
	}
	return u, nil
}

// get reads the beginning of an answer, which must be 200 and not empty.
func get(ctx context.Context, client *http.Client, u *url.URL) ([]byte, *prober.Failure) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, referenceFailure(prober.StageResolve, prober.ReasonConfiguration, "its URL cannot be asked for")
	}
	request.Header.Set("User-Agent", "streamcanary")
	answer, err := client.Do(request)
	if err != nil {
		return nil, unreached(u, err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, referenceFailure(prober.StageManifest, prober.ReasonHTTPStatus, fmt.Sprintf("status %d from %s", answer.StatusCode, u.Host))
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxReference))
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, referenceFailure(prober.StageManifest, prober.ReasonHTTPTimeout, "no whole answer in time from "+u.Host)
	case err != nil:
		return nil, referenceFailure(prober.StageManifest, prober.ReasonHTTPClosed, "closed in mid-answer by "+u.Host)
	case len(body) == 0:
		return nil, referenceFailure(prober.StageManifest, prober.ReasonEmptyBody, "an empty answer from "+u.Host)
	}
	return body, nil
}

// unreached says why there was no answer at all.
func unreached(u *url.URL, err error) *prober.Failure {
	var unresolved *net.DNSError
	var operation *net.OpError
	switch {
	case errors.As(err, &unresolved):
		return referenceFailure(prober.StageResolve, prober.ReasonNameNotResolved, "no address for "+u.Hostname())
	case errors.Is(err, context.DeadlineExceeded):
		return referenceFailure(prober.StageManifest, prober.ReasonHTTPTimeout, "no answer in time from "+u.Host)
	case errors.As(err, &operation) && operation.Op == "dial":
		return referenceFailure(prober.StageConnect, prober.ReasonUnreachable, "no connection to "+u.Host)
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return referenceFailure(prober.StageConnect, prober.ReasonTLSFailed, "no TLS with "+u.Host)
	}
	return referenceFailure(prober.StageManifest, prober.ReasonHTTPClosed, "no answer from "+u.Host)
}

func referenceFailure(stage prober.Stage, reason prober.Reason, detail string) *prober.Failure {
	return &prober.Failure{Outcome: prober.Fail, Stage: stage, Reason: reason, Detail: detail}
}
