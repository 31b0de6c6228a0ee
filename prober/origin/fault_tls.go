package origin

import (
	"errors"
	"time"
)

var errNoTLS = errors.New("the origin has neither RTMPS nor HTTPS")

// beginTLSExpired shows a certificate that expired yesterday to whoever connects
// over TLS; connections of viewers end, so that they do.
func beginTLSExpired(o *Origin) (heal func() error, err error) {
	if o.authority == nil {
		return nil, errNoTLS
	}
	expired, err := o.authority.sign(time.Now().Add(-24*time.Hour), o.hosts()...)
	if err != nil {
		return nil, err
	}
	remove := o.authority.shown.add(expired)
	o.dropViewers()
	return healBy(remove), nil
}

// dropViewers ends the connections of everybody who watches over TLS.
func (o *Origin) dropViewers() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.life == nil {
		return
	}
	for _, d := range o.life.playbacks {
		if d.port.tls != nil {
			d.listener.conns.reset()
		}
	}
}
