package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in a file: where, what is wrong, what would be right.
// It never holds a secret's value.
type Problem struct {
	Line  int    // from 1; 0 when it is about no place in the file
	Path  string // key path, such as targets[0].ingests[1].url; "" for the whole file
	Wrong string
	Right string
}

func (p Problem) String() string {
	text := p.Wrong
	if p.Right != "" {
		text += "; " + p.Right
	}
	if p.Path == "" {
		return text
	}
	return p.Path + ": " + text
}

// Error is every mistake that was found in one file, in the order of its lines.
type Error struct {
	File     string
	Problems []Problem // at least one
}

// Error gives one line for each problem, as compilers do: file:line: key: text.
func (e *Error) Error() string {
	lines := make([]string, 0, len(e.Problems))
	for _, p := range e.Problems {
		place := e.File
		if p.Line > 0 {
			place = fmt.Sprintf("%s:%d", e.File, p.Line)
		}
		lines = append(lines, place+": "+p.String())
	}
	return strings.Join(lines, "\n")
}

// checker collects problems and knows the line of every key path.
type checker struct {
	surroundings
	dir      string // relative paths in the file count from here
	lines    map[string]int
	wrong    map[string]bool // paths whose value could not be read: nothing more is said of them
	problems []Problem
	warnings []string
	literals []string // paths of secrets that stand in the file itself
}

// unreadable reports a value that has the wrong shape, and so mutes what the
// later checks would say of it.
func (c *checker) unreadable(path string, line int, wrong, right string) {
	c.wrong[path] = true
	c.problems = append(c.problems, Problem{Line: line, Path: path, Wrong: wrong, Right: right})
}

// addf reports that the value at path is wrong; the format says why and what
// would be right, with a semicolon between them.
func (c *checker) addf(path, format string, args ...any) {
	if c.muted(path) {
		return
	}
	wrong, right, _ := strings.Cut(fmt.Sprintf(format, args...), "; ")
	c.problems = append(c.problems, Problem{Line: c.line(path), Path: path, Wrong: wrong, Right: right})
}

func (c *checker) warnf(format string, args ...any) {
	c.warnings = append(c.warnings, fmt.Sprintf(format, args...))
}

// muted says whether path, or what it lies in, could not be read.
func (c *checker) muted(path string) bool {
	for ; path != ""; path = parent(path) {
		if c.wrong[path] {
			return true
		}
	}
	return false
}

// clean says whether nothing was reported of path, or of what lies in it.
func (c *checker) clean(path string) bool {
	return !slices.ContainsFunc(c.problems, func(p Problem) bool { return strings.HasPrefix(p.Path, path) })
}

// line is that of path, or of the nearest thing around it that is in the file.
func (c *checker) line(path string) int {
	for ; path != ""; path = parent(path) {
		if line, ok := c.lines[path]; ok {
			return line
		}
	}
	return 0
}

// parent cuts the last step off a key path.
func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}

func (c *checker) err(file string) error {
	if len(c.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(c.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return &Error{File: file, Problems: c.problems}
}
