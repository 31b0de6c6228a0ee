package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"streamcanary/prober"
	"streamcanary/prober/summary"
)

// A file takes its place whole, and keeps what a link or its mode say.
func TestOutFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	old := filepath.Join(folder, "old")
	if err := os.WriteFile(old, []byte("before"), 0o640); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(folder, "link")
	if err := os.Symlink("old", link); err != nil {
		t.Fatal(err)
	}
	f, err := openOut(link)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, "after"); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(old); string(got) != "before" {
		t.Errorf("before the end it is %q", got)
	}
	if err := f.commit(); err != nil {
		t.Fatal(err)
	}
	got, _ := os.ReadFile(old)
	info, err := os.Lstat(old)
	if err != nil || string(got) != "after" || info.Mode() != 0o640 {
		t.Errorf("it is %q with mode %v, %v; want after, and 0640", got, info.Mode(), err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
	onlyFiles(t, folder, "link", "old")
}

func onlyFiles(t *testing.T, folder string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if strings.Join(names, " ") != strings.Join(want, " ") {
		t.Errorf("in the folder are %q, want %q", names, want)
	}
}

// What was not finished leaves what was there.
func TestOutFileDiscarded(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	f, err := openOut(filepath.Join(folder, "new"))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(f, "half")
	f.discard()
	onlyFiles(t, folder)
}

// A device is written to, and not replaced.
func TestOutFileDevice(t *testing.T) {
	t.Parallel()
	f, err := openOut(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(f, "nothing")
	if err := f.commit(); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("%s is %v, %v", os.DevNull, info.Mode(), err)
	}
}

// What cannot be written is known before, in words that say what to do.
func TestOpenFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, tt := range map[string]struct {
		o    probeOutputs
		want string
	}{
		"no folder":    {probeOutputs{junit: filepath.Join(folder, "none", "x.xml")}, "--junit " + filepath.Join(folder, "none", "x.xml") + " cannot be written: no such file or directory; name a file in a folder"},
		"a folder":     {probeOutputs{html: folder}, "--html " + folder + " cannot be written: it is a folder"},
		"one of three": {probeOutputs{report: filepath.Join(folder, "a"), junit: filepath.Join(folder, "b"), html: filepath.Join(folder, "none", "c")}, "--html "},
	} {
		_, err := tt.o.openFiles()
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) || tell(err, io.Discard) != exitUsage {
			t.Errorf("%s: %v, want one that begins with %q, and exit code 2", name, err, tt.want)
		}
	}
	onlyFiles(t, folder)
}

func TestCheckOutputs(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		o    probeOutputs
		json bool
		want string // "" is none
	}{
		"nothing":          {probeOutputs{}, true, ""},
		"report to stdout": {probeOutputs{report: "-"}, false, ""},
		"json and report":  {probeOutputs{report: "-"}, true, "--json and --report - both write to standard output"},
		"junit to stdout":  {probeOutputs{junit: "-"}, false, "only --report writes to standard output"},
		"html to stdout":   {probeOutputs{html: "-"}, false, "only --report writes to standard output"},
		"one file twice":   {probeOutputs{report: "x", html: "./x"}, false, "--report and --html name the same file ./x"},
	} {
		err := tt.o.checkOutputs(tt.json)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// All three are written, or what is missing is told.
func TestWriteFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	files, err := probeOutputs{report: at("r.txt"), junit: at("r.xml"), html: at("r.html")}.openFiles()
	if err != nil {
		t.Fatal(err)
	}
	if err := files.write(summary.Summary{Mode: summary.ModeGoLive, Outcome: prober.Pass}); err != nil {
		t.Fatal(err)
	}
	onlyFiles(t, folder, "r.html", "r.txt", "r.xml")
	for name, begins := range map[string]string{"r.txt": "## streamcanary probe: PASS", "r.xml": "<?xml ", "r.html": "<!DOCTYPE html>"} {
		if got, err := os.ReadFile(at(name)); err != nil || !strings.HasPrefix(string(got), begins) {
			t.Errorf("%s: %.60q, %v", name, got, err)
		}
	}
	files, err = probeOutputs{report: at("again")}.openFiles()
	if err != nil {
		t.Fatal(err)
	}
	files.files[0].file.Close() // as if the disk were gone
	if err := files.write(summary.Summary{}); err == nil || !strings.HasPrefix(err.Error(), "--report "+at("again")+" was not written: ") {
		t.Errorf("a file that cannot be written: %v", err)
	}
	onlyFiles(t, folder, "r.html", "r.txt", "r.xml")
}
