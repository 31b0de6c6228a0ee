package summary_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"streamcanary/prober/summary"

	"golang.org/x/net/html"
)

// nodes are all elements of a page.
func nodes(t *testing.T, s summary.Summary) []*html.Node {
	t.Helper()
	var out bytes.Buffer
	if err := s.HTML(&out); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(&out)
	if err != nil {
		t.Fatal(err)
	}
	var all []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			all = append(all, n)
		}
	}
	return all
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// A page loads nothing, runs nothing and sends nobody anywhere, whatever a server
// names things; and it forbids that itself.
func TestHTMLAlone(t *testing.T) {
	t.Parallel()
	for name, s := range fixtures() {
		policy := ""
		for _, n := range nodes(t, s) {
			switch n.Data {
			case "script", "link", "img", "iframe", "object", "embed", "form", "a", "base":
				t.Errorf("%s: an element %s", name, n.Data)
			case "meta":
				if attribute(n, "http-equiv") == "Content-Security-Policy" {
					policy = attribute(n, "content")
				}
			case "style":
				if css := n.FirstChild.Data; strings.Contains(css, "url(") || strings.Contains(css, "@import") || strings.Contains(css, "ZgotmplZ") {
					t.Errorf("%s: its style loads something", name)
				}
			}
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "src" || a.Key == "href" || a.Key == "action" || strings.Contains(a.Val, "ZgotmplZ") {
					t.Errorf("%s: %s has %s=%q", name, n.Data, a.Key, a.Val)
				}
			}
		}
		if policy != "default-src 'none'; style-src 'unsafe-inline'" {
			t.Errorf("%s: its policy is %q", name, policy)
		}
	}
}

// paths are the lines of charts, as drawn.
func paths(t *testing.T, s summary.Summary) []string {
	t.Helper()
	var all []string
	for _, n := range nodes(t, s) {
		if n.Data == "path" && strings.HasPrefix(attribute(n, "class"), "line") {
			all = append(all, attribute(n, "d"))
		}
	}
	return all
}

// A line is broken where nothing was measured, and what stands alone is a dot.
func TestCharts(t *testing.T) {
	t.Parallel()
	sample := func(second int, sent int64) summary.Sample {
		s := summary.Unmeasured(began().Add(time.Duration(second) * time.Second))
		s.Sent = sent
		return s
	}
	for name, tt := range map[string]struct {
		samples []summary.Sample
		want    string
	}{
		"none":           {nil, ""},
		"none measured":  {[]summary.Sample{sample(0, -1), sample(5, -1)}, ""},
		"one":            {[]summary.Sample{sample(5, 1_000_000)}, "M500.0 0.0h.01"},
		"a line":         {[]summary.Sample{sample(0, 0), sample(5, 500_000), sample(10, 1_000_000)}, "M0.0 100.0L500.0 50.0L1000.0 0.0"},
		"zero":           {[]summary.Sample{sample(0, 0), sample(10, 0)}, "M0.0 100.0L1000.0 100.0"},
		"a gap":          {[]summary.Sample{sample(0, 1_000_000), sample(1, 1_000_000), sample(2, -1), sample(3, 1_000_000), sample(4, -1)}, "M0.0 0.0L100.0 0.0 M300.0 0.0h.01"},
		"alone at first": {[]summary.Sample{sample(0, 1_000_000), sample(1, -1), sample(2, 1_000_000), sample(3, 1_000_000)}, "M200.0 0.0L300.0 0.0 M0.0 0.0h.01"},
		"long unsampled": {[]summary.Sample{sample(0, 1_000_000), sample(1, 1_000_000), sample(2, 1_000_000), sample(9, 1_000_000), sample(10, 1_000_000)}, "M0.0 0.0L100.0 0.0L200.0 0.0M900.0 0.0L1000.0 0.0"},
	} {
		got := paths(t, summary.Summary{Began: began(), Ended: began().Add(10 * time.Second), Samples: tt.samples})
		if joined := strings.Join(got, " "); joined != tt.want {
			t.Errorf("%s: drawn %q, want %q", name, joined, tt.want)
		}
	}
}
