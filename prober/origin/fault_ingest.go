package origin

import "time"

func beginRefusePublish(o *Origin) (heal func() error, err error) {
	return o.behave(behaviour{publish: &refusal{code: codeDenied, description: "new broadcasts are not taken at present"}})
}

func beginPublishBadName(o *Origin) (heal func() error, err error) {
	return o.behave(behaviour{publish: &refusal{code: codeBadName, description: "the name is in use"}})
}

func beginPublishUnauthorized(o *Origin) (heal func() error, err error) {
	return o.behave(behaviour{publish: &refusal{code: codeUnauthorized, description: "bad stream key"}})
}

// beginPublishSwallowed does as nginx's RTMP module does to a name in use.
func beginPublishSwallowed(o *Origin) (heal func() error, err error) {
	return o.behave(behaviour{publish: &refusal{code: codeBadName, description: "the name is in use", swallow: true}})
}

func beginConnectRejected(o *Origin) (heal func() error, err error) {
	return o.behave(behaviour{connect: &refusal{code: codeRejected, description: "connections are not taken at present"}})
}

// beginRedirect sends every broadcaster back here, to be redirected again.
func beginRedirect(o *Origin) (heal func() error, err error) {
	to := "rtmp://" + reachable(o.ports.rtmp.addr) + "/" + app
	return o.behave(behaviour{connect: &refusal{code: codeRejected, description: "moved", redirect: to}})
}

func beginSilentAccept(o *Origin) (heal func() error, err error) {
	return o.behave(behaviour{silentFrom: phaseAccept})
}

func beginSilentHandshake(o *Origin) (heal func() error, err error) {
	return o.behave(behaviour{silentFrom: phaseHandshake})
}

func beginSilentConnect(o *Origin) (heal func() error, err error) {
	return o.behave(behaviour{silentFrom: phaseConnect})
}

func beginSilentPublish(o *Origin) (heal func() error, err error) {
	return o.behave(behaviour{silentFrom: phasePublish})
}

// beginNotRTMP answers as a web server does that has taken the port.
func beginNotRTMP(o *Origin) (heal func() error, err error) {
	const page = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	return o.behave(behaviour{greeting: []byte(page)})
}

// beginPublishReset accepts, and resets 30 ms later: what nginx's RTMP module
// does where publishing is denied.
func beginPublishReset(o *Origin) (heal func() error, err error) {
	return o.behave(behaviour{started: func(p *publisher) {
		p.later(30*time.Millisecond, p.conn.abort)
	}})
}

// beginChunkSize announces other chunks than the default, and a window and a
// bandwidth so small that each frame has to be acknowledged (RTMP 1.0, 5.4).
func beginChunkSize(o *Origin) (heal func() error, err error) {
	const window = 2500
	words := control(typeSetChunkSize, 0, 1, 0, 0)
	words = append(words, control(typeWindowAckSize, 0, 0, window>>8, window&0xff)...)
	words = append(words, control(typeSetPeerBandwidth, 0, 0, window>>8, window&0xff, 0)...)
	return o.behave(behaviour{started: func(p *publisher) {
		p.later(500*time.Millisecond, func() { _, _ = p.Write(words) }) // in mid-broadcast, not in the answer
	}})
}

// beginThrottleIngest reads more slowly than broadcasters send, and not at all of
// none: what is behind grows until it is felt.
func beginThrottleIngest(o *Origin) (heal func() error, err error) {
	return o.behave(behaviour{share: 0.4})
}

// narrow makes the kernel take little of what the ingest does not read, so that
// a broadcaster feels it soon, however small its broadcast.
func (o *Origin) narrow() {
	const little = 16 << 10
	for _, b := range o.platform.running(o) {
		_ = b.from.conn.SetReadBuffer(little) // fails only on a closed connection
	}
}

func beginStallIngest(o *Origin) (heal func() error, err error) {
	o.narrow()
	open := o.ingest.stall.close()
	return func() error {
		open()
		return nil
	}, nil
}

// beginDropBroadcasts resets the broadcasts that this origin takes.
func beginDropBroadcasts(o *Origin) (heal func() error, err error) {
	for _, b := range o.platform.running(o) {
		b.from.conn.abort()
	}
	return healed, nil
}

// beginCloseBroadcasts closes their connections in order.
func beginCloseBroadcasts(o *Origin) (heal func() error, err error) {
	for _, b := range o.platform.running(o) {
		b.from.finish()
	}
	return healed, nil
}

// healed is for faults that leave nothing to heal.
func healed() error { return nil }

func (o *Origin) behave(b behaviour) (heal func() error, err error) {
	return healBy(o.ingest.behaviours.add(b)), nil
}

func healBy(remove func()) (heal func() error) {
	return func() error {
		remove()
		return nil
	}
}

// later calls f after a while, unless the connection is gone by then.
func (p *publisher) later(d time.Duration, f func()) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		f()
	case <-p.conn.gone:
	}
}
