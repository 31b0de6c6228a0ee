package incident

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"streamcanary/prober"
)

// Nats is a log-likelihood in millionths of a nat. Sums are integers because
// floats differ between machines, and three thirds of a threshold must be it.
type Nats int64

// NatsOf rounds x nats to whole millionths.
func NatsOf(x float64) Nats { return Nats(math.Round(x * 1e6)) }

// Rates are the probabilities of one kind of probe, from which its evidence is
// weighed: a failure counts ln(P1/P0), a success ln((1-P1)/(1-P0)).
type Rates struct {
	P0      float64 `json:"p0"`       // failure while all is well: an upper bound of the measured baseline
	P1      float64 `json:"p1"`       // failure while the element is broken
	AgainP0 float64 `json:"again_p0"` // P0 right after a failure at the same site: noise comes in bursts
}

// Settings are what an operator may set of a policy.
type Settings struct {
	Quorum            int                   `json:"quorum"`             // q: sites that must agree
	Threshold         Nats                  `json:"threshold"`          // h: opens an element
	RecoveryThreshold Nats                  `json:"recovery_threshold"` // h_r: closes it again
	Rates             map[prober.Kind]Rates `json:"rates"`

	Hold           time.Duration `json:"hold"`            // without relapse, from recovered to resolved
	JoinWindow     time.Duration `json:"join_window"`     // first failures this close may have one cause
	OpenSettle     time.Duration `json:"open_settle"`     // from the first opening to the first public word
	UpdateSettle   time.Duration `json:"update_settle"`   // from a wider scope to the update that says so
	RecoverySettle time.Duration `json:"recovery_settle"` // from a partial recovery to the update that says so

	ConfirmRounds  int           `json:"confirm_rounds"`  // rounds asked for at the first failure
	ConfirmSpacing time.Duration `json:"confirm_spacing"` // between their starts

	RoundTimeout      map[prober.Kind]time.Duration `json:"round_timeout"`      // a round is judged as it is after this
	LateAfter         time.Duration                 `json:"late_after"`         // older results are counted, not weighed
	SilentAfter       time.Duration                 `json:"silent_after"`       // an agent not heard for this long is silent
	UnknownAfter      time.Duration                 `json:"unknown_after"`      // an element without evidence for this long is unknown
	ContradictedAfter time.Duration                 `json:"contradicted_after"` // a site that alone sees failures for this long is told
	ChangeWindow      time.Duration                 `json:"change_window"`      // a change this long before an incident is named with it

	UpdateEvery time.Duration `json:"update_every,omitempty"` // an update is promised for so long after the last one; 0 promises none
	UpdateGap   time.Duration `json:"update_gap,omitempty"`   // no sooner, as long as the scope is the same
	Words       Words         `json:"words,omitzero"`

	ApproveWithin time.Duration `json:"approve_within"` // publish: hold waits so long for a person; 0 is for ever
	Unapproved    Unapproved    `json:"unapproved"`     // what is done then
}

// DefaultSettings are for three sites. The threshold is DefaultThreshold's for a
// component of two elements, of which both playbacks and go-lives speak every 2 s.
// One drop of a canary in 30 hours may be noise (p0), and yet three at once are 30.03
// nats and open in a single round: a restart that is over after 3 s is seen. A component
// of many elements has a higher threshold, and opens in the second.
func DefaultSettings() Settings {
	common := Rates{P0: .05, P1: .4, AgainP0: .05}
	return Settings{
		Quorum: 2, Threshold: NatsOf(29.5), RecoveryThreshold: NatsOf(9.2),
		Rates: map[prober.Kind]Rates{
			prober.KindCanary:    {P0: 1.8e-5, P1: .4, AgainP0: .05},
			prober.KindGoLive:    common,
			prober.KindPlayback:  common,
			prober.KindAPI:       common,
			prober.KindRecording: common,
			KindQuality:          common,
		},
		Hold: 5 * time.Minute, JoinWindow: time.Minute,
		OpenSettle: 500 * time.Millisecond, UpdateSettle: 2 * time.Second, RecoverySettle: 30 * time.Second,
		ConfirmRounds: 6, ConfirmSpacing: 2 * time.Second,
		RoundTimeout: map[prober.Kind]time.Duration{
			prober.KindCanary: 3 * time.Second, prober.KindPlayback: 3 * time.Second,
			prober.KindGoLive: 30 * time.Second, prober.KindAPI: 15 * time.Second, prober.KindRecording: time.Minute,
		},
		LateAfter: 30 * time.Second, SilentAfter: 15 * time.Second, UnknownAfter: time.Minute,
		ContradictedAfter: 30 * time.Second, ChangeWindow: 30 * time.Minute,
		UpdateEvery: 30 * time.Minute, UpdateGap: 5 * time.Minute,
		ApproveWithin: 10 * time.Minute, Unapproved: UnapprovedKeep,
	}
}

// Policy decides. It is a value: the same policy and the same inputs give the
// same incidents. Make one with NewPolicy.
type Policy struct {
	settings Settings
	topology Topology
	hash     string
	content  []byte
	weights  map[prober.Kind]weights
	p0s      map[prober.Kind]p0s
	index    index
	words    phrasebook
}

type weights struct{ fail, again, ok Nats }

// NewPolicy checks the settings and the topology against each other and weighs
// the evidence. Its error names every setting that cannot be.
func NewPolicy(s Settings, t Topology) (Policy, error) {
	var errs []error
	bad := func(format string, a ...any) { errs = append(errs, fmt.Errorf(format, a...)) }
	if s.Quorum < 1 {
		bad("quorum is %d: at least 1 site must agree", s.Quorum)
	}
	if s.Threshold <= 0 || s.RecoveryThreshold <= 0 {
		bad("threshold and recovery_threshold must be above 0 nats")
	}
	w, p := make(map[prober.Kind]weights, len(s.Rates)), make(map[prober.Kind]p0s, len(s.Rates))
	for _, kind := range Promises() {
		r, ok := s.Rates[kind]
		if !ok {
			bad("rates of %s are missing", kind)
			continue
		}
		if !(0 < r.P0 && r.P0 < r.P1 && r.P1 < 1 && r.P0 <= r.AgainP0 && r.AgainP0 < r.P1) {
			bad("rates of %s: want 0 < p0 <= again_p0 < p1 < 1", kind)
			continue
		}
		w[kind] = weights{
			fail:  NatsOf(math.Log(r.P1 / r.P0)),
			again: NatsOf(math.Log(r.P1 / r.AgainP0)),
			ok:    NatsOf(math.Log((1 - r.P0) / (1 - r.P1))),
		}
		p[kind] = newP0s(r)
	}
	if s.ConfirmRounds < 0 || s.ConfirmSpacing < 0 || (s.ConfirmRounds > 0 && s.ConfirmSpacing == 0) {
		bad("confirm_rounds needs a confirm_spacing above 0")
	}
	book, wrong := s.Words.compile()
	for _, w := range wrong {
		errs = append(errs, w)
	}
	if err := errors.Join(errs...); err != nil {
		return Policy{}, err
	}
	content, err := json.Marshal(struct {
		Settings Settings `json:"settings"`
		Topology Topology `json:"topology"`
	}{s, t})
	if err != nil {
		return Policy{}, fmt.Errorf("policy: %w", err)
	}
	sum := sha256.Sum256(content)
	return Policy{settings: s, topology: t, hash: hex.EncodeToString(sum[:]), content: content, weights: w, p0s: p, index: newIndex(t), words: book}, nil
}

// Hash identifies the settings and the topology: 64 hexadecimal digits.
func (p Policy) Hash() string { return p.hash }

// Content is what the hash is of: settings and topology as JSON.
func (p Policy) Content() []byte { return bytes.Clone(p.content) }

// Topology is what the policy decides about.
func (p Policy) Topology() Topology { return p.topology }

// siteCap is the most that one site's sum may reach: with q sites at it, the
// threshold is met, and q-1 sites never can.
func (p Policy) siteCap(threshold Nats) Nats {
	q := Nats(p.settings.Quorum)
	return (threshold + q - 1) / q
}

// index answers what a result may name, without a search.
type index struct {
	site     map[string]string   // of an agent
	at       map[string][]string // agents of a site
	agents   []string            // sorted
	sites    []string            // sorted
	elements map[prober.Element]bool
	target   map[string]Target
	regions  map[prober.Element]string // of an ingest or playback
}

func newIndex(t Topology) index {
	x := index{
		site: map[string]string{}, at: map[string][]string{}, elements: map[prober.Element]bool{},
		target: map[string]Target{}, regions: map[prober.Element]string{},
	}
	for _, s := range t.Sites {
		for _, a := range s.Agents {
			x.site[a] = s.ID
			x.at[s.ID] = append(x.at[s.ID], a)
		}
	}
	x.agents, x.sites = sortedKeys(x.site), sortedKeys(x.at)
	for _, target := range t.Targets {
		x.target[target.ID] = target
		for _, e := range target.Elements() {
			x.elements[e] = true
		}
		for _, e := range target.Ingests {
			x.regions[prober.Element{Target: target.ID, Type: prober.ElementIngest, ID: e.ID}] = e.Region
		}
		for _, e := range target.Playbacks {
			x.regions[prober.Element{Target: target.ID, Type: prober.ElementPlayback, ID: e.ID}] = e.Region
		}
	}
	return x
}

// probed says whether evidence of a kind can come on an element at all.
func (x index) probed(e prober.Element, k prober.Kind) bool {
	kinds := x.target[e.Target].Kinds
	if k == KindQuality { // whatever plays broadcasts says how well
		return x.probed(e, prober.KindPlayback) || x.probed(e, prober.KindGoLive)
	}
	return x.elements[e] && (len(kinds) == 0 || slices.Contains(kinds, k))
}

// Elements lists everything of the target that can be blamed.
func (t Target) Elements() []prober.Element {
	var all []prober.Element
	if t.HasAPI {
		all = append(all, prober.Element{Target: t.ID, Type: prober.ElementAPI})
	}
	for _, e := range t.Ingests {
		all = append(all, prober.Element{Target: t.ID, Type: prober.ElementIngest, ID: e.ID})
	}
	all = append(all, prober.Element{Target: t.ID, Type: prober.ElementCore})
	for _, e := range t.Playbacks {
		all = append(all, prober.Element{Target: t.ID, Type: prober.ElementPlayback, ID: e.ID})
	}
	return all
}

// PolicyOf makes a policy of what Content gave.
func PolicyOf(content []byte) (Policy, error) {
	var c struct {
		Settings Settings `json:"settings"`
		Topology Topology `json:"topology"`
	}
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return Policy{}, fmt.Errorf("policy: %w: it was not written by this version", err)
	}
	return NewPolicy(c.Settings, c.Topology)
}

// Settings are what the policy was made of.
func (p Policy) Settings() Settings { return p.settings }
