package summary_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"streamcanary/prober"
	"streamcanary/prober/summary"
)

// element is any element of an XML document.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []element  `xml:",any"`
	Text     string     `xml:",chardata"`
}

func (e element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// rule is what the schema that Jenkins publishes (junit-10.xsd) says of an element;
// that a case has a classname is what others want.
type rule struct {
	required, optional []string // attributes
	children           []string
}

func schema() map[string]rule {
	return map[string]rule{
		"testsuites": {nil, []string{"name", "time", "tests", "failures", "errors"}, []string{"testsuite"}},
		"testsuite": {[]string{"name", "tests", "failures", "errors"}, []string{"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
			[]string{"testsuite", "properties", "testcase", "system-out", "system-err"}},
		"properties": {nil, nil, []string{"property"}},
		"property":   {[]string{"name", "value"}, nil, nil},
		"testcase":   {[]string{"name", "classname"}, []string{"time", "group"}, []string{"skipped", "error", "failure", "rerunFailure", "rerunError", "flakyFailure", "flakyError", "system-out", "system-err"}},
		"failure":    {nil, []string{"type", "message"}, nil},
		"error":      {nil, []string{"type", "message"}, nil},
		"skipped":    {nil, []string{"type", "message"}, nil},
		"system-out": {}, "system-err": {},
	}
}

// broken says what of an element is not as the schema has it.
func (e element) broken(path string) []string {
	var wrong []string
	path += "/" + e.XMLName.Local
	r, known := schema()[e.XMLName.Local]
	if !known {
		return []string{path + ": not known"}
	}
	for _, name := range r.required {
		if e.attr(name) == "" {
			wrong = append(wrong, path+": no "+name)
		}
	}
	for _, a := range e.Attrs {
		if !slices.Contains(r.required, a.Name.Local) && !slices.Contains(r.optional, a.Name.Local) {
			wrong = append(wrong, path+": attribute "+a.Name.Local)
		}
		switch a.Name.Local {
		case "tests", "failures", "errors", "skipped":
			if n, err := strconv.Atoi(a.Value); err != nil || n < 0 {
				wrong = append(wrong, path+": "+a.Name.Local+" is "+a.Value)
			}
		case "time":
			if !regexp.MustCompile(`^[0-9]+\.[0-9]{3}$`).MatchString(a.Value) {
				wrong = append(wrong, path+": time is "+a.Value)
			}
		case "timestamp":
			if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$`).MatchString(a.Value) {
				wrong = append(wrong, path+": timestamp is "+a.Value)
			}
		}
	}
	for _, c := range e.Children {
		if !slices.Contains(r.children, c.XMLName.Local) {
			wrong = append(wrong, path+": has "+c.XMLName.Local)
		}
		wrong = append(wrong, c.broken(path)...)
	}
	return wrong
}

func parse(t *testing.T, document []byte) element {
	t.Helper()
	dec := xml.NewDecoder(bytes.NewReader(document))
	var root element
	if err := dec.Decode(&root); err != nil {
		t.Fatalf("it is no XML: %v", err)
	}
	if _, err := dec.Token(); err != nil && !errors.Is(err, io.EOF) {
		t.Fatalf("after its end: %v", err)
	}
	return root
}

func junit(t *testing.T, s summary.Summary) element {
	t.Helper()
	var out bytes.Buffer
	if err := s.JUnit(&out); err != nil {
		t.Fatal(err)
	}
	return parse(t, out.Bytes())
}

// Every document is as the schema has it, counts what is in it, and names no case twice.
func TestJUnitSchema(t *testing.T) {
	t.Parallel()
	for name, s := range fixtures() {
		root := junit(t, s)
		if root.XMLName.Local != "testsuites" || len(root.Children) != 1 {
			t.Fatalf("%s: the root is %s of %d", name, root.XMLName.Local, len(root.Children))
		}
		for _, wrong := range root.broken("") {
			t.Errorf("%s: %s", name, wrong)
		}
		suite := root.Children[0]
		count, seen := map[string]int{}, map[string]bool{}
		for _, c := range suite.Children {
			if c.XMLName.Local != "testcase" {
				continue
			}
			count["tests"]++
			id := c.attr("classname") + "/" + c.attr("name")
			if seen[id] {
				t.Errorf("%s: case %s twice", name, id)
			}
			seen[id] = true
			ends := 0
			for _, r := range c.Children {
				switch r.XMLName.Local {
				case "failure":
					count["failures"]++
					ends++
				case "error":
					count["errors"]++
					ends++
				case "skipped":
					count["skipped"]++
					ends++
				}
			}
			if ends > 1 {
				t.Errorf("%s: case %s ends in %d ways", name, id, ends)
			}
		}
		for _, what := range []string{"tests", "failures", "errors", "skipped"} {
			if got := suite.attr(what); got != strconv.Itoa(count[what]) {
				t.Errorf("%s: %s=%s, and there are %d", name, what, got, count[what])
			}
		}
	}
}

// The check itself finds what it is for.
func TestJUnitSchemaCheck(t *testing.T) {
	t.Parallel()
	for document, want := range map[string]string{
		`<testsuites><testsuite tests="1"/></testsuites>`:                                                         "/testsuites/testsuite: no name",
		`<testsuites><testsuite name="x" tests="one"/></testsuites>`:                                              "/testsuites/testsuite: tests is one",
		`<testsuites><testsuite name="x" tests="1"><case/></testsuite></testsuites>`:                              "/testsuites/testsuite: has case",
		`<testsuites skipped="1"/>`:                                                                               "/testsuites: attribute skipped",
		`<testsuites><testsuite name="x" tests="0" timestamp="2026-04-08T12:00:00Z"/></testsuites>`:               "/testsuites/testsuite: timestamp is 2026-04-08T12:00:00Z",
		`<testsuites><testsuite name="x" tests="1"><testcase name="y" time="1s"/></testsuite></testsuites>`:       "/testsuites/testsuite/testcase: no classname",
		`<testsuites><testsuite name="x" tests="1"><failure message="y"/></testsuite></testsuites>`:               "/testsuites/testsuite: has failure",
		`<testsuites><testsuite name="x" tests="0"><properties><property/></properties></testsuite></testsuites>`: "/testsuites/testsuite/properties/property: no name",
	} {
		if wrong := parse(t, []byte(document)).broken(""); !slices.Contains(wrong, want) {
			t.Errorf("%s: %q, want %q", document, wrong, want)
		}
	}
}

// A CI fails for what makes the probe fail, and for nothing else.
func TestJUnitVerdicts(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct{ failures, errors string }{
		"golive":   {"0", "0"},
		"refused":  {"2", "0"}, // connect, and the verdict
		"canary":   {"2", "0"}, // ingest, and the verdict: what should be fixed is no failure
		"playback": {"0", "0"},
		"hostile":  {"3", "0"}, // manifest, a rule, and the verdict
		"nothing":  {"0", "1"},
	} {
		suite := junit(t, fixtures()[name]).Children[0]
		if f, e := suite.attr("failures"), suite.attr("errors"); f != want.failures || e != want.errors {
			t.Errorf("%s: %s failures and %s errors, want %s and %s", name, f, e, want.failures, want.errors)
		}
	}
}

// A CI compares runs by their cases: those of one mode are the same whatever happened.
func TestJUnitCasesStay(t *testing.T) {
	t.Parallel()
	cases := func(name string) string {
		var names []string
		for _, c := range junit(t, fixtures()[name]).Children[0].Children {
			if c.XMLName.Local == "testcase" {
				names = append(names, c.attr("name"))
			}
		}
		return strings.Join(names, "\n")
	}
	for a, b := range map[string]string{"golive": "refused", "canary": "nothing", "playback": "hostile"} {
		if cases(a) != cases(b) {
			t.Errorf("%s has the cases\n%s\nand %s\n%s", a, cases(a), b, cases(b))
		}
	}
}

// Each finding is in the group of the longest section that it stands in.
func TestRuleGroups(t *testing.T) {
	t.Parallel()
	for section, want := range map[string]string{
		"6.2.1": "General Server Responsibilities (RFC 8216bis 6.2.1)", "4.4.4.9": "Media Segment Tags (RFC 8216bis 4.4.4)",
		"4.4": "Playlist structure (RFC 8216bis 4.1 to 4.4.2)", "8": "Playlist structure (RFC 8216bis 4.1 to 4.4.2)",
		"4.4.2.2": "Playlist structure (RFC 8216bis 4.1 to 4.4.2)", "6.2.5.2": "Low latency (RFC 8216bis 6.2.5, 6.2.6)",
		"RFC 8216bis 3.1": "Media Segments (RFC 8216bis 3)", "RFC 8216bis 4.4.6.2": "Multivariant Playlist Tags (RFC 8216bis 4.4.6)",
		"ISO/IEC 13818-1 2.4.3.3": "MPEG-TS (ISO/IEC 13818-1)", "ISO/IEC 14496-12 8.8": "fMP4 (ISO/IEC 14496-12)",
		"RTMP 1.0 5.4.1": "RTMP", "NetConnection.Connect.Rejected, ex.code 302": "RTMP", "enhanced RTMP v2, reconnect request": "RTMP", "every_address": "RTMP",
		"": "other rules", "RFC 9111 5.1": "other rules", "6.2.10": "other rules",
	} {
		s := summary.Summary{Mode: summary.ModeCanary, Findings: []prober.Finding{{Section: section, Severity: prober.SeverityFail, Reason: "it"}}}
		var got []string
		for _, c := range junit(t, s).Children[0].Children {
			if c.attr("classname") == "streamcanary.canary.rules" && slices.ContainsFunc(c.Children, func(e element) bool { return e.XMLName.Local == "failure" }) {
				got = append(got, c.attr("name"))
			}
		}
		if fmt.Sprint(got) != fmt.Sprint([]string{want}) {
			t.Errorf("section %q is in %q, want %q", section, got, want)
		}
	}
}
