package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// secretText is a secret as the file has it: a literal or ${NAME}. Nothing may
// print it.
type secretText string

// dateText is a day, YYYY-MM-DD, which YAML takes for a time.
type dateText string

// timeText is a moment as of RFC 3339, which YAML takes for a time as well.
type timeText string

// walk compares a node with the type that it will be decoded to, notes the line
// of every key, and reports whatever does not fit. viper by itself would accept
// keys in the wrong case, unknown empty maps and durations without a unit. What
// does not fit becomes empty in the tree, so that the rest can be decoded.
func (c *checker) walk(path string, node *yaml.Node, want reflect.Type) {
	c.walkValue(path, node, want)
	if c.wrong[path] {
		*node = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: node.Line}
	}
}

func (c *checker) walkValue(path string, node *yaml.Node, want reflect.Type) {
	if node.Kind == yaml.AliasNode {
		c.unreadable(path, node.Line, "is an alias", "aliases are not read: write the value out")
		return
	}
	if want.Kind() == reflect.Pointer {
		want = want.Elem()
	}
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return // as if the key were not there
	}
	switch want.Kind() {
	case reflect.Struct:
		c.walkStruct(path, node, want)
	case reflect.Slice:
		c.walkList(path, node, want)
	default:
		c.walkScalar(path, node, want)
	}
}

func (c *checker) walkStruct(path string, node *yaml.Node, want reflect.Type) {
	fields := fieldsOf(want)
	if node.Kind != yaml.MappingNode {
		c.unreadable(path, node.Line, "is "+nodeKind(node), "want a mapping with the keys "+strings.Join(names(fields), ", "))
		return
	}
	seen := map[string]int{}
	content := node.Content
	node.Content = nil
	for i := 0; i+1 < len(content); i += 2 {
		key, value := content[i], content[i+1]
		at := join(path, key.Value)
		field, known := fields[key.Value]
		first, twice := seen[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode:
			c.problems = append(c.problems, Problem{Line: key.Line, Path: path,
				Wrong: "has a key that is " + nodeKind(key), Right: "keys are plain words"})
		case key.Tag == "!!merge":
			c.unreadable(at, key.Line, "is a merge key", "merges are not read: write the keys out")
		case !known:
			c.unknownKey(path, key, names(fields))
		case twice:
			c.problems = append(c.problems, Problem{Line: key.Line, Path: at,
				Wrong: fmt.Sprintf("is already set in line %d", first), Right: "remove one of them"})
		default:
			c.lines[at] = key.Line
			seen[key.Value] = key.Line
			c.walk(at, value, field)
			node.Content = append(node.Content, key, value)
		}
	}
}

// unknownKey reports a key, and mutes what it was probably meant to be: that one
// is not missing, too.
func (c *checker) unknownKey(path string, key *yaml.Node, known []string) {
	c.unreadable(join(path, quoteOdd(key.Value)), key.Line, "is not a known key", suggest(key.Value, known))
	if meant := nearest(key.Value, known); meant != "" {
		c.wrong[join(path, meant)] = true
	}
}

// quoteOdd quotes a key that would be hard to see, or would not be one line.
func quoteOdd(key string) string {
	if key != "" && strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == "" {
		return shorten(key)
	}
	return strconv.Quote(shorten(key))
}

func (c *checker) walkList(path string, node *yaml.Node, want reflect.Type) {
	if node.Kind != yaml.SequenceNode {
		right := "want a list: each entry in a line of its own that begins with \"- \""
		if want.Elem().Kind() == reflect.Struct {
			right = "want a list: each entry begins with \"- id: ...\""
			if _, ok := fieldsOf(want.Elem())["id"]; !ok {
				right = "want a list: each entry begins with \"- \""
			}
		}
		c.unreadable(path, node.Line, "is "+nodeKind(node), right)
		return
	}
	for i, entry := range node.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.lines[at] = entry.Line
		c.walk(at, entry, want.Elem())
	}
}

func (c *checker) walkScalar(path string, node *yaml.Node, want reflect.Type) {
	if node.Kind != yaml.ScalarNode {
		c.unreadable(path, node.Line, "is "+nodeKind(node), "want "+scalarName(want))
		return
	}
	var fits bool
	right := "want " + scalarName(want)
	switch want {
	case reflect.TypeFor[time.Duration]():
		c.walkDuration(path, node)
		return
	case reflect.TypeFor[byteSize]():
		c.walkSize(path, node)
		return
	case reflect.TypeFor[dateText](), reflect.TypeFor[timeText]():
		fits = node.Tag == "!!timestamp" || node.Tag == "!!str"
	case reflect.TypeFor[secretText]():
		fits = node.Tag == "!!str"
		right = "want text: put it in quotes"
	default:
		switch want.Kind() {
		case reflect.String:
			fits = node.Tag == "!!str"
			right = fmt.Sprintf("want text: write %q", shorten(node.Value))
		case reflect.Bool:
			fits = node.Tag == "!!bool"
		case reflect.Int:
			fits = node.Tag == "!!int"
		case reflect.Float64:
			fits = node.Tag == "!!float" || node.Tag == "!!int"
		default: // no file struct has another
		}
	}
	if !fits {
		c.unreadable(path, node.Line, "is "+nodeKind(node), right)
	}
}

func (c *checker) walkDuration(path string, node *yaml.Node) {
	if err := checkDuration(node.Value); err != nil {
		c.unreadable(path, node.Line, err.Error(), durationHelp(shorten(node.Value)))
	}
}

// checkDuration wants a Go duration with a unit.
func checkDuration(s string) error {
	if _, err := time.ParseDuration(s); err != nil || !strings.ContainsFunc(s, unicode.IsLetter) {
		if isNumber(s) {
			return fmt.Errorf("%s has no unit", shorten(s))
		}
		return fmt.Errorf("%q is not a duration", shorten(s))
	}
	return nil
}

func durationHelp(s string) string {
	if isNumber(s) {
		return "write " + s + "s for seconds, " + s + "m for minutes"
	}
	return "write it as 500ms, 2s, 1m30s or 24h"
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789.+-") == "" && strings.ContainsAny(s, "0123456789")
}

// fieldsOf gives a file struct's keys and the types of their values.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	fields := make(map[string]reflect.Type, t.NumField())
	for f := range t.Fields() {
		fields[f.Tag.Get("mapstructure")] = f.Type
	}
	return fields
}

func names(fields map[string]reflect.Type) []string {
	list := make([]string, 0, len(fields))
	for name := range fields {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// nodeKind names what is there, never its value, which might be a secret.
func nodeKind(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.AliasNode:
		return "an alias"
	case n.Tag == "!!null":
		return "empty"
	case n.Tag == "!!int" || n.Tag == "!!float":
		return "a number"
	case n.Tag == "!!bool":
		return "true or false"
	case n.Tag == "!!timestamp":
		return "a date"
	default:
		return "text"
	}
}

func scalarName(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "a duration such as 30s"
	case t == reflect.TypeFor[dateText]():
		return "a day such as 2026-01-31"
	case t == reflect.TypeFor[timeText]():
		return "a time such as 2026-12-01T02:00:00Z"
	case t == reflect.TypeFor[byteSize]():
		return "a size such as 512MB"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Int:
		return "a whole number"
	case t.Kind() == reflect.Float64:
		return "a number"
	default:
		return "text"
	}
}
