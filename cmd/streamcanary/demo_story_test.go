package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestWrap(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text  string
		width int
		want  []string
	}{
		"short":         {"all is well", 11, []string{"all is well"}},
		"at a space":    {"all is well again", 12, []string{"all is well", "again"}},
		"exactly":       {"all is well again", 11, []string{"all is well", "again"}},
		"long word":     {"see http://127.0.0.1:8080/ there", 10, []string{"see", "http://127.0.0.1:8080/", "there"}},
		"one long word": {"http://127.0.0.1:8080/", 10, []string{"http://127.0.0.1:8080/"}},
		"line ends":     {"first\nsecond line", 8, []string{"first", "second", "line"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := wrap(c.text, c.width); !slices.Equal(got, c.want) {
				t.Errorf("wrap(%q, %d) = %q, want %q", c.text, c.width, got, c.want)
			}
		})
	}
}

// What is read by a program, or kept in a file, has one line for each line.
func TestStoryKeepsLinesWholeInAFile(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	long := strings.Repeat("word ", 100) + "end"
	newStory(&b, false).say("page", long+"\nsecond")
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) != 2 || !strings.HasSuffix(lines[0], long) || lines[1] != strings.Repeat(" ", storyIndent)+"second" {
		t.Errorf("told as %q", lines)
	}
}
