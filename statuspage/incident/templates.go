package incident

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode"
	"unicode/utf8"
)

// Words are an installation's own templates of what its incidents say: text/template,
// executed over a Telling. An empty one is the default.
type Words struct {
	Opened     string `json:"opened,omitempty"`     // the first message
	Updated    string `json:"updated,omitempty"`    // something has changed, and something fails
	Unchanged  string `json:"unchanged,omitempty"`  // nothing has, and an update was promised
	Monitoring string `json:"monitoring,omitempty"` // nothing fails any more
	Resolved   string `json:"resolved,omitempty"`
}

// Telling is what a template may say. It holds what was observed and nothing else.
type Telling struct {
	Name         string // of the incident
	Failing      []Told // what fails, in the order of its beginning
	WorkingAgain string // what failed and does no more: "playback in Frankfurt; ..."
	Whom         string // it may affect: "viewers in Frankfurt; ..."
	Began        string // the first failing test; "" is that none has failed
	LastFailed   string // the newest one
	FoundBy      string // "automated test broadcasts"
	Sites        int    // vantage points that saw it
	CauseUnknown bool   // it does not tell where the cause lies
	Unsure       bool   // too few vantage points are heard to tell whether it goes on
	NextUpdate   string // by when, at the latest; "" is that none is promised
}

// Told is one thing that fails.
type Told struct {
	What  string // "Playback is failing in Frankfurt"
	Whom  string // "viewers in Frankfurt"
	Since string // "since 13:36:02 UTC", "at 13:36:02 UTC" of what was one moment
}

const (
	failingWords = `{{range .Failing}}{{.What}}, {{.Since}}.
{{end}}{{with .WorkingAgain}}Working again: {{.}}.
{{end}}`
	whomWords = `{{with .Whom}}This may affect {{.}}.
{{end}}`
	causeWords = `{{if .CauseUnknown}}What our tests see does not tell where the cause lies.
{{end}}`
	foundWords   = `{{if .Sites}}Seen by {{.FoundBy}} from {{.Sites}} vantage point{{if ne .Sites 1}}s{{end}}. {{end}}`
	promiseWords = `{{with .NextUpdate}}
Next update by {{.}}.{{end}}`
)

// DefaultWords are the texts of an installation that has none of its own.
func DefaultWords() Words {
	return Words{
		Opened:  failingWords + whomWords + causeWords + foundWords + `We are investigating.` + promiseWords,
		Updated: failingWords + whomWords + causeWords + foundWords + promiseWords,
		Unchanged: `{{if .Unsure}}Our tests cannot tell at present whether this goes on; they last saw it at {{.LastFailed}}.` +
			`{{else if .Failing}}Nothing has changed since the last update.{{end}}
` + failingWords + foundWords + promiseWords,
		Monitoring: `{{with .WorkingAgain}}Working again: {{.}}.
{{end}}{{if .LastFailed}}No failure has been seen since {{.LastFailed}}.{{else}}Our tests see no failure.{{end}} We are watching that it stays so.` + promiseWords,
		Resolved: `This incident is resolved.{{if .Began}} It began at {{.Began}}; no failure has been seen since {{.LastFailed}}.{{end}}`,
	}
}

// message is which template an incident's next update comes from.
type message int

const (
	opened message = iota
	updated
	unchanged
	monitoring
	resolved
	messages // their number
)

// all are the templates as they are called in the configuration, in order.
func (w Words) all() [messages]struct{ key, text string } {
	return [messages]struct{ key, text string }{
		{"opened", w.Opened}, {"updated", w.Updated}, {"unchanged", w.Unchanged},
		{"monitoring", w.Monitoring}, {"resolved", w.Resolved},
	}
}

// WordsError is what is wrong with one template.
type WordsError struct {
	Key  string // "opened"
	Line int    // of the template, from 1; 0 is not known
	Text string
}

func (e WordsError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("words.%s %s", e.Key, e.Text)
	}
	return fmt.Sprintf("words.%s, line %d of the template: %s", e.Key, e.Line, e.Text)
}

// Check parses the templates and executes them over samples of what they will be
// given.
func (w Words) Check() []WordsError {
	_, errs := w.compile()
	return errs
}

// phrasebook are the templates by message: an installation's own, and beneath
// them the defaults, for an own one that fails over what no sample had.
type phrasebook [messages]struct{ own, preset *template.Template }

func (w Words) compile() (phrasebook, []WordsError) {
	var book phrasebook
	var errs []WordsError
	presets := DefaultWords().all()
	for i, own := range w.all() {
		preset, err := template.New(own.key).Parse(presets[i].text)
		if err != nil {
			errs = append(errs, wordsError(own.key, err))
			continue
		}
		book[i].own, book[i].preset = preset, preset
		if strings.TrimSpace(own.text) == "" {
			continue
		}
		if book[i].own, err = template.New(own.key).Parse(own.text); err == nil {
			err = message(i).sampled(book[i].own)
		}
		if err != nil {
			errs = append(errs, wordsError(own.key, err))
		}
	}
	return book, errs
}

// sampled executes a template over all that it may have to deal with.
func (m message) sampled(t *template.Template) error {
	for _, sample := range m.samples() {
		text, err := execute(t, sample)
		switch {
		case err != nil:
			return err
		case text == "":
			return errors.New("says nothing at all of some incidents")
		}
	}
	return nil
}

// samples are what a template may be given: nothing less, little more.
func (m message) samples() []Telling {
	told := Told{What: "Playback is failing in Frankfurt", Whom: "viewers in Frankfurt", Since: "since 13:36:02 UTC"}
	one := Telling{
		Name: told.What, Failing: []Told{told}, Whom: told.Whom, Began: "13:36:02 UTC", LastFailed: "13:41:10 UTC",
		FoundBy: foundByBroadcasts, Sites: 3, NextUpdate: "14:06 UTC",
	}
	many, unsure, over := one, one, one
	many.CauseUnknown = true
	many.Failing, many.WorkingAgain = []Told{told, told, told}, "running broadcasts in New York"
	unsure.Unsure, unsure.NextUpdate = true, ""
	over.Failing, over.Whom, over.Sites, over.WorkingAgain = nil, "", 0, "playback in Frankfurt"
	byHand := Telling{Name: "Recordings are late", FoundBy: foundByBroadcasts} // no test of ours ever failed
	if m == monitoring || m == resolved {
		return []Telling{over, byHand}
	}
	return []Telling{one, many, unsure}
}

// tooLongError ends a template that would fill a page.
type tooLongError struct{}

func (tooLongError) Error() string { return fmt.Sprintf("gives more than %d bytes", MaxMessage) }

func tooLong(err error) bool {
	_, is := errors.AsType[tooLongError](err)
	return is
}

// bounded keeps what fits.
type bounded struct{ b strings.Builder }

func (w *bounded) Write(p []byte) (int, error) {
	if w.b.Len()+len(p) > MaxMessage {
		w.b.Write(p[:MaxMessage-w.b.Len()])
		return 0, tooLongError{}
	}
	return w.b.Write(p)
}

// execute gives plain text: lines without trailing space, none of them empty at
// the end, nothing that a terminal or a mail would act on. Of what is too long it
// gives what fits.
func execute(t *template.Template, with Telling) (string, error) {
	var w bounded
	err := t.Execute(&w, with)
	if err != nil && !tooLong(err) {
		return "", err
	}
	text := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) && r != '\n' {
			return -1
		}
		return r
	}, w.b.String())
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRightFunc(lines[i], unicode.IsSpace)
	}
	return strings.TrimSpace(strings.Join(lines, "\n")), err
}

// phrase puts a telling into words. A template of the installation's that fails
// now, though no sample failed, gives way to the default.
func (b phrasebook) phrase(m message, with Telling) string {
	for _, t := range []*template.Template{b[m].own, b[m].preset} {
		text, err := execute(t, with)
		if text != "" && (err == nil || tooLong(err)) {
			return text
		}
	}
	return cmp.Or(with.Name, "This incident goes on.")
}

// wordsError takes the place from a message of text/template: "template: opened:3:14: ...".
func wordsError(key string, err error) WordsError {
	text := err.Error()
	e := WordsError{Key: key, Text: text}
	if tooLong(err) {
		e.Text = tooLongError{}.Error()
		return e
	}
	place := regexp.MustCompile(`^template: ` + key + `:(\d+):(?:\d+:)? ?`)
	if at := place.FindStringSubmatch(text); at != nil {
		e.Line, _ = strconv.Atoi(at[1]) // digits
		e.Text = strings.TrimPrefix(text, at[0])
	}
	return e
}

// The ways in which an incident was found.
const (
	foundByBroadcasts = "automated test broadcasts"
	foundByTests      = "automated tests" // no broadcast is needed to ask an API
)

// when is a time as messages have it; of another day, with the day.
func (t *turn) when(at time.Time) string {
	at = at.UTC()
	if now := t.s.At.UTC(); now.YearDay() != at.YearDay() || now.Year() != at.Year() {
		return at.Format("15:04:05 UTC on 2 January")
	}
	return at.Format("15:04:05 UTC")
}

// sitesOf counts the vantage points that see something fail.
func sitesOf(failures []Failure) int {
	var sites []string
	for _, f := range failures {
		for _, e := range f.Evidence {
			sites = append(sites, e.Site)
		}
	}
	slices.Sort(sites)
	return len(slices.Compact(sites))
}
