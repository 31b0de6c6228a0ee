package hls

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"streamcanary/prober"
)

// loaded makes segments of two seconds with these sizes in kilobytes.
func loaded(kilobytes ...int64) []Loaded {
	var list []Loaded
	for i, k := range kilobytes {
		list = append(list, Loaded{Sequence: uint64(i), Duration: 2 * time.Second, Bytes: k * 1000})
	}
	return list
}

// observed makes renditions "a", "b" ... of playlists loaded at noon.
func observed(t *testing.T, texts ...string) []Observed {
	t.Helper()
	var all []Observed
	for i, text := range texts {
		name := string(rune('a' + i))
		all = append(all, Observed{Name: name, URL: &url.URL{Path: "/live/" + name + ".m3u8"}, Playlist: parsed(t, text), At: noon})
	}
	return all
}

// factCases break each rule that needs more than two playlists.
func factCases(t *testing.T) map[string][]struct{ broken, legal []prober.Finding } {
	t.Helper()
	type cases = []struct{ broken, legal []prober.Finding }
	one := func(broken, legal []prober.Finding) cases { return cases{{broken, legal}} }
	var r Rules
	expecting := func(e Expect, before, now string) []prober.Finding {
		return Rules{Expect: e}.Analyze(parsed(t, before), parsed(t, now), noon.Add(time.Second))
	}
	later := func(after time.Duration, before, now string) []prober.Finding {
		return r.Analyze(parsed(t, before), parsed(t, now), noon.Add(after))
	}
	together := func(texts ...string) []prober.Finding { return r.Renditions(observed(t, texts...)) }
	apart := func(by time.Duration, texts ...string) []prober.Finding {
		all := observed(t, texts...)
		for i := range all {
			all[i].At = noon.Add(time.Duration(i) * by)
		}
		return r.Renditions(all)
	}
	removed := func(r Rules, s Asked) []prober.Finding {
		s.Sequence, s.Duration, s.Longest = 7, 4*time.Second, 16*time.Second
		s.FirstListed, s.Removed = noon, noon.Add(18*time.Second)
		return r.Removed("a", s)
	}
	stamps := func(second time.Duration, dsn uint64) []prober.Finding {
		return r.Stamps([]Stamp{{Name: "a", Moment: noon, At: 5 * time.Second}, {Name: "b", Moment: noon.Add(time.Second), At: second, Discontinuity: dsn}})
	}
	offers := parsed(t, v9+infTag+"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3\n"+seg0+seg1+partTag)
	answer := parsed(t, v9+infTag+seg0+seg1+seg2+partTag+partTag)
	reload := func(l Reload) []prober.Finding {
		l.Before, l.Sent = offers, noon
		if l.Answered.IsZero() {
			l.Answered = noon.Add(time.Second)
		}
		return r.Reload("a", l)
	}
	const wrap = (1 << 33) * time.Second / 90000
	return map[string][]struct{ broken, legal []prober.Finding }{
		ruleStale:      one(later(8*time.Second, v3+seg0, v3+seg0), later(7*time.Second, v3+seg0, v3+seg0)),
		ruleRegression: one(later(0, v3+msn(9)+seg0, v3+seg0), later(0, v3+msn(1)+seg1+seg2, v3+seg0+seg1)),
		ruleVODChanged: one(expecting(ExpectAny, v3+vodTag+seg0+endTag, v3+vodTag+seg0+seg1+endTag), expecting(ExpectAny, v3+vodTag+seg0+endTag, v3+vodTag+seg0+endTag)),
		ruleReopened:   one(expecting(ExpectAny, v3+seg0+endTag, v3+seg0+seg1), expecting(ExpectAny, v3+seg0, v3+seg0+seg1+endTag)),
		ruleWindowTiny: {{
			slices.DeleteFunc(expecting(ExpectAny, v3+seg0+seg1, v3+msn(1)+seg1), func(f prober.Finding) bool { return f.Rule == ruleWindow }),
			expecting(ExpectAny, v3+seg0+seg1, v3+msn(1)+seg1+endTag),
		}},
		ruleEventRemoved: one(expecting(ExpectEvent, v3+seg0+seg1+seg2, v3+msn(1)+seg1+seg2+seg3), expecting(ExpectLive, v3+seg0+seg1+seg2, v3+msn(1)+seg1+seg2+seg3)),
		ruleEnded:        one(expecting(ExpectEvent, "", v3+seg0+endTag), expecting(ExpectVOD, "", v3+vodTag+seg0+endTag)),
		ruleVODOpen:      one(expecting(ExpectVOD, "", v3+seg0), expecting(ExpectAny, "", v3+seg0)),
		rulePartStale:    one(later(2001*time.Millisecond, v9+infTag+seg0+partTag, v9+infTag+seg0+partTag), later(2001*time.Millisecond, v9+infTag+seg0+partTag, v9+infTag+seg0+partTag+partTag)),
		ruleSlow: one(r.Loaded("a", Loaded{Duration: 2 * time.Second, Took: 1700 * time.Millisecond}),
			r.Loaded("a", Loaded{Duration: 400 * time.Millisecond, Took: 450 * time.Millisecond})),
		ruleBitrate: slices.Concat(
			one(r.Loaded("a", Loaded{Duration: time.Second, Bytes: 115_000, Bitrate: 800_000}), r.Loaded("a", Loaded{Duration: time.Second, Bytes: 109_000, Bitrate: 800_000})),
			one(r.Loaded("a", Loaded{Duration: time.Second, Bytes: 85_000, Bitrate: 800_000}), r.Loaded("a", Loaded{Duration: time.Second, Bytes: 92_000, Bitrate: 800_000}))),
		ruleBandwidthOver: one(r.Bandwidth("a", Variant{Bandwidth: 900_000}, 2*time.Second, loaded(100, 300, 100)), r.Bandwidth("a", Variant{Bandwidth: 1_100_000}, 2*time.Second, loaded(100, 300, 100))),
		ruleGroupsOver:    one(r.Bandwidth("a", Variant{Bandwidth: 440_000}, 2*time.Second, loaded(100), loaded(25)), r.Bandwidth("a", Variant{Bandwidth: 460_000}, 2*time.Second, loaded(100), loaded(25))),
		ruleAverageOver: one(r.Bandwidth("a", Variant{AverageBandwidth: 300_000}, 2*time.Second, loaded(100, 90, 100, 90, 100, 90, 100, 90, 100, 90)),
			r.Bandwidth("a", Variant{AverageBandwidth: 300_000}, 2*time.Second, loaded(100, 90))),
		ruleVariantCodecs: one(r.Codecs("a", Variant{Codecs: "avc1.64001f"}, []string{"avc1.64001e", "mp4a.40.2"}),
			r.Codecs("a", Variant{Codecs: "hvc1.1.6.L93.B0, mp4a.40.5"}, []string{"hev1.1.6.L90", "mp4a.40.2"})),
		ruleGone: slices.Concat(
			one(removed(r, Asked{Status: 404, At: noon.Add(19 * time.Second)}), removed(r, Asked{Status: 404, At: noon.Add(20 * time.Second)})),
			one(removed(Rules{RFC8216: true}, Asked{Status: 404, At: noon.Add(37 * time.Second)}), removed(r, Asked{Status: 200, At: noon.Add(19 * time.Second)})),
			one(removed(r, Asked{EndList: true, Status: 410, At: noon.Add(37 * time.Second)}), removed(r, Asked{EndList: true, Status: 410, At: noon.Add(38 * time.Second)}))),
		ruleVariantTarget: one(together(v3+seg0, "#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n"+seg0), together(v3+vodTag+seg0, "#EXT-X-TARGETDURATION:9\n#EXT-X-VERSION:4\n#EXT-X-I-FRAMES-ONLY\n"+vodTag+seg0)),
		ruleVariantType:   one(together(v3+eventTag+seg0, v3+seg0), together(v3+eventTag+seg0, v3+eventTag+seg0)),
		ruleVariantDSN: one(together(v3+dsn(1)+pdtTag+"00Z\n"+seg0+seg1, v3+dsn(2)+pdtTag+"00.02Z\n"+seg0+seg1),
			together(v3+pdtTag+"00Z\n"+seg0+discTag+seg1, v3+dsn(1)+msn(7)+pdtTag+"04Z\n"+seg1)),
		ruleVariantDates: one(together(v3+pdtTag+"00Z\n"+seg0, v3+seg0), together(v3+pdtTag+"00Z\n"+seg0, v3+seg0+pdtTag+"04Z\n"+seg1)),
		ruleVariantApart: slices.Concat(
			one(together(v3+pdtTag+"00Z\n"+seg0+seg1+seg2, v3+pdtTag+"00Z\n"+seg0), together(v3+pdtTag+"00Z\n"+seg0+seg1, v3+pdtTag+"00Z\n"+seg0)),
			one(apart(500*time.Millisecond, v3+pdtTag+"00Z\n"+seg0, v3+pdtTag+"00Z\n"+seg0+seg1+seg2), apart(2*time.Second, v3+pdtTag+"00Z\n"+seg0, v3+pdtTag+"00Z\n"+seg0+seg1+seg2))),
		ruleVariantTimes: slices.Concat(
			one(stamps(7*time.Second, 0), stamps(6400*time.Millisecond, 0)),
			one(stamps(6*time.Second+wrap/2, 0), stamps(6*time.Second+wrap, 0)),
			one(stamps(5*time.Second, 0), stamps(time.Hour, 1))),
		ruleVariantControl: one(together(v9+"#EXT-X-SERVER-CONTROL:HOLD-BACK=12\n"+seg0, v9+seg0),
			together(v9+"#EXT-X-SERVER-CONTROL:HOLD-BACK=12\n"+seg0, v9+"#EXT-X-SERVER-CONTROL:HOLD-BACK=12.0\n"+seg0)),
		ruleVariantRanges: one(together(v3+pdtTag+"00Z\n"+rangeTag+"\n"+seg0, v3+pdtTag+"00Z\n"+"#EXT-X-DATERANGE:ID=\"b\"\n"+seg0), together(v3+pdtTag+"00Z\n"+rangeTag+"\n"+seg0, v3+pdtTag+"00Z\n"+seg0)),
		ruleReport: one(apart(time.Millisecond, v9+msn(5)+seg0+seg1, v9+seg0+"#EXT-X-RENDITION-REPORT:URI=\"a.m3u8\",LAST-MSN=4\n"),
			apart(time.Millisecond, v9+msn(5)+seg0+seg1, v9+seg0+"#EXT-X-RENDITION-REPORT:URI=\"a.m3u8\",LAST-MSN=5\n#EXT-X-RENDITION-REPORT:URI=\"x/a.m3u8\",LAST-MSN=1\n")),
		ruleReloadEarly: slices.Concat(
			one(reload(Reload{MSN: 3, HasMSN: true, Part: -1, Status: 200, Answer: answer}), reload(Reload{MSN: 2, HasMSN: true, Part: -1, Status: 200, Answer: answer})),
			one(reload(Reload{MSN: 3, HasMSN: true, Part: 2, Status: 200, Answer: answer}), reload(Reload{MSN: 3, HasMSN: true, Part: 1, Status: 200, Answer: answer}))),
		ruleReloadRefused: one(reload(Reload{MSN: 2, HasMSN: true, Part: -1, Status: 404}), reload(Reload{MSN: 4, HasMSN: true, Part: -1, Status: 400})),
		ruleReloadLate: one(reload(Reload{MSN: 2, HasMSN: true, Part: -1, Status: 503, Answered: noon.Add(14 * time.Second)}),
			reload(Reload{MSN: 2, HasMSN: true, Part: -1, Status: 503, Answered: noon.Add(12 * time.Second)})),
		rulePartAlone: one(reload(Reload{Part: 1, Status: 200, Answer: answer}), reload(Reload{Part: 1, Status: 400})),
		ruleHintGone:  one(r.Hinted("a", Hinted{Status: 404, Appeared: true}), r.Hinted("a", Hinted{Status: 404})),
	}
}

func TestRulesOverFacts(t *testing.T) {
	t.Parallel()
	for id, cases := range factCases(t) {
		for i, c := range cases {
			t.Run(fmt.Sprintf("%s %d", id, i), func(t *testing.T) {
				t.Parallel()
				if got := told(c.broken); got != id {
					t.Errorf("broken: got %q, want %q: %+v", got, id, c.broken)
				}
				if got := told(c.legal); got != "" {
					t.Errorf("legal: %+v", c.legal)
				}
				for _, f := range c.broken {
					checkFinding(t, f)
				}
			})
		}
	}
}

// Every rule of the table is broken by a test, and has what documentation needs.
func TestEveryRule(t *testing.T) {
	t.Parallel()
	playlists, facts := ruleCases(), factCases(t)
	seen := make(map[string]bool)
	for _, r := range AllRules() {
		if len(playlists[r.ID])+len(facts[r.ID]) == 0 {
			t.Errorf("no test breaks the rule %s", r.ID)
		}
		if seen[r.ID] || r.Section == "" || r.Help == "" || len(r.Help) > 120 || !slices.Contains(prober.Severities(), r.Severity) ||
			!slices.Contains(prober.Stages(), r.Stage) || !slices.Contains(prober.Reasons(), r.Reason) {
			t.Errorf("%+v", r)
		}
		seen[r.ID] = true
	}
	for id := range playlists {
		if !seen[id] {
			t.Errorf("the rule %s is not in the table", id)
		}
	}
}

func TestSeverities(t *testing.T) {
	t.Parallel()
	broken := parsed(t, "#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4.5\n"+seg0) // target-integer of 4.4.3.1, a note
	tests := []struct {
		name string
		set  map[string]prober.Severity
		want prober.Severity
	}{
		{"default", nil, prober.SeverityNote},
		{"another rule's", map[string]prober.Severity{ruleTooLong: prober.SeverityFail}, prober.SeverityNote},
		{"by rule", map[string]prober.Severity{ruleTarget: prober.SeverityFail}, prober.SeverityFail},
		{"by section", map[string]prober.Severity{"4.4.3.1": prober.SeverityDegraded}, prober.SeverityDegraded},
		{"by reason", map[string]prober.Severity{"playlist_malformed": prober.SeverityFail}, prober.SeverityFail},
		{"rule before section before reason", map[string]prober.Severity{ruleTarget: prober.SeverityFail, "4.4.3.1": prober.SeverityDegraded, "playlist_malformed": prober.SeverityNote}, prober.SeverityFail},
		{"off", map[string]prober.Severity{ruleTarget: SeverityOff}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := Rules{Severity: tt.set}
			if err := r.Check(); err != nil {
				t.Fatal(err)
			}
			list := r.Analyze(nil, broken, noon)
			if tt.want == "" && len(list) > 0 || tt.want != "" && (len(list) != 1 || list[0].Severity != tt.want) {
				t.Errorf("got %+v, want %s", list, tt.want)
			}
		})
	}
}

// Findings of the media's checker obey the same settings.
func TestGrade(t *testing.T) {
	t.Parallel()
	list := []prober.Finding{
		{Section: "RFC 8216bis 4.4.2.1", Severity: prober.SeverityDegraded, Reason: prober.ReasonNoKeyframe},
		{Section: "ISO/IEC 13818-1 2.7.2", Severity: prober.SeverityNote, Reason: prober.ReasonClockReference},
	}
	got := Rules{Severity: map[string]prober.Severity{"4.4.2.1": prober.SeverityFail, "clock_reference": SeverityOff}}.Grade(list)
	if len(got) != 1 || got[0].Severity != prober.SeverityFail || list[0].Severity != prober.SeverityDegraded {
		t.Errorf("%+v", got)
	}
}

func TestRulesCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rules Rules
		want  string
	}{
		{Rules{Expect: "later"}, `expect: "later", want event, vod, any or nothing`},
		{Rules{Severity: map[string]prober.Severity{"stale": "bad"}}, `severity of stale: "bad", want fail, degraded, note or off`},
		{Rules{Severity: map[string]prober.Severity{"stall": "fail"}}, `severity of "stall": no such rule, section or reason; the rules are text, attributes, `},
	}
	for _, tt := range tests {
		if err := tt.rules.Check(); err == nil || len(err.Error()) < len(tt.want) || err.Error()[:len(tt.want)] != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
	for _, key := range []string{"3.1", "2.7.2", "BT.1359-1", "4.4.6.2", "6.2.1", "stale", "no_marker"} {
		if err := (Rules{Severity: map[string]prober.Severity{key: prober.SeverityNote}}).Check(); err != nil {
			t.Error(err)
		}
	}
}
