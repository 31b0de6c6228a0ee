package media_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"streamcanary/prober/media"
)

// Every section that the sources name is listed, so that its severity can be set.
func TestSections(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`"((?:RFC|ISO/IEC|ITU-R) [^"]*[0-9])"`)
	count := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "checker.go" {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(source), -1) {
			if count++; !slices.Contains(media.Sections(), m[1]) {
				t.Errorf("%s: section %q is not listed", name, m[1])
			}
		}
	}
	if count < 10 {
		t.Errorf("only %d sections in the sources", count)
	}
}
