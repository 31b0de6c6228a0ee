package prober_test

import (
	"encoding/json"
	"strings"
	"testing"

	"streamcanary/prober"
)

const document = `{"result":{"items":[{"id":"a"},{"id":7},{"a b":true}],"none":null},"":"empty"}`

func TestJSONPath(t *testing.T) {
	t.Parallel()
	var in any
	d := json.NewDecoder(strings.NewReader(document))
	d.UseNumber()
	if err := d.Decode(&in); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"$.result.items[0].id":         "a",
		"$.result.items[1].id":         "7",
		"$['result'].items[-1]['a b']": "true",
		`$["result"]["none"]`:          "null",
		"$['']":                        "empty",
		"$.result.items[2]":            `{"a b":true}`,
	} {
		p, err := prober.ParseJSONPath(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if got, found := p.In(in); !found || prober.JSONText(got) != want {
			t.Errorf("%s: %v, %v; want %s", path, got, found, want)
		}
	}
	for _, path := range []string{"$.nothing", "$.result[0]", "$.result.items.id", "$.result.items[3]", "$.result.items[-4]", "$.result.items[0].id.x"} {
		p, err := prober.ParseJSONPath(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if got, found := p.In(in); found {
			t.Errorf("%s: found %v", path, got)
		}
	}
}

func TestJSONPathRefuses(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"": "begin with $", "a.b": "begin with $", "$a": "neither", "$.": "not a name", "$..a": "not a name",
		"$.*": "not a name", "$[*]": "whole number", "$[1:2]": "whole number", "$['a": "without its end", `$['a\'b']`: "without",
		"$[?@.a]": "whole number", "$[0": "whole number", "$" + strings.Repeat(".a", 33): "more than 32",
	} {
		if _, err := prober.ParseJSONPath(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", path, err, want)
		}
	}
}

func FuzzJSONPath(f *testing.F) {
	f.Add("$.result.items[0]['a b']", document)
	f.Add("$[-1]", "[1]")
	f.Add("$['", "{}")
	f.Fuzz(func(_ *testing.T, path, doc string) {
		p, err := prober.ParseJSONPath(path)
		if err != nil {
			return
		}
		var in any
		if json.Unmarshal([]byte(doc), &in) == nil {
			value, _ := p.In(in)
			prober.JSONText(value)
		}
	})
}
