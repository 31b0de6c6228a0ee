package hls

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"time"

	"streamcanary/prober"
)

var (
	errRedirects = fmt.Errorf("more than %d redirects", maxRedirects)
	errTotal     = errors.New("the whole answer took too long")
	errStalled   = errors.New("no byte came for too long")
)

// fetcher does bounded GETs.
type fetcher struct {
	client  *http.Client
	stall   time.Duration // longest time without a byte
	buffers *Buffers
	headers http.Header // for the playback URL's own host alone: they may hold a token
	home    *url.URL
}

// request is one bounded GET.
type request struct {
	url     *url.URL
	stage   prober.Stage  // of failures after the connection stands
	limit   int64         // bytes of body
	timeout time.Duration // for all of it, redirects included
	part    ByteRange
	gzip    bool          // offer to take the body compressed
	stall   time.Duration // longest time without a byte; 0 is the fetcher's
}

// response is a whole body and how it came.
type response struct {
	body   []byte
	url    *url.URL // after redirects
	status int      // also where get fails for it
	bytes  int64    // of the body, as they came: packed, and also where get fails
	timing timing
	http   prober.HTTPTimes

	memory  []byte // that body is a part of, lent by buffers
	buffers *Buffers
}

// release gives the body's memory back. It must not be used any more.
func (r *response) release() {
	if r.memory != nil {
		r.buffers.put(r.memory)
	}
	r.body, r.memory = nil, nil
}

// get fetches req.url. The caller releases the response. Every way in which a
// server can go wrong is a failure with a reason of its own, within req.timeout
// and with at most req.limit bytes read. When ctx ends first the reason is
// cancelled, which says nothing about the server.
func (f *fetcher) get(ctx context.Context, req request) (response, *prober.Failure) {
	ctx, cancelTotal := context.WithTimeoutCause(ctx, req.timeout, errTotal)
	defer cancelTotal()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := f.stall
	if req.stall > 0 {
		silence = req.stall
	}
	stall := time.AfterFunc(silence, func() { cancel(errStalled) })
	defer stall.Stop()

	t := newClock(func() { stall.Reset(silence) })
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, t.trace()), http.MethodGet, req.url.String(), nil)
	if err != nil {
		return response{}, failf(req.stage, prober.ReasonPlaylistMalformed, "%s: not a URL that can be fetched", place(req.url))
	}
	f.dress(r, req)
	resp, err := f.client.Do(r)
	if err != nil {
		if resp != nil {
			_ = resp.Body.Close()
		}
		return response{}, t.explain(ctx, req, 0, err)
	}
	defer func() { _ = resp.Body.Close() }()
	came := &watched{from: resp.Body, progress: func() { stall.Reset(silence) }}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{came, resp.Body}
	req.url = resp.Request.URL
	if fail := checkAnswer(req, resp); fail != nil {
		return response{status: resp.StatusCode, bytes: came.bytes}, fail
	}
	memory, err := f.readBody(resp, req)
	if err != nil {
		got := len(memory)
		f.buffers.put(memory)
		return response{status: resp.StatusCode, bytes: came.bytes}, t.explain(ctx, req, got, err)
	}
	_, timing := t.now()
	body, fail := cut(req, resp.StatusCode, memory)
	if fail != nil {
		f.buffers.put(memory)
		return response{status: resp.StatusCode, bytes: came.bytes}, fail
	}
	return response{body: body, url: req.url, status: resp.StatusCode, bytes: came.bytes, timing: timing, http: httpTimes(resp, timing), memory: memory, buffers: f.buffers}, nil
}

// dress sets the header of a request.
func (f *fetcher) dress(r *http.Request, req request) {
	if sameHost(r.URL, f.home) {
		for name, values := range f.headers {
			r.Header[name] = values
		}
	}
	r.Header.Set("User-Agent", userAgent)
	if req.gzip {
		r.Header.Set("Accept-Encoding", "gzip")
	}
	if req.part.asked() {
		r.Header.Set("Range", req.part.header())
	}
}

func sameHost(a, b *url.URL) bool {
	return a != nil && b != nil && a.Scheme == b.Scheme && strings.EqualFold(a.Host, b.Host)
}

// checkAnswer judges the header of an answer before its body is read.
func checkAnswer(req request, resp *http.Response) *prober.Failure {
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusPartialContent {
		if resp.ContentLength >= 0 && resp.ContentLength <= 4<<10 {
			_, _ = io.Copy(io.Discard, resp.Body) // so that the connection can be kept
		}
		return failf(req.stage, prober.ReasonHTTPStatus, "%s: status %d %s", place(req.url), resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	if resp.ContentLength > req.limit {
		return failf(req.stage, prober.ReasonTooLarge, "%s: %d bytes announced, more than the bound of %d", place(req.url), resp.ContentLength, req.limit)
	}
	if resp.StatusCode == http.StatusPartialContent {
		return checkPart(req, resp.Header.Get("Content-Range"))
	}
	return nil
}

// checkPart holds a 206 against the range that was asked for (RFC 9110 15.3.7).
func checkPart(req request, contentRange string) *prober.Failure {
	if !req.part.asked() {
		return failf(req.stage, prober.ReasonHTTPStatus, "%s: status 206, and no range was asked for", place(req.url))
	}
	first, last, ok := parseContentRange(contentRange)
	if !ok || first != req.part.Offset || req.part.Length > 0 && last != req.part.Offset+req.part.Length-1 {
		return failf(req.stage, prober.ReasonHTTPStatus, "%s: status 206 with Content-Range %q, and %s was asked for", place(req.url), cutAt(contentRange, 60), req.part.header())
	}
	return nil
}

// parseContentRange reads "bytes 0-9/100" (RFC 9110 14.4).
func parseContentRange(s string) (first, last int64, ok bool) {
	unit, rest, _ := strings.Cut(strings.TrimSpace(s), " ")
	span, _, whole := strings.Cut(rest, "/")
	from, to, _ := strings.Cut(span, "-")
	first, err1 := strconv.ParseInt(strings.TrimSpace(from), 10, 64)
	last, err2 := strconv.ParseInt(strings.TrimSpace(to), 10, 64)
	return first, last, strings.EqualFold(unit, "bytes") && whole && err1 == nil && err2 == nil && 0 <= first && first <= last
}

// asked says whether it is less than the whole resource.
func (b ByteRange) asked() bool { return b.Length > 0 || b.Offset > 0 }

// header is its Range field. Without a length it goes up to the end.
func (b ByteRange) header() string {
	if b.Length == 0 {
		return fmt.Sprintf("bytes=%d-", b.Offset)
	}
	return fmt.Sprintf("bytes=%d-%d", b.Offset, b.Offset+b.Length-1)
}

var (
	errTooLarge = errors.New("too large")
	errEncoding = errors.New("compressed in a way that was not asked for")
	errGzip     = errors.New("broken gzip")
)

// readBody reads at most req.limit bytes, unpacked, into lent memory.
func (f *fetcher) readBody(resp *http.Response, req request) ([]byte, error) {
	from := io.Reader(resp.Body)
	size := resp.ContentLength + 1 // so that the last read meets the end
	switch encoding := strings.ToLower(resp.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
	case "gzip", "x-gzip": // a server that compresses unasked is understood too
		unpacked, err := gzip.NewReader(from)
		if err != nil {
			return nil, brokenGzip(err)
		}
		from, size = unpacked, 0
	default:
		return nil, errEncoding
	}
	b := f.buffers.get(min(size, req.limit+1))
	for {
		if len(b) == cap(b) {
			b = f.buffers.grow(b, req.limit+1)
		}
		n, err := from.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if int64(len(b)) > req.limit {
			return b, errTooLarge
		}
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return b, brokenGzip(err)
		}
	}
}

// brokenGzip names what is wrong with packed bytes; other errors stay.
func brokenGzip(err error) error {
	var corrupt flate.CorruptInputError
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, &corrupt) {
		return errGzip
	}
	return err
}

// watched counts the bytes that come, and tells of progress.
type watched struct {
	bytes    int64
	from     io.Reader
	progress func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.from.Read(p)
	if w.bytes += int64(n); n > 0 {
		w.progress()
	}
	return n, err
}

// cut takes the part that was asked for out of a whole answer, and names an
// empty one.
func cut(req request, status int, body []byte) ([]byte, *prober.Failure) {
	if len(body) == 0 {
		fail := failf(req.stage, prober.ReasonEmptyBody, "%s: status %d with an empty body", place(req.url), status)
		if req.stage == prober.StageManifest {
			fail.Section, fail.Detail = headerSection, withSection(fail.Detail, headerSection)
		}
		return nil, fail
	}
	if !req.part.asked() {
		return body, nil
	}
	from := req.part.Offset
	if status == http.StatusPartialContent {
		from = 0
	}
	to := from + req.part.Length
	if req.part.Length == 0 {
		to = max(int64(len(body)), from+1)
	}
	if int64(len(body)) < to || status == http.StatusPartialContent && int64(len(body)) > to {
		return nil, failf(req.stage, prober.ReasonHTTPClosed, "%s: %d bytes, not as many as the range that was asked for", place(req.url), len(body))
	}
	return body[from:to], nil
}

// resolveURL makes a listed URI absolute. Only http and https are fetched: a
// playlist must not be able to point a prober at anything else.
func resolveURL(base *url.URL, uri string) (*url.URL, *prober.Failure) {
	u, err := base.Parse(uri)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		bare, _, _ := strings.Cut(uri, "?")
		return nil, manifest(prober.ReasonPlaylistMalformed, "%s lists a URI that cannot be fetched: %q", place(base), cutAt(bare, 80))
	}
	return u, nil
}
