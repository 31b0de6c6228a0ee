package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever is in a file, it becomes domain values or an *Error whose problems
// have lines of the file; never a panic.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/*.yaml", "testdata/bad/*.yaml", "../deploy/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	// No input may open a file or block on one.
	secrets := around()
	secrets.readSecret = func(path string) ([]byte, error) {
		if strings.Contains(path, "no-such-file") {
			return nil, os.ErrNotExist
		}
		return []byte("from a file: " + path), nil
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := parse("fuzz.yaml", data, secrets)
		if err == nil {
			if (file.Hub == nil) == (file.Agent == nil) {
				t.Fatalf("neither hub nor agent, or both: %+v", file)
			}
			_ = file.Summary()
			return
		}
		mistakes, ok := errors.AsType[*Error](err)
		if !ok || len(mistakes.Problems) == 0 {
			t.Fatalf("got %v, want an *Error with problems", err)
		}
		// YAML counts more breaks than \n: a bound is enough.
		most := len(data) + 1
		for _, p := range mistakes.Problems {
			if p.Line < 0 || p.Line > most {
				t.Errorf("line %d of %d", p.Line, most)
			}
			if strings.TrimSpace(p.Wrong) == "" {
				t.Errorf("a problem without a text at %s", p.Path)
			}
		}
	})
}
