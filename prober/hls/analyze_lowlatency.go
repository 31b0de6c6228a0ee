package hls

import "time"

// lowLatency checks what low-latency HLS adds (4.4.3.7, 4.4.3.8, 4.4.4.9).
func (f *findings) lowLatency(p *Playlist) {
	f.serverControl(p)
	if p.EndList && len(p.PreloadHints) > 0 {
		f.add(ruleHint, "EXT-X-PRELOAD-HINT in a playlist with EXT-X-ENDLIST")
	}
	parts := len(p.Parts)
	for i := range p.Segments {
		if s := &p.Segments[i]; len(s.Parts) > 0 {
			parts += len(s.Parts)
			f.parts(p.PartTarget, s.Parts, s.Sequence)
		}
	}
	f.parts(p.PartTarget, p.Parts, p.nextSequence())
	if parts > 0 && p.PartTarget == 0 {
		f.add(rulePartInf, "%d parts, and no EXT-X-PART-INF", parts)
	}
}

// parts checks the parts of one segment. The last one may be short; while the
// segment is being made nobody knows which one that will be.
func (f *findings) parts(target time.Duration, parts []Part, of uint64) {
	const rounding = time.Millisecond
	if target == 0 {
		return
	}
	for i, q := range parts {
		if q.Duration > target+rounding {
			f.add(rulePartLong, "part %d of segment %d lasts %s, and PART-TARGET is %s", i, of, q.Duration, target)
		}
		last := i == len(parts)-1
		if !last && !q.Independent && !q.Gap && !parts[i+1].Gap && q.Duration+rounding < target*85/100 {
			f.add(rulePartShort, "part %d of segment %d lasts %s, less than 85 %% of PART-TARGET %s", i, of, q.Duration, target)
		}
	}
}

func (f *findings) serverControl(p *Playlist) {
	c := p.ServerControl
	if c == nil {
		c = &ServerControl{}
	}
	switch {
	case p.PartTarget == 0:
	case c.PartHoldBack == 0:
		f.add(rulePartHoldBack, "EXT-X-PART-INF, and no PART-HOLD-BACK in EXT-X-SERVER-CONTROL")
	case c.PartHoldBack < 2*p.PartTarget:
		f.add(rulePartHoldBack, "PART-HOLD-BACK %s is below two part target durations of %s", c.PartHoldBack, p.PartTarget)
	case c.PartHoldBack < 3*p.PartTarget:
		f.add(rulePartHoldBackShort, "PART-HOLD-BACK %s is below three part target durations of %s", c.PartHoldBack, p.PartTarget)
	}
	if c.HoldBack > 0 && c.HoldBack < 3*p.TargetDuration {
		f.add(ruleHoldBack, "HOLD-BACK %s is below three target durations of %s", c.HoldBack, p.TargetDuration)
	}
	if c.CanSkipUntil > 0 && c.CanSkipUntil < 6*p.TargetDuration {
		f.add(ruleSkipUntil, "CAN-SKIP-UNTIL %s is below six target durations of %s", c.CanSkipUntil, p.TargetDuration)
	}
	if c.CanSkipDateRanges && c.CanSkipUntil == 0 {
		f.add(ruleSkipUntil, "CAN-SKIP-DATERANGES without CAN-SKIP-UNTIL")
	}
}

// partStale checks that parts come on time (6.2.1), where PartsUpdated is kept.
func (f *findings) partStale(previous, current *Playlist, at time.Time) {
	if current.PartTarget == 0 || previous.PartsUpdated.IsZero() {
		return
	}
	wasOf, was, had := previous.lastPart()
	isOf, is, has := current.lastPart()
	if !had || !has || isOf > wasOf || isOf == wasOf && is > was {
		return
	}
	bound := current.PartTarget + f.rules.tolerance()
	if since := at.Sub(previous.PartsUpdated); since > bound {
		f.add(rulePartStale, "no part after part %d of segment %d for %s, more than PART-TARGET %s and a tolerance of %s",
			was, wasOf, since.Round(10*time.Millisecond), current.PartTarget, f.rules.tolerance())
	}
}
