package origin

// beginRestart kills the origin and starts it again on the same ports. The
// streams that the API made outlive it, as in a database.
func beginRestart(o *Origin) (heal func() error, err error) {
	o.mu.Lock()
	l := o.life
	o.life = nil
	o.mu.Unlock()
	if l == nil {
		return nil, errNotUp
	}
	o.end(l)
	releaseRTMP, releaseHTTP := reserve(o.rtmpAddr), reserve(o.httpAddr)
	return func() error {
		releaseRTMP()
		releaseHTTP()
		return o.revive()
	}, nil
}

// revive starts the origin again where it was, unless it was closed meanwhile.
func (o *Origin) revive() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closing.Err() != nil {
		return nil
	}
	l, err := bind(o.closing, o.rtmpAddr.String(), o.httpAddr.String(), rebindTimeout)
	if err != nil {
		return err
	}
	o.begin(l)
	return nil
}

// beginRefuseConnect closes the RTMP listener and leaves its connections.
func beginRefuseConnect(o *Origin) (heal func() error, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.life
	if l == nil {
		return nil, errNotUp
	}
	l.refusing++
	_ = l.rtmp.Close()
	_ = l.rtmpListener.Close() // the server knows it only once it serves
	release := reserve(o.rtmpAddr)
	return func() error {
		release()
		return o.listenAgain(l)
	}, nil
}

// listenAgain takes RTMP connections again, unless that life is over.
func (o *Origin) listenAgain(l *life) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	l.refusing--
	if o.life != l || l.refusing > 0 {
		return nil
	}
	fresh, err := listen(o.closing, o.rtmpAddr.String(), l.rtmpListener.conns, rebindTimeout)
	if err != nil {
		return err
	}
	l.rtmpListener = fresh
	l.rtmp = o.ingest.server()
	server := l.rtmp
	l.serving.Go(func() { _ = server.Serve(fresh) }) // ends with the listener
	return nil
}

// beginDropBroadcasts resets the broadcasts that this origin takes.
func beginDropBroadcasts(o *Origin) (heal func() error, err error) {
	for _, b := range o.platform.running(o) {
		b.stop()
	}
	return healed, nil
}

// healed is for faults that leave nothing to heal.
func healed() error { return nil }
