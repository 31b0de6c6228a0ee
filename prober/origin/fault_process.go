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
	release := reserveAll(append(o.ports.ingests(), o.ports.playbacks()...))
	return func() error {
		release()
		return o.revive()
	}, nil
}

// reserveAll holds ports against everybody until release is called.
func reserveAll(ports []*port) (release func()) {
	var held []func()
	for _, p := range ports {
		held = append(held, reserve(p.addr))
	}
	return func() {
		for _, release := range held {
			release()
		}
	}
}

// revive starts the origin again where it was, unless it was closed meanwhile.
func (o *Origin) revive() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closing.Err() != nil {
		return nil
	}
	l, err := bind(o.closing, &o.ports, rebindTimeout)
	if err != nil {
		return err
	}
	o.begin(l)
	return nil
}

// beginRefuseConnect closes the RTMP listeners and leaves their connections.
func beginRefuseConnect(o *Origin) (heal func() error, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.life
	if l == nil {
		return nil, errNotUp
	}
	l.refusing++
	for _, d := range l.ingests {
		d.shut()
	}
	release := reserveAll(o.ports.ingests())
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
	for i, d := range l.ingests {
		fresh, err := open(o.closing, d.port, d.listener.conns, rebindTimeout)
		if err != nil {
			return err
		}
		l.ingests[i] = fresh
		o.serveIngest(l, fresh)
	}
	return nil
}
