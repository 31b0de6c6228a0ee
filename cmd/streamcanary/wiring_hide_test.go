package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
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
	if s := newPullSecrets(prober.Pulling{}, "https://h/index.m3u8?profile=index"); len(s) > 0 {
		t.Errorf("secrets %q", s)
	}
}
