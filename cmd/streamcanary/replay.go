package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"streamcanary/config"
	"streamcanary/statuspage/backtest"
	"streamcanary/statuspage/incident"

	"github.com/spf13/cobra"
)

const replayHelp = `Run a recording of 'streamcanary results export' through another policy, without
publishing anything, and print the incidents that it would have opened beside those
of the policy that was in force when the recording was exported.

--policy is a hub's configuration file: copy the one in use, change its policy,
components or sites, and name the copy here. RESULTS may be - for standard input.

Opened after is the time from the first failing result that had a part in the incident
to its opening, for both policies from the same result: the earlier of what each had. Its
mean is over the incidents that both open. Missed are incidents that the present policy
opened and the other did not; false are those that only the other opened: a recording
does not say which of the two is right. Maintenances are replayed, people's edits of
incidents are not. Both policies begin knowing nothing: export from before an outage
on. The rounds that agents ran to confirm a failure are those that the policy of then
asked for, so one that asks for more, or sooner, is told slower than it would have
been. The same recording and policy give the same answer.`

func newReplayCommand() *cobra.Command {
	var policy string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "replay --policy FILE RESULTS",
		Short:   "Show what another policy would have made of recorded results",
		Long:    replayHelp,
		Example: "  streamcanary results export --since 168h > week.jsonl\n  streamcanary replay --policy hub.new.yaml week.jsonl",
		Args:    oneArg("file of results"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := config.LoadHub(policy)
			if err != nil {
				return err
			}
			found, err := replayFile(cmd.InOrStdin(), args[0], cfg.Policy)
			if err != nil {
				return err
			}
			if asJSON {
				return writeReplayJSON(cmd.OutOrStdout(), found)
			}
			return writeReplay(cmd.OutOrStdout(), filepath.Base(policy), found)
		},
	}
	cmd.Flags().StringVar(&policy, "policy", "", "a hub's configuration file, whose policy is tried (required)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	requireFlag(cmd, "policy")
	return cmd
}

func replayFile(stdin io.Reader, path string, p incident.Policy) (backtest.Report, error) {
	in, name := stdin, "standard input"
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return backtest.Report{}, err
		}
		defer func() { _ = f.Close() }()
		in, name = f, path
	}
	found, err := backtest.Replay(in, p)
	if err != nil {
		return found, fmt.Errorf("%s: %w", name, err)
	}
	return found, nil
}

// writeReplay prints a table that one reads from left to right: what happened, what
// the present policy made of it, what the other would have.
func writeReplay(w io.Writer, other string, r backtest.Report) error {
	seen := r.Recording
	var b strings.Builder
	fmt.Fprintf(&b, "%d results of %d %s, %s to %s\n\n", seen.Results, seen.Agents, plural(seen.Agents, "agent"), minute(seen.From), minute(seen.To))
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(t, strings.Join(cells, "\t")) }
	row("", "present", other)
	row("policy", r.Present.Hash[:12], r.Other.Hash[:12])
	for _, s := range changedSettings(r.Present.Settings, r.Other.Settings) {
		row(s...)
	}
	row("")
	row("began (UTC)", "present: opened", other+": opened", "what")
	for _, p := range r.Pairs {
		in := p.Present
		if in == nil || in == p.Before {
			in = p.Other
		}
		row(in.Began.UTC().Format("2006-01-02 15:04:05"), openedText(p.Present, p.Before, seen.To), openedText(p.Other, p.Before, seen.To), in.Name)
	}
	if len(r.Pairs) == 0 {
		row("neither opens anything")
	}
	row("")
	a, o, both := r.Figures()
	row("figure", "present", other, "difference")
	row("incidents", fmt.Sprint(a.Incidents), fmt.Sprint(o.Incidents), fmt.Sprintf("%+d", o.Incidents-a.Incidents))
	if both > 0 {
		row(fmt.Sprintf("opened after, mean of %d that both open", both), short(a.OpenedAfter), short(o.OpenedAfter), differ(a.OpenedAfter, o.OpenedAfter))
		row("opened after, longest of those", short(a.Slowest), short(o.Slowest), differ(a.Slowest, o.Slowest))
	}
	row("open in all", short(a.Open), short(o.Open), differ(a.Open, o.Open))
	row("words said", fmt.Sprint(a.Updates), fmt.Sprint(o.Updates), fmt.Sprintf("%+d", o.Updates-a.Updates))
	row("missed", "", fmt.Sprint(r.Missed()))
	row("false", "", fmt.Sprint(r.False()))
	if err := t.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

func minute(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05 UTC") }

// openedText tells an incident, or that it is that of a row before.
func openedText(in, before *backtest.Opened, end time.Time) string {
	if in == nil {
		return "not"
	}
	at := in.CreatedAt.UTC().Format("15:04:05")
	if in == before {
		return "with that of " + at
	}
	text := fmt.Sprintf("%s, after %s, for %s", at, short(in.OpenedAfter()), short(in.OpenFor(end)))
	if in.ResolvedAt.IsZero() {
		text += " (still open)"
	}
	return text
}

func short(d time.Duration) string {
	if d >= time.Minute {
		return d.Round(time.Second).String()
	}
	return fmt.Sprintf("%.1fs", d.Seconds())
}

func differ(a, b time.Duration) string {
	if b < a {
		return "-" + short(a-b)
	}
	return "+" + short(b-a)
}

// changedSettings are the rows of what the two policies set in different ways.
func changedSettings(a, b incident.Settings) [][]string {
	var rows [][]string
	compare := func(name, x, y string) {
		if x != y {
			rows = append(rows, []string{name, x, y})
		}
	}
	flat := func(s incident.Settings) map[string]any {
		var m map[string]any
		body, err := json.Marshal(s)
		if err == nil {
			err = json.Unmarshal(body, &m)
		}
		if err != nil {
			return nil
		}
		return flatten(m)
	}
	before, after := flat(a), flat(b)
	for _, name := range sortedNames(before, after) {
		compare(name, settingText(name, before[name]), settingText(name, after[name]))
	}
	return rows
}

// flatten names what lies in maps by its path: rates.canary.p0.
func flatten(m map[string]any) map[string]any {
	flat := map[string]any{}
	for name, v := range m {
		inner, nested := v.(map[string]any)
		if !nested {
			flat[name] = v
			continue
		}
		for under, v := range flatten(inner) {
			flat[name+"."+under] = v
		}
	}
	return flat
}

func sortedNames(a, b map[string]any) []string {
	all := map[string]bool{}
	for _, m := range []map[string]any{a, b} {
		for name := range m {
			all[name] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// settingText writes a setting in the unit in which it is configured.
func settingText(name string, v any) string {
	n, number := v.(float64)
	switch {
	case v == nil:
		return "-"
	case number && (name == "threshold" || name == "recovery_threshold"):
		return fmt.Sprintf("%.1f nats", n/1e6)
	case number && n >= 1e6:
		return time.Duration(n).String()
	case number:
		return fmt.Sprint(n)
	}
	body, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	if text := []rune(string(body)); len(text) > mostSetting {
		return string(text[:mostSetting]) + "..."
	}
	return string(body)
}

// mostSetting bounds how many characters are shown of a setting, such as a template.
const mostSetting = 40

// replayed is the JSON form.
type replayed struct {
	From    time.Time       `json:"from"`
	To      time.Time       `json:"to"`
	Results int             `json:"results"`
	Agents  int             `json:"agents"`
	Present replayedFigures `json:"present"`
	Other   replayedFigures `json:"other"`
	Both    int             `json:"both"` // incidents that both open: opened_after is of those
	Missed  int             `json:"missed"`
	False   int             `json:"false"`
	Pairs   []replayedPair  `json:"incidents"`
}

type replayedFigures struct {
	Policy      string  `json:"policy"`
	Incidents   int     `json:"incidents"`
	OpenedAfter float64 `json:"opened_after_mean_s"`
	Slowest     float64 `json:"opened_after_max_s"`
	Open        float64 `json:"open_s"`
	Updates     int     `json:"updates"`
}

type replayedPair struct {
	Present *replayedIncident `json:"present"` // null: not opened
	Other   *replayedIncident `json:"other"`
}

type replayedIncident struct {
	Name       string          `json:"name"`
	Impact     incident.Impact `json:"impact"`
	Components []string        `json:"components"`
	BeganAt    time.Time       `json:"began_at"`   // first failing result; where both policies open it, the earlier of what each had
	StartedAt  time.Time       `json:"started_at"` // by as many sites as have to agree
	CreatedAt  time.Time       `json:"created_at"`
	ResolvedAt *time.Time      `json:"resolved_at"` // null: still open
	After      float64         `json:"opened_after_s"`
}

func writeReplayJSON(w io.Writer, r backtest.Report) error {
	a, o, both := r.Figures()
	of := func(run backtest.Run, f backtest.Figures) replayedFigures {
		return replayedFigures{run.Hash, f.Incidents, f.OpenedAfter.Seconds(), f.Slowest.Seconds(), f.Open.Seconds(), f.Updates}
	}
	out := replayed{
		From: r.Recording.From, To: r.Recording.To, Results: r.Recording.Results, Agents: r.Recording.Agents,
		Present: of(r.Present, a), Other: of(r.Other, o), Both: both, Missed: r.Missed(), False: r.False(), Pairs: []replayedPair{},
	}
	for _, p := range r.Pairs {
		out.Pairs = append(out.Pairs, replayedPair{replayedOf(p.Present), replayedOf(p.Other)})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

func replayedOf(in *backtest.Opened) *replayedIncident {
	if in == nil {
		return nil
	}
	out := &replayedIncident{
		Name: in.Name, Impact: in.Impact, Components: in.Components,
		BeganAt: in.Began, StartedAt: in.StartedAt, CreatedAt: in.CreatedAt, After: in.OpenedAfter().Seconds(),
	}
	if !in.ResolvedAt.IsZero() {
		out.ResolvedAt = &in.ResolvedAt
	}
	return out
}
