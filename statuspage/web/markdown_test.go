package web

import (
	"strings"
	"testing"
)

// TestMarkdown: a postmortem is text. It brings no elements of its own, and runs
// nothing.
func TestMarkdown(t *testing.T) {
	t.Parallel()
	got, err := markdown("# A & B\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) <b onclick=a()>bold</b> [y](https://example.com)\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<h1>A &amp; B</h1>", `<a href="https://example.com">y</a>`, "<td>1</td>", "bold"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	for _, never := range []string{"<script", "javascript:", "onclick", "<b "} {
		if strings.Contains(string(got), never) {
			t.Errorf("%s in %s", never, got)
		}
	}
	if none, err := markdown(""); none != "" || err != nil {
		t.Errorf("%q, %v", none, err)
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, s := range []string{"", "# a", "<script>", "[a](javascript:b)", "![a](data:text/html,b)", "| a |\n|---|\n| <i> |", "<!-- x -->", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := markdown(text)
		if err != nil || strings.Contains(strings.ToLower(string(got)), "<script") || strings.Contains(string(got), "href=\"javascript:") {
			t.Errorf("%v: %s", err, got)
		}
	})
}
