package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "streamcanary"

// arrows says which of our packages each of them may import, tests aside. What
// is not here does not exist yet: a new package needs a line, and a reason.
func arrows() map[string][]string {
	return map[string][]string{
		"cmd/streamcanary": {"*"},
		"config":           {"prober", "prober/schedule", "statuspage/incident"},

		"prober":                       {},
		"prober/signal":                {"prober"},
		"prober/rtmp":                  {"prober"},
		"prober/media":                 {"prober"},
		"prober/proof":                 {"prober"},
		"prober/hls":                   {"prober", "prober/media"},
		"prober/platform":              {"prober"},
		"prober/platform/platformtest": {}, // of tests
		"prober/api":                   {"prober"},
		"prober/schedule":              {"prober"},
		"prober/report":                {"prober"},
		"prober/agent":                 {"prober", "prober/report", "prober/schedule"},
		"prober/origin":                {"prober"},
		"prober/host":                  {"prober"},
		"prober/summary":               {"prober"},

		"statuspage/incident":   {"prober"},
		"statuspage":            {"prober", "statuspage/incident"},
		"statuspage/store":      {"prober", "statuspage/incident"},
		"statuspage/alert":      {"prober", "statuspage/incident"},
		"statuspage/web":        {"statuspage"},
		"statuspage/postmortem": {"prober", "statuspage/incident"},
		"statuspage/backtest":   {"prober", "prober/report", "statuspage/incident"},
		"statuspage/hub": {"prober", "prober/report", "prober/schedule", "statuspage",
			"statuspage/incident", "statuspage/backtest", "statuspage/postmortem", "statuspage/store", "statuspage/alert", "statuspage/web"},
	}
}

// onlyIn says which of our packages may import a module of others.
func onlyIn() map[string][]string {
	return map[string][]string{
		"github.com/spf13/viper":            {"config"},
		"go.yaml.in/yaml":                   {"config"},
		"github.com/spf13/cobra":            {"cmd/streamcanary"},
		"charm.land/bubbletea":              {"cmd/streamcanary"},
		"github.com/charmbracelet":          {"cmd/streamcanary"},
		"github.com/yutopp/go-rtmp":         {"prober/rtmp", "prober/origin"},
		"github.com/grafov/m3u8":            {"prober/hls"},
		"github.com/robfig/cron":            {"prober/schedule"},
		"github.com/bluenviron/gohlslib":    {"prober/origin"},
		"github.com/quic-go/quic-go":        {"prober/hls"},
		"github.com/pressly/goose":          {"statuspage/store"},
		"github.com/nats-io/nats.go":        {"prober/report", "statuspage/hub"},
		"github.com/nats-io/nats-server":    {"statuspage/hub"},
		"github.com/yuin/goldmark":          {"statuspage/web"},
		"github.com/beevik/ntp":             {"prober/host"},
		"github.com/bluenviron/mediacommon": {"prober/media", "prober/origin"},
	}
}

// standardOnly may import nothing but the standard library and our own.
func standardOnly() []string {
	return []string{"prober", "statuspage/incident"}
}

// impure are packages that the engine must not know: it is a fold.
func impure() []string {
	return []string{"context", "log", "log/slog", "math/rand", "math/rand/v2", "crypto/rand", "os", "net", "net/http", "io", "sync"}
}

// goPackage is what the checks need to know of a folder with Go files, without
// its tests.
type goPackage struct {
	folder  string // relative to the repository, with slashes
	name    string
	comment string
	imports []string
	inits   []string // positions of init functions
}

func TestArrows(t *testing.T) {
	t.Parallel()
	packages, err := readPackages(os.DirFS(repository))
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) < 3 {
		t.Fatalf("only %d packages found in %s", len(packages), repository)
	}
	for _, wrong := range brokenRules(packages) {
		t.Error(wrong)
	}
}

// TestTopLevel leaves files alone: a developer's own may lie there.
func TestTopLevel(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(repository)
	if err != nil {
		t.Fatal(err)
	}
	agreed := []string{"bin", "cmd", "config", "deploy", "prober", "statuspage"}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && !slices.Contains(agreed, e.Name()) {
			t.Errorf("%s: beside the agreed top level; move it below cmd, config, deploy, prober or statuspage", e.Name())
		}
	}
}

// The checks themselves find what they are for.
func TestBrokenRules(t *testing.T) {
	t.Parallel()
	source := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for _, tt := range []struct{ name, file, text, want string }{
		{"arrow", "prober/hls/a.go", "// Package hls follows.\npackage hls\nimport _ \"streamcanary/prober/rtmp\"", "prober/hls imports streamcanary/prober/rtmp: "},
		{"config in a test helper", "statuspage/web/a.go", "// Package web shows.\npackage web\nimport _ \"streamcanary/config\"", "statuspage/web imports streamcanary/config: "},
		{"only importer", "prober/rtmp/a.go", "// Package rtmp pushes.\npackage rtmp\nimport _ \"github.com/grafov/m3u8\"", "prober/rtmp imports github.com/grafov/m3u8: only prober/hls may"},
		{"versioned importer", "prober/agent/a.go", "// Package agent runs.\npackage agent\nimport _ \"github.com/robfig/cron/v3\"", "prober/agent imports github.com/robfig/cron/v3: only prober/schedule may"},
		{"leaf", "prober/a.go", "// Package prober names.\npackage prober\nimport _ \"golang.org/x/sync/errgroup\"", "prober imports golang.org/x/sync/errgroup: only the standard library may"},
		{"engine", "statuspage/incident/a.go", "// Package incident decides.\npackage incident\nimport _ \"context\"", "statuspage/incident imports context: the engine is pure"},
		{"unknown package", "prober/extra/a.go", "// Package extra is new.\npackage extra", "prober/extra: is not in the table of arrows"},
		{"name", "prober/util/a.go", "// Package util is a heap.\npackage util", "prober/util: a package called util"},
		{"init", "config/a.go", "// Package config loads.\npackage config\nfunc init() {}", "config/a.go:3: has an init function"},
		{"no comment", "config/a.go", "package config", "config: the package comment opens with 0 sentences"},
		{"long comment", "config/a.go", "// Package config loads. It does. It did. It is done.\npackage config", "config: the package comment opens with 4 sentences"},
	} {
		packages, err := readPackages(fstest.MapFS{tt.file: source(tt.text)})
		if err != nil {
			t.Fatal(err)
		}
		found := brokenRules(packages)
		if !slices.ContainsFunc(found, func(s string) bool { return strings.HasPrefix(s, tt.want) }) {
			t.Errorf("%s: got %q, want one that begins with %q", tt.name, found, tt.want)
		}
	}
	good := fstest.MapFS{
		"config/a.go":      source("// Package config loads. It is alone.\npackage config\nimport _ \"github.com/spf13/viper\"\nimport _ \"streamcanary/prober\""),
		"config/a_test.go": source("package config\nimport _ \"streamcanary/statuspage/web\"\nfunc init() {}"),
	}
	packages, err := readPackages(good)
	if err != nil {
		t.Fatal(err)
	}
	if found := brokenRules(packages); len(found) > 0 {
		t.Errorf("a good package: %q", found)
	}
}

// brokenRules says which rule each package breaks, in words for who broke it.
func brokenRules(packages map[string]*goPackage) []string {
	var broken []string
	for _, folder := range slices.Sorted(maps.Keys(packages)) {
		p := packages[folder]
		allowed, known := arrows()[folder]
		if !known {
			broken = append(broken, folder+": is not in the table of arrows; add it with what it may import")
		}
		if slices.Contains([]string{"util", "utils", "common", "types", "model", "models", "helpers"}, p.name) {
			broken = append(broken, fmt.Sprintf("%s: a package called %s says nothing; name it after what it is for", folder, p.name))
		}
		for _, at := range p.inits {
			broken = append(broken, at+": has an init function; construct it in cmd and hand it in")
		}
		if n := sentences(p.comment); n < 1 || n > 3 {
			broken = append(broken, fmt.Sprintf("%s: the package comment opens with %d sentences; one or two, or three, say what it is for and what it must not know", folder, n))
		}
		for _, imported := range p.imports {
			if why := refused(folder, imported, allowed); known && why != "" {
				broken = append(broken, fmt.Sprintf("%s imports %s: %s", folder, imported, why))
			}
		}
	}
	return broken
}

// refused says why folder may not import a package, or "".
func refused(folder, imported string, allowed []string) string {
	if own, ok := strings.CutPrefix(imported, module+"/"); ok {
		if slices.Contains(allowed, "*") || slices.Contains(allowed, own) {
			return ""
		}
		return fmt.Sprintf("the arrow is not in the design; it may import %q", allowed)
	}
	for other, folders := range onlyIn() {
		if (imported == other || strings.HasPrefix(imported, other+"/")) && !slices.Contains(folders, folder) {
			return "only " + strings.Join(folders, " and ") + " may"
		}
	}
	first, _, _ := strings.Cut(imported, "/")
	if strings.Contains(first, ".") && slices.Contains(standardOnly(), folder) {
		return "only the standard library may be imported there"
	}
	if folder == "statuspage/incident" && slices.Contains(impure(), imported) {
		return "the engine is pure"
	}
	return ""
}

// sentences counts those in the first paragraph of a package comment.
func sentences(comment string) int {
	first, _, _ := strings.Cut(strings.TrimSpace(comment), "\n\n")
	return len(regexp.MustCompile(`[.!?](\s|$)`).FindAllString(first, -1))
}

// readPackages reads every Go package below tree, without tests and testdata.
func readPackages(tree fs.FS) (map[string]*goPackage, error) {
	packages := map[string]*goPackage{}
	err := fs.WalkDir(tree, ".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != "." && (d.Name() == "testdata" || d.Name() == "bin" || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		folder := path.Dir(file)
		if packages[folder] == nil {
			packages[folder] = &goPackage{folder: folder}
		}
		return packages[folder].read(tree, file)
	})
	return packages, err
}

func (p *goPackage) read(tree fs.FS, name string) error {
	source, err := fs.ReadFile(tree, name)
	if err != nil {
		return err
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	p.name = file.Name.Name
	p.comment += file.Doc.Text()
	for _, i := range file.Imports {
		imported, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return err
		}
		if !slices.Contains(p.imports, imported) {
			p.imports = append(p.imports, imported)
		}
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			at := set.Position(f.Pos())
			p.inits = append(p.inits, fmt.Sprintf("%s:%d", name, at.Line))
		}
	}
	return nil
}
