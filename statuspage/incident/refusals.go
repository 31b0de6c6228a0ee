package incident

import (
	"slices"
	"strings"
	"time"

	"streamcanary/prober"
)

// refusals tells on-call of what no incident will: a platform's API that turns our
// calls away, whose probes then say nothing, and a certificate that expires soon.
func (t *turn) refusals(r *prober.Result) {
	if r.Playback != "" {
		return // what a pull is refused is not the API's to say
	}
	refused := r.Outcome == prober.Inconclusive && (r.Reason == prober.ReasonAPIUnauthorized || r.Reason == prober.ReasonAPIQuota)
	switch {
	case refused:
		t.refusedBy(r, refusedTo(r))
	case r.Outcome != prober.Inconclusive && r.Stage != prober.StageProvision && t.s.Platforms[r.Target] != nil:
		by := refusedTo(r)
		t.acceptedBy(r.Target, func(who string) bool { return who == by })
	}
	expiring := func(f prober.Finding) bool { return f.Reason == prober.ReasonCertificateExpiring }
	if i := slices.IndexFunc(r.Findings, expiring); i >= 0 {
		t.certificate(r.Target, r.Findings[i].Detail)
	}
}

// refusedTo is whom an API turns away: an agent, and its kind of probe.
func refusedTo(r *prober.Result) string { return r.Agent + " " + string(r.Kind) }

func (t *turn) platform(target string) *platformState {
	if t.s.Platforms == nil {
		t.s.Platforms = map[string]*platformState{}
	}
	if t.s.Platforms[target] == nil {
		t.s.Platforms[target] = &platformState{}
	}
	return t.s.Platforms[target]
}

func (t *turn) refusedBy(r *prober.Result, by string) {
	p := t.platform(r.Target)
	i, known := slices.BinarySearch(p.RefusedBy, by)
	if known {
		return
	}
	p.RefusedBy = slices.Insert(p.RefusedBy, i, by)
	if len(p.RefusedBy) > 1 {
		return // told
	}
	what := "its key is not accepted"
	if r.Reason == prober.ReasonAPIQuota {
		what = "a quota is used up"
	}
	t.emit(Event{Type: PlatformRefused, Key: "platform/" + r.Target, Agent: r.Agent,
		Summary: "The API of " + r.Target + " turns our calls away, " + what + ", so the " + string(r.Kind) + " probes say nothing: " + r.Detail})
}

// acceptedBy forgets who was refused, and tells when that was the last.
func (t *turn) acceptedBy(target string, who func(string) bool) {
	p := t.s.Platforms[target]
	if p == nil || !slices.ContainsFunc(p.RefusedBy, who) {
		return
	}
	p.RefusedBy = slices.DeleteFunc(p.RefusedBy, who)
	if len(p.RefusedBy) == 0 {
		t.emit(Event{Type: PlatformAccepted, Key: "platform/" + target, Summary: "The API of " + target + " takes our calls again"})
	}
}

// forgetRefusals drops those of whom nothing more will come.
func (t *turn) forgetRefusals() {
	for _, target := range sortedKeys(t.s.Platforms) {
		kinds := t.index.target[target].Kinds
		t.acceptedBy(target, func(who string) bool {
			agent, kind, _ := strings.Cut(who, " ")
			_, known := t.index.site[agent]
			return !known || len(kinds) > 0 && !slices.Contains(kinds, prober.Kind(kind))
		})
		if _, known := t.index.target[target]; !known {
			t.acceptedBy(target, func(string) bool { return true })
			delete(t.s.Platforms, target)
		}
	}
}

// certificate tells of one once a day.
func (t *turn) certificate(target, detail string) {
	const again = 24 * time.Hour
	p := t.platform(target)
	if !p.CertificateAt.IsZero() && t.s.At.Sub(p.CertificateAt) < again {
		return
	}
	p.CertificateAt = t.s.At
	t.emit(Event{Type: CertificateExpiring, Key: "certificate/" + target, Summary: "The API of " + target + ": " + detail})
}
