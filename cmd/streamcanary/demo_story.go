package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"streamcanary/prober"

	"github.com/fatih/color"
)

// story tells what happens, for a person or, as JSON, for a machine.
type story struct {
	mu    sync.Mutex
	w     io.Writer
	json  bool
	start time.Time
}

func newStory(w io.Writer, asJSON bool) *story {
	return &story{w: w, json: asJSON, start: time.Now()}
}

// line is one line of the story.
type line struct {
	At      time.Time `json:"at"`
	Elapsed float64   `json:"elapsed_s"`
	Kind    string    `json:"kind"` // start, green, drill, page, demo
	Text    string    `json:"text"`

	Incident string `json:"incident,omitempty"`
	Status   string `json:"status,omitempty"`
	Impact   string `json:"impact,omitempty"`
}

func (s *story) say(kind, text string) { s.tell(line{Kind: kind, Text: text}) }

func (s *story) tell(l line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.At = time.Now().UTC().Truncate(time.Millisecond)
	elapsed := time.Since(s.start)
	l.Elapsed = float64(elapsed.Milliseconds()) / 1000
	if s.json {
		b, err := json.Marshal(l)
		if err == nil {
			_, _ = fmt.Fprintln(s.w, string(b))
		}
		return
	}
	if l.Kind == "start" {
		_, _ = fmt.Fprintln(s.w, l.Text)
		return
	}
	paint := color.New(color.Faint)
	switch {
	case l.Status == "resolved", l.Kind == "green":
		paint = color.New(color.FgGreen)
	case l.Status == "monitoring":
		paint = color.New(color.FgBlue)
	case l.Incident != "":
		paint = color.New(color.FgRed)
	case l.Kind == "drill":
		paint = color.New(color.FgYellow)
	}
	text := strings.Join(wrap(l.Text, columns(s.w)-storyIndent), "\n"+strings.Repeat(" ", storyIndent))
	_, _ = fmt.Fprintf(s.w, "%02d:%02d  %s  %s\n", int(elapsed.Minutes()), int(elapsed.Seconds())%60, paint.Sprintf("%-6s", l.Kind), text)
}

// storyIndent is the column at which the text of a line begins.
const storyIndent = len("00:00  demo    ")

// columns is how wide the terminal behind w is. What is no terminal is as wide
// as any line, so that lines stay whole in a file.
func columns(w io.Writer) int {
	const anyLine, least = 1 << 20, 40
	f, ok := w.(*os.File)
	if !ok {
		return anyLine
	}
	width := terminalWidth(f)
	if width == 0 {
		return anyLine
	}
	return max(width, least)
}

// wrap breaks a text at its line ends, and at spaces where a line is longer than
// width. A word that is longer, such as an address, stays whole.
func wrap(text string, width int) []string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		for len(line) > width {
			at := strings.LastIndexByte(line[:width+1], ' ')
			if at <= 0 {
				at = strings.IndexByte(line, ' ')
			}
			if at <= 0 {
				break
			}
			lines, line = append(lines, line[:at]), line[at+1:]
		}
		lines = append(lines, line)
	}
	return lines
}

// publicIncident is what the public document says of an incident.
type publicIncident struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Status    string    `json:"status"`
	Impact    string    `json:"impact"`
	CreatedAt time.Time `json:"created_at"`
	Updates   []struct {
		ID       string `json:"id"`
		Status   string `json:"status"`
		Body     string `json:"body"`
		Affected []struct {
			Name      string `json:"name"`
			NewStatus string `json:"new_status"`
		} `json:"affected_components"`
	} `json:"incident_updates"` // newest first
}

// pageWatch reads the public documents as anybody can, and tells what is new.
type pageWatch struct {
	url    string
	tell   *story
	client *http.Client
	told   map[string]bool // updates
	since  time.Time       // of the fault that is being played; zero: none
}

func newPageWatch(url string, tell *story) *pageWatch {
	return &pageWatch{url: url, tell: tell, client: &http.Client{Timeout: 5 * time.Second}, told: map[string]bool{}}
}

// follow tells whatever the page says until done says so.
func (p *pageWatch) follow(ctx context.Context, done func() bool) error {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		// A page that does not answer once is asked again; only the context ends it.
		if all, err := p.incidents(ctx); err == nil {
			for i := len(all) - 1; i >= 0; i-- {
				p.news(all[i])
			}
		}
		if done() {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
	}
}

func (p *pageWatch) incidents(ctx context.Context) ([]publicIncident, error) {
	body, err := get(ctx, p.client, p.url+"/api/v2/incidents.json", "")
	if err != nil {
		return nil, err
	}
	var document struct {
		Incidents []publicIncident `json:"incidents"`
	}
	if err := json.Unmarshal(body, &document); err != nil {
		return nil, fmt.Errorf("incidents.json: %w", err)
	}
	return document.Incidents, nil
}

// news tells an incident's updates that were not told yet, oldest first.
func (p *pageWatch) news(in publicIncident) {
	for i := len(in.Updates) - 1; i >= 0; i-- {
		u := in.Updates[i]
		if p.told[u.ID] {
			continue
		}
		p.told[u.ID] = true
		head := fmt.Sprintf("%s: %s (impact %s)", strings.ToUpper(u.Status), in.Name, in.Impact)
		if i == len(in.Updates)-1 && !p.since.IsZero() {
			head += fmt.Sprintf(", on the page %.1f s after the fault", time.Since(p.since).Seconds())
		}
		p.tell.tell(line{Kind: "page", Text: head + "\n" + u.Body, Incident: in.ID, Status: u.Status, Impact: in.Impact})
	}
}

// get reads a document of at most 4 MB.
func get(ctx context.Context, client *http.Client, url string, token prober.Secret) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	return body, nil
}
