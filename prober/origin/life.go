package origin

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/yutopp/go-rtmp"
)

// port is where an origin listens. Its address stays the same for ever.
type port struct {
	configured string       // host:port; "" is no such port
	ethernet   bool         // its segments are as small as on a network, not as on loopback
	addr       *net.TCPAddr // set by Start
	tls        *tls.Config  // nil without TLS
}

// ports are all that an origin can have.
type ports struct{ rtmp, rtmps, http, https port }

func (p *ports) ingests() []*port   { return present(&p.rtmp, &p.rtmps) }
func (p *ports) playbacks() []*port { return present(&p.http, &p.https) }

func present(all ...*port) []*port {
	var list []*port
	for _, p := range all {
		if p.configured != "" {
			list = append(list, p)
		}
	}
	return list
}

// life is what a restart ends: listeners and servers.
type life struct {
	ingests   []*door
	playbacks []*door
	refusing  int // refuse-connect faults that are on
	http      *http.Server
	serving   sync.WaitGroup
}

// door is a port that is listened on.
type door struct {
	port     *port
	listener *listener
	rtmp     *rtmp.Server // of an ingest, while it is served
}

func bind(ctx context.Context, p *ports, patience time.Duration) (*life, error) {
	l := &life{}
	for _, of := range []struct {
		ports []*port
		doors *[]*door
	}{{p.ingests(), &l.ingests}, {p.playbacks(), &l.playbacks}} {
		for _, at := range of.ports {
			opened, err := open(ctx, at, newConns(), patience)
			if err != nil {
				l.unbind()
				return nil, err
			}
			*of.doors = append(*of.doors, opened)
		}
	}
	return l, nil
}

// open listens on a port: the first time as configured, later where that was.
func open(ctx context.Context, at *port, among *conns, patience time.Duration) (*door, error) {
	address := at.configured
	if at.addr != nil {
		address = at.addr.String()
	}
	var config net.ListenConfig
	if at.ethernet {
		config.Control = ethernetSegments
	}
	l, err := listen(ctx, config, address, among, patience)
	if err != nil {
		return nil, err
	}
	if at.addr, err = tcpAddr(l); err != nil {
		_ = l.Close()
		return nil, err
	}
	return &door{port: at, listener: l}, nil
}

func (l *life) unbind() {
	for _, d := range append(l.ingests, l.playbacks...) {
		_ = d.listener.Close()
	}
}

// begin serves a new life; o.mu is held.
func (o *Origin) begin(l *life) {
	l.http = &http.Server{
		Handler:           o.routes(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          httpLogger(o.log),
		TLSConfig:         o.ports.https.tls,
	}
	o.playback.start()
	for _, d := range l.ingests {
		o.serveIngest(l, d)
	}
	for _, d := range l.playbacks {
		l.serving.Go(func() { // ends with the listener
			if d.port.tls != nil {
				_ = l.http.ServeTLS(d.listener, "", "") // HTTP/2, too
				return
			}
			_ = l.http.Serve(d.listener)
		})
	}
	o.life = l
}

// serveIngest takes broadcasts at a port until its listener is closed.
func (o *Origin) serveIngest(l *life, d *door) {
	d.rtmp = o.ingest.server()
	server, from := d.rtmp, net.Listener(d.listener)
	if d.port.tls != nil {
		from = tls.NewListener(from, d.port.tls)
	}
	l.serving.Go(func() { _ = server.Serve(from) })
}

// shut stops listening; connections stay. The server knows its listener only
// once it serves, so both are closed.
func (d *door) shut() {
	_ = d.rtmp.Close()
	_ = d.listener.Close()
}

func (o *Origin) routes() http.Handler {
	mux := http.NewServeMux()
	for _, path := range []string{"/hls/{stream}/{file}", "/hls/{stream}/{rendition}/{file}"} {
		mux.HandleFunc("GET "+path, o.playback.serve)
		mux.HandleFunc("OPTIONS "+path, preflight)
	}
	for _, path := range []string{"/recordings/{stream}/{file}", "/recordings/{stream}/{rendition}/{file}"} {
		mux.HandleFunc("GET "+path, o.playback.serveRecording)
	}
	mux.Handle("/api/", o.api.routes())
	return mux
}

// end ends a life as kill -9 would: listeners and connections at once, then
// every muxer. It returns when all broadcasts taken here have ended.
func (o *Origin) end(l *life) {
	for _, d := range l.ingests {
		d.shut()
	}
	for _, d := range l.playbacks {
		_ = d.listener.Close()
	}
	l.serving.Wait() // nothing is accepted from here on
	for _, d := range append(l.ingests, l.playbacks...) {
		d.listener.conns.reset()
	}
	_ = l.http.Close()
	o.playback.stop()
	for _, d := range l.ingests {
		d.listener.conns.busy.Wait()
	}
}
