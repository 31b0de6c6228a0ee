package web

import (
	"bytes"
	"fmt"
	"html/template"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

// markdown renders a postmortem. Raw HTML and addresses that run something are left
// out, which is goldmark's default; it was not given WithUnsafe.
func markdown(text string) (template.HTML, error) {
	if text == "" {
		return "", nil
	}
	var b bytes.Buffer
	if err := goldmark.New(goldmark.WithExtensions(extension.Table)).Convert([]byte(text), &b); err != nil {
		return "", fmt.Errorf("postmortem: %w", err)
	}
	return template.HTML(b.String()), nil //nolint:gosec // made by goldmark, without raw HTML
}
