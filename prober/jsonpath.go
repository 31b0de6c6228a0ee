package prober

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// JSONPath finds one value in a JSON document: a singular query of RFC 9535
// (2.3.5.1), which is names and indexes alone, as in $.result.items[0]['a b'].
type JSONPath struct {
	steps []jsonStep
}

type jsonStep struct {
	name  string
	index int  // valid when array
	array bool // of an array, from its end when negative
}

const maxJSONSteps = 32

// ParseJSONPath reads a path. Its error says what is wrong with it.
func ParseJSONPath(text string) (JSONPath, error) {
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return JSONPath{}, errors.New("does not begin with $")
	}
	var p JSONPath
	for rest != "" {
		if len(p.steps) == maxJSONSteps {
			return JSONPath{}, fmt.Errorf("has more than %d steps", maxJSONSteps)
		}
		step, after, err := nextJSONStep(rest)
		if err != nil {
			return JSONPath{}, err
		}
		p.steps, rest = append(p.steps, step), after
	}
	return p, nil
}

func nextJSONStep(s string) (step jsonStep, rest string, err error) {
	if s, ok := strings.CutPrefix(s, "."); ok {
		end := strings.IndexAny(s, ".[")
		if end < 0 {
			end = len(s)
		}
		name := s[:end]
		if name == "" || strings.ContainsAny(name, "*'\"]$@? \t\r\n") {
			return jsonStep{}, "", errors.New("has a step that is not a name; write a plain name, or ['any name']")
		}
		return jsonStep{name: name}, s[end:], nil
	}
	inner, ok := strings.CutPrefix(s, "[")
	if !ok {
		return jsonStep{}, "", errors.New("has something that is neither .name nor [index]")
	}
	if quote := inner[:min(1, len(inner))]; quote == "'" || quote == `"` {
		name, after, closed := strings.Cut(inner[1:], quote+"]")
		if !closed || strings.Contains(name, `\`) {
			return jsonStep{}, "", fmt.Errorf("has a name without its end; want [%sname%[1]s], without backslashes", quote)
		}
		return jsonStep{name: name}, after, nil
	}
	number, after, closed := strings.Cut(inner, "]")
	index, err := strconv.Atoi(number)
	if !closed || err != nil {
		return jsonStep{}, "", errors.New("has brackets without a whole number or a quoted name in them")
	}
	return jsonStep{index: index, array: true}, after, nil
}

// In gives what stands at the path of a document that encoding/json has read
// into an any, and whether anything does.
func (p JSONPath) In(document any) (value any, found bool) {
	for _, s := range p.steps {
		switch at := document.(type) {
		case map[string]any:
			if s.array {
				return nil, false
			}
			if document, found = at[s.name]; !found {
				return nil, false
			}
		case []any:
			i := s.index
			if i < 0 {
				i += len(at)
			}
			if !s.array || i < 0 || i >= len(at) {
				return nil, false
			}
			document = at[i]
		default:
			return nil, false
		}
	}
	return document, true
}

// JSONText writes a value as text: a string as it is, anything else as JSON.
func JSONText(value any) string {
	if s, ok := value.(string); ok {
		return s
	}
	b, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(b)
}
