package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"streamcanary/config"
	"streamcanary/prober"
	"streamcanary/prober/hls"
	"streamcanary/statuspage/alert"
	"streamcanary/statuspage/incident"

	"github.com/spf13/cobra"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What a person may meet and look up is in the README, as `code`.
func TestReadmeNamesEverything(t *testing.T) {
	t.Parallel()
	text := readme(t)
	for what, names := range map[string][]string{
		"command":     commandNames(newRootCommand()),
		"stage":       texts(prober.Stages()),
		"reason":      texts(prober.Reasons()),
		"alert":       alertNames(t),
		"make target": makeTargets(t),
	} {
		if len(names) < 5 {
			t.Errorf("only %d names of a %s were found: the test reads them wrongly", len(names), what)
		}
		for _, name := range names {
			if !regexp.MustCompile("`" + regexp.QuoteMeta(name) + "[` ]").MatchString(text) {
				t.Errorf("README.md does not name the %s `%s`", what, name)
			}
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(arrows())) {
		if !strings.Contains(text, "| ["+folder+"]("+folder+") |") {
			t.Errorf("README.md's list of folders lacks %s", folder)
		}
	}
}

// The table of the quorum that follows from the sites is the formula's.
func TestReadmeQuorum(t *testing.T) {
	t.Parallel()
	var quorum, often strings.Builder
	for sites := 1; sites <= 5; sites++ {
		q := incident.QuorumFor(sites, incident.DefaultFalseOpenings)
		_, _ = fmt.Fprintf(&quorum, " %d |", q)
		_, _ = fmt.Fprintf(&often, " %s |", strconv.FormatFloat(incident.UnseenTogether(sites, q), 'g', 2, 64))
	}
	for sites := 6; sites <= 12; sites++ {
		if q := incident.QuorumFor(sites, incident.DefaultFalseOpenings); q != 4 || incident.UnseenTogether(sites, q) > .0002 {
			t.Errorf("%d sites: quorum %d, %g times a year", sites, q, incident.UnseenTogether(sites, q))
		}
	}
	want := "| Quorum |" + quorum.String() + " 4 |\n| In unseen trouble together, a year |" + strings.ReplaceAll(often.String(), "7.9e+02", "788") + " at most 0.0002 |\n"
	if !strings.Contains(readme(t), want) {
		t.Errorf("README.md lacks\n%s", want)
	}
}

// The table of the rules of HLS is the code's own.
func TestReadmeListsRules(t *testing.T) {
	t.Parallel()
	var want strings.Builder
	for _, r := range hls.AllRules() {
		_, _ = fmt.Fprintf(&want, "| `%s` | %s | %s | `%s` | %s |\n", r.ID, r.Section, r.Severity, r.Reason, r.Help)
	}
	_, table, _ := strings.Cut(readme(t), "| Rule | Section | Severity | Reason | What was seen |\n|---|---|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	if table+"\n" != want.String() {
		t.Errorf("README.md's table of rules has to be:\n%s", want.String())
	}
}

// commandNames lists the commands that do something, as they are typed.
func commandNames(c *cobra.Command) []string {
	var names []string
	for _, sub := range c.Commands() {
		if sub.HasSubCommands() {
			names = append(names, commandNames(sub)...)
		} else {
			names = append(names, sub.CommandPath())
		}
	}
	return names
}

func texts[T ~string](values []T) []string {
	var names []string
	for _, v := range values {
		names = append(names, string(v))
	}
	return names
}

// alertNames are what the engine's event types are called on call. The types are
// read from the source, since nothing else lists them.
func alertNames(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(repository, "statuspage/incident/input.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); !ok || id.Name != "EventType" {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		if a, ok := alert.FromEvent("", alert.Event{Event: incident.Event{Type: incident.EventType(value)}}); ok {
			names = append(names, a.Type)
		}
		return true
	})
	return names
}

func makeTargets(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):.*## `).FindAllStringSubmatch(string(text), -1) {
		names = append(names, "make "+m[1])
	}
	return names
}

func TestReadmeLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	text := readme(t)
	anchors := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		anchors[strings.ReplaceAll(strings.ToLower(m[1]), " ", "-")] = true
	}
	links := regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(text, -1)
	if len(links) < 20 {
		t.Fatalf("only %d links were found: the test reads them wrongly", len(links))
	}
	for _, m := range links {
		link := m[1]
		switch {
		case strings.HasPrefix(link, "https://"):
		case strings.HasPrefix(link, "#"):
			if !anchors[link[1:]] {
				t.Errorf("%s: there is no such heading", link)
			}
		default:
			if _, err := os.Stat(filepath.Join(repository, link)); err != nil {
				t.Errorf("%s: %v", link, err)
			}
		}
	}
}

// The configurations in the README are good as they stand.
func TestReadmeConfigurations(t *testing.T) {
	for _, name := range []string{"STREAMCANARY_KEY", "STREAMCANARY_KEY_AMS1", "STREAMCANARY_KEY_WAW1"} {
		t.Setenv(name, "0123456789abcdef-"+name)
	}
	files := regexp.MustCompile("(?ms)^```yaml\n# ([a-z]+\\.yaml)\n(.+?)^```$").FindAllStringSubmatch(readme(t), -1)
	if len(files) != 2 {
		t.Fatalf("%d configurations were found, want a hub's and an agent's", len(files))
	}
	for _, m := range files {
		path := filepath.Join(t.TempDir(), m[1])
		if err := os.WriteFile(path, []byte(m[2]), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := config.Load(path); err != nil {
			t.Errorf("%s: %v", m[1], err)
		}
	}
}
