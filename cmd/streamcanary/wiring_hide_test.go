package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
)

// A server that repeats what it was sent, in a playlist, in a tag of one, in a rendition's name, and in what is
// not HTTP, is quoted without it.
func TestPulledSecretsStayOut(t *testing.T) {
	t.Parallel()
	const token, sign = "hdr-SECRET", "s1gned-value"
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said := strings.TrimPrefix(r.Header.Get("Authorization"), "Token ") + " " + r.URL.Query().Get("sign")
		switch r.URL.Path {
		case "/first":
			fmt.Fprint(w, said)
		case "/tag":
			fmt.Fprintf(w, "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-DATERANGE:ID=\"%s\"\n#EXTINF:2,\nx.ts\n#EXT-X-ENDLIST\n", said)
		case "/named":
			fmt.Fprintf(w, "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"%s\",URI=\"broken\"\n#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\",CODECS=\"%[1]s\"\nbroken\n", said)
		default:
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_, _ = fmt.Fprintf(conn, "%s\r\n\r\n", said)
				_ = conn.Close()
			}
		}
	}))
	t.Cleanup(srv.Close)
	p := newPuller(nil, "")
	t.Cleanup(p.close)
	how := prober.Pulling{Headers: []prober.Header{{Name: "Authorization", Value: "Token " + token}}}
	for _, path := range []string{"/first", "/tag", "/broken", "/named"} {
		address := srv.URL + path + "?sign=" + sign
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		f := p.validator(how, address, false)
		_ = f.Run(ctx)
		cancel()
		o := f.Observe(time.Now())
		told := fmt.Sprintf("%+v %+v", o.Failure, o.Findings)
		for _, r := range o.Renditions {
			told += fmt.Sprintf(" %+v %+v", r, r.Failure)
		}
		told += fmt.Sprint(" ", o.Unrenewed)
		found, err := p.replay(t.Context(), agent.Replay{URL: address, Pull: how})
		if err != nil {
			t.Fatal(err)
		}
		told += fmt.Sprintf(" %+v", found.Failure)
		if !strings.Contains(told, "[secret]") || strings.Contains(told, token) || strings.Contains(told, sign) {
			t.Errorf("%s: told %s", path, told)
		}
	}
	// What is no secret stays as it is.
	if s := newPullSecrets(prober.Pulling{}, "https://h/index.m3u8?profile=index"); !s.none() {
		t.Errorf("%d secrets", len(s.sent))
	}
}

// Names are a server's words, too: of a rendition, and wherever findings stand.
func TestPulledNamesAreHidden(t *testing.T) {
	t.Parallel()
	s := newPullSecrets(prober.Pulling{}, "https://h/index.m3u8?sign=s1gned-value")
	found := []prober.Finding{{Where: "audio s1gned-value", Detail: strings.Repeat("x", 280) + " s1gned-value s1g..."}}
	if got := s.findings(found, nil)[0]; got.Where != "audio [secret]" || strings.Contains(got.Detail, "s1gned") || len(got.Detail) > prober.MaxDetail {
		t.Errorf("a finding of %+v", got)
	}
	codecs := prober.Encoding{Codecs: "avc1,s1gned..."}
	list := []prober.Rendition{{Name: "audio s1gned-v...", Encryption: "S1GNED-VALUE", Announced: codecs, Seen: codecs, Failure: &prober.Failure{Detail: "s1gned-value"}}}
	told := s.renditions(list, s.calls(list, nil))
	if got := fmt.Sprintf("%+v %+v", told, told[0].Failure); strings.Contains(strings.ToLower(got), "s1gned") {
		t.Errorf("a rendition of %s", got)
	}
	if list[0].Encryption != "S1GNED-VALUE" || found[0].Where != "audio s1gned-value" {
		t.Error("the follower's own was changed")
	}
}

// Renditions are told apart by their names, also where a name or a part of it is asked for
// in the query, and so is a secret.
func TestPulledNamesStayApart(t *testing.T) {
	t.Parallel()
	list := []prober.Rendition{{Name: "720p", Type: prober.RenditionVariant}, {Name: "1200k #2", Type: prober.RenditionVariant},
		{Name: "audio english", Type: prober.RenditionAudio}, {Name: "audio german", Type: prober.RenditionAudio},
		{Name: "audio french", Type: prober.RenditionAudio}, {Name: "video german", Type: prober.RenditionVideo}, {Name: "subtitles fr", Type: prober.RenditionSubtitles}}
	var names []string
	var found []prober.Finding
	for _, r := range list {
		names = append(names, r.Name)
		found = append(found, prober.Finding{Where: r.Name})
	}
	const all = "720p, 1200k #2, audio english, audio german, audio french, video german, subtitles fr"
	for query, want := range map[string]string{
		"renditions=720p,360p":              all,
		"tracks=audio,video,subtitles":      all,
		"sign=1200k":                        all,
		"tracks=english,german&key=xgerman": "720p, 1200k #2, audio [secret], audio [secret] #2, audio french, video [secret], subtitles fr",
	} {
		s := newPullSecrets(prober.Pulling{}, "https://h/live/index.m3u8?"+query)
		called := s.calls(list, nil)
		for range 2 { // in the next look, too, of which the first ones are gone
			told := []string{}
			for i, r := range s.renditions(list, called) {
				told = append(told, r.Name)
				if still, where := s.unrenewed(names, called)[i], s.findings(found, called)[i].Where; still != r.Name || where != r.Name {
					t.Errorf("%s: %q is called %q where it stands still, and %q where something is found", query, r.Name, still, where)
				}
			}
			if got := strings.Join(told, ", "); got != want {
				t.Errorf("%s: %q", query, got)
			}
			later := s.calls(list[3:], called)
			called = s.calls(list, later)
			if later["audio german"] != told[3] {
				t.Errorf("%s: %q was called %q", query, later["audio german"], told[3])
			}
		}
	}
}

// What is listed no more, or never was, is told apart as well, and keeps what it is called.
func TestPulledNamesThatAreNotListed(t *testing.T) {
	t.Parallel()
	s := newPullSecrets(prober.Pulling{Ladder: []prober.Rung{{Height: 1080}, {Rendition: "audio French"}}}, "https://h/i.m3u8?tracks=english,german,french,latin,1080p")
	audio := func(languages ...string) (list []prober.Rendition) {
		for _, l := range languages {
			list = append(list, prober.Rendition{Name: "audio " + l, Type: prober.RenditionAudio})
		}
		return list
	}
	gone := []prober.Finding{{Where: "1080p"}, {Where: "audio french"}, {Where: "audio german"}, {Where: "audio latin"}, {Where: ""}, {Where: "audio latin"}}
	var called map[string]string
	for i, test := range []struct {
		listed []prober.Rendition
		want   string
	}{
		{audio("english", "german"), "1080p, audio french, audio [secret] #2, audio [secret] #3, , audio [secret] #3"},
		{audio("latin"), "1080p, audio french, audio [secret] #2, audio [secret] #3, , audio [secret] #3"},
		{audio("french", "english"), "1080p, audio french, audio [secret] #2, audio [secret] #3, , audio [secret] #3"},
	} {
		called = s.calls(test.listed, called)
		var told []string
		for _, f := range s.findings(gone, called) {
			told = append(told, f.Where)
		}
		if got := strings.Join(told, ", "); got != test.want || called["audio english"] != "audio [secret]" {
			t.Errorf("look %d: %q, and english is %q", i, got, called["audio english"])
		}
	}
	for i := range 10 * maxCalled {
		called = s.calls(audio("english", fmt.Sprint("english ", i)), called)
	}
	if len(called) > maxCalled+2 || called["audio english"] != "audio [secret]" {
		t.Errorf("%d names, and english is %q", len(called), called["audio english"])
	}
}

// A failure is of the rendition that it begins with, which is called as it is anywhere.
func TestPulledFailuresAreOfTheirRendition(t *testing.T) {
	t.Parallel()
	s := newPullSecrets(prober.Pulling{}, "https://h/i.m3u8?t=720p,german,english&sign=s1gned-value")
	called := map[string]string{"audio german": "audio [secret] #2", "audio german: 2": "audio [secret]: 2"}
	for detail, want := range map[string]string{
		"720p: h/a: status 404 s1gned-value":      "720p: h/a: status 404 [secret]",
		"720p 1200k #2: s1gned-value":             "720p 1200k #2: [secret]",
		"audio german: h/a: german":               "audio [secret] #2: h/a: [secret]",
		"audio german: 2: h/a: german":            "audio [secret]: 2: h/a: [secret]",
		"audio german" + strings.Repeat("x", 300): "audio [secret]" + strings.Repeat("x", prober.MaxDetail-len("audio [secret]...")) + "...",
		"720p: " + strings.Repeat("x", 300):       "720p: " + strings.Repeat("x", prober.MaxDetail-len("720p: ...")) + "...",
		"s1gned-value: refused":                   "[secret]: refused",
		"german":                                  "[secret]",
	} {
		if got := s.failure(&prober.Failure{Detail: detail}, called).Detail; got != want {
			t.Errorf("%q became %q, want %q", detail, got, want)
		}
	}
}

// A variant that stands still is told from one that goes on, whatever the query asks for.
func TestVariantsAskedForByName(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/index.m3u8" {
			fmt.Fprint(w, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=2,RESOLUTION=1280x720\na\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=640x360\nb\n")
			return
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(srv.Close)
	p := newPuller(nil, "")
	t.Cleanup(p.close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	ladder := []prober.Rung{{Height: 1080}, {Height: 720}, {Height: 480}, {Height: 360}}
	f := p.follower(prober.Playback{Pull: prober.Pulling{Ladder: ladder}}, srv.URL+"/index.m3u8?renditions=1080p,720p,480p,360p", "", prober.Signal{})
	_ = f.Run(ctx)
	o := f.Observe(time.Now())
	var missing []string
	for _, found := range prober.AddFindings(nil, 64, o.Findings...) {
		if found.Reason == prober.ReasonRenditionMissing {
			missing = append(missing, found.Where)
		}
	}
	if o.Failure == nil || !strings.HasPrefix(o.Failure.Detail, "720p: ") || fmt.Sprint(missing) != "[1080p 480p]" {
		t.Errorf("failure %+v, missing %q", o.Failure, missing)
	}
	if len(o.Renditions) != 2 || o.Renditions[0].Name != "720p" || o.Renditions[1].Name != "360p" || fmt.Sprint(o.Unrenewed) != "[720p 360p]" {
		t.Errorf("renditions %+v, unrenewed %q", o.Renditions, o.Unrenewed)
	}
}

// A round looks at a follower that is handed on at that moment.
func TestPulledByTwoAtOnce(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=2,RESOLUTION=1280x720\na\n")
	}))
	t.Cleanup(srv.Close)
	p := newPuller(nil, "")
	t.Cleanup(p.close)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	f := p.follower(prober.Playback{}, srv.URL+"/index.m3u8?token=abcdefgh", "", prober.Signal{})
	_ = f.Run(ctx)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			for range 50 {
				if o := f.Observe(time.Now()); len(o.Renditions) != 1 || o.Renditions[0].Name != "720p" {
					t.Errorf("renditions %+v", o.Renditions)
				}
			}
		})
	}
	both.Wait()
}

// longSecret is longer than anything is quoted in.
const longSecret = "q7Zk2Vx9Lr4Tn8Hs1Yd6Wc3Mb5Jf0GpKzQe7RtUv2XiAo9SlDh4CyNw8BmEj1Fg6Pq3La5Ik0Vu"

// repeaters are answers that repeat SAID wherever hls quotes a server, the path "/" first.
// A playlist is a body alone; what begins with "HTTP" or "SAID" is all of an answer.
func repeaters() map[string]string {
	const media, segment = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n", "#EXTINF:2,\nx.ts\n"
	top := func(tags string) string {
		return "#EXTM3U\n" + tags + "#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"avc1.4d401f\"\nv.m3u8\n"
	}
	return map[string]string{
		"first line":        "SAID\n",
		"first line, later": "<h1>you may not use the token SAID</h1>",
		"first line, JSON":  `{"error":"no \"SAID\""}`,
		"number":            media + "#EXT-X-MEDIA-SEQUENCE:SAID\n" + segment,
		"target":            "#EXTM3U\n#EXT-X-TARGETDURATION:SAID\n" + segment,
		"type":              media + "#EXT-X-PLAYLIST-TYPE:SAID\n" + segment,
		"EXTINF":            media + "#EXTINF:SAID\nx.ts\n",
		"byte range":        media + "#EXT-X-BYTERANGE:SAID\n" + segment,
		"no offset":         media + "#EXT-X-BYTERANGE:7\n#EXTINF:2,\nSAID\n",
		"date":              media + "#EXT-X-PROGRAM-DATE-TIME:SAID\n" + segment,
		"map":               media + "#EXT-X-MAP:URI=\"i\",BYTERANGE=\"SAID\"\n" + segment,
		"date range":        media + "#EXT-X-DATERANGE:ID=\"SAID\"\n" + segment,
		"two date ranges":   media + "#EXT-X-DATERANGE:ID=\"SAID\",CLASS=\"a\"\n#EXT-X-DATERANGE:ID=\"SAID\",CLASS=\"b\"\n" + segment,
		"attribute list":    media + "#EXT-X-DATERANGE:ID=\"a\",SAID\n" + segment,
		"value without end": media + "#EXT-X-DATERANGE:SAIDUPPER=\"a\n" + segment,
		"attribute twice":   media + "#EXT-X-DATERANGE:SAIDUPPER=1,SAIDUPPER=2\n" + segment,
		"control":           media + "#EXT-X-SERVER-CONTROL:HOLD-BACK=SAID\n" + segment,
		"part":              media + "#EXT-X-PART-INF:PART-TARGET=1\n#EXT-X-PART:URI=\"p\",DURATION=1,BYTERANGE=\"SAID\"\n" + segment,
		"two hints":         media + "#EXT-X-PRELOAD-HINT:TYPE=SAID,URI=\"a\"\n#EXT-X-PRELOAD-HINT:TYPE=SAID,URI=\"b\"\n" + segment,
		"defined":           media + "#EXT-X-DEFINE:NAME=\"SAID.\",VALUE=\"a\"\n" + segment,
		"parameter":         media + "#EXT-X-DEFINE:QUERYPARAM=\"SAID\"\n" + segment,
		"not defined":       media + "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b\"\n#EXTINF:2,\n{$SAID}\n",
		"scheme":            media + "#EXTINF:2,\nftp://h/SAID\n",
		"segment":           media + "#EXTINF:2,\ngone/SAID/x.ts\n",
		"segment, far":      media + "#EXTINF:2,\ngone/" + strings.Repeat("a", 80) + "/SAID/x.ts\n",
		"encrypted":         media + "#EXT-X-KEY:METHOD=SAID,URI=\"k\"\n" + segment,
		"key":               media + "#EXT-X-KEY:METHOD=AES-128,URI=\"gone/SAID\"\n" + segment,
		"two names":         top(strings.Repeat("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"SAID\",NAME=\"SAID\",URI=\"gone/a\"\n", 2)),
		"language":          top("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a\",LANGUAGE=\"SAID\",URI=\"gone/a\"\n"),
		"group":             top("#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"SAID\"\nw.m3u8\n"),
		"codecs":            top("#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"SAID\"\nv.m3u8\n"),
		"variant":           top("#EXT-X-STREAM-INF:BANDWIDTH=1\ngone/SAID\n"),
		"not HTTP":          "SAID\r\n\r\n",
		"status":            "HTTP/1.1 SAID\r\n\r\n",
		"header":            "HTTP/1.1 200 OK\r\nSAID\r\n\r\n",
		"redirect":          "HTTP/1.1 302 Found\r\nLocation: /gone/SAID\r\nContent-Length: 0\r\n\r\n",
		"length":            "HTTP/1.1 200 OK\r\nContent-Length: SAID\r\n\r\n",
		"transfer":          "HTTP/1.1 200 OK\r\nTransfer-Encoding: SAID\r\n\r\n",
		"range":             media + "#EXT-X-BYTERANGE:7@0\n#EXTINF:2,\npartial?sign=SAID\n",
	}
}

// What of a long secret stands at the end of a quotation is no less hidden, at every
// place where a playback's server is quoted.
func TestCutSecretsStayOut(t *testing.T) {
	t.Parallel()
	answers := repeaters()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if said == "" {
			said = r.URL.Query().Get("sign")
		}
		last := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		answer, known := answers[last]
		switch {
		case last == "partial":
			answer, known = "HTTP/1.1 206 Partial\r\nContent-Range: bytes SAID\r\nContent-Length: 7\r\n\r\n1234567", true
		case last == "x.ts" && !strings.Contains(r.URL.Path, "gone"):
			answer, known = "G", true
		}
		answer = strings.NewReplacer("SAIDUPPER", strings.ToUpper(said), "SAID", said).Replace(answer)
		switch conn, _, err := http.NewResponseController(w).Hijack(); {
		case err != nil:
			return
		case !known:
			_, _ = fmt.Fprint(conn, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			_ = conn.Close()
		case strings.HasPrefix(answer, "HTTP") || answer == said+"\r\n\r\n":
			_, _ = fmt.Fprint(conn, answer)
			_ = conn.Close()
		default:
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer)
			_ = conn.Close()
		}
	}))
	t.Cleanup(srv.Close)
	p := newPuller(nil, "")
	t.Cleanup(p.close)
	var all sync.WaitGroup
	for name := range answers {
		address := srv.URL + "/" + url.PathEscape(name)
		all.Go(func() {
			checkRepeater(t, p, name+", header", prober.Pulling{Headers: []prober.Header{{Name: "Authorization", Value: "Bearer " + longSecret}}}, address)
		})
		all.Go(func() { checkRepeater(t, p, name+", query", prober.Pulling{}, address+"?sign="+longSecret) })
	}
	all.Wait()
}

// checkRepeater follows until it quotes a secret, and replays.
func checkRepeater(t *testing.T, p *puller, name string, how prober.Pulling, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	f := p.validator(how, address, true)
	go func() { _ = f.Run(ctx) }()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	told := ""
	for !strings.Contains(told, "[secret]") && ctx.Err() == nil {
		<-look.C
		o := f.Observe(time.Now())
		told += fmt.Sprintf("%+v %+v %+v %+v", o.Failure, o.Findings, o.Renditions, o.HTTP)
		for _, r := range o.Renditions {
			told += fmt.Sprintf(" %+v", r.Failure)
		}
	}
	if !strings.Contains(told, "[secret]") {
		t.Errorf("%s: nothing is quoted: %.1000s", name, told)
	}
	found, err := p.replay(t.Context(), agent.Replay{URL: address, Pull: how})
	if err != nil {
		t.Error(err)
	}
	told += fmt.Sprintf(" %+v", found.Failure)
	for i := range len(longSecret) - 3 {
		if piece := longSecret[i : i+4]; strings.Contains(strings.ToLower(told), strings.ToLower(piece)) {
			t.Errorf("%s: told %s, with %q in it", name, told, piece)
			return
		}
	}
}
