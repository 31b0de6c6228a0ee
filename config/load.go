package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"streamcanary/statuspage/incident"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"
)

// maxFile bounds what is read of a configuration, in bytes.
const maxFile = 1 << 20

// File is a configuration that has been checked: a hub's or an agent's. Exactly
// one of the two is set.
type File struct {
	Hub   *Hub
	Agent *Agent
}

// Load reads a hub's or an agent's file. Their keys tell which
// it is. The error is an *Error with every mistake where the file could be read at all.
func Load(path string) (File, error) {
	data, err := read(path, maxFile)
	if err != nil {
		return File{}, fmt.Errorf("read configuration: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return File{}, fmt.Errorf("read configuration: %w", err)
	}
	return parse(path, data, surroundings{env: os.LookupEnv, readSecret: readSecret, mode: info.Mode()})
}

// LoadHub reads a hub's file.
func LoadHub(path string) (*Hub, error) {
	f, err := Load(path)
	return hubOf(path, f, err)
}

// LoadPolicy reads of a hub's file what decides: the rest is checked, but no secret and
// no certificate is looked for, so that it can be tried where none of them is.
func LoadPolicy(path string) (incident.Policy, error) {
	data, err := read(path, maxFile)
	if err != nil {
		return incident.Policy{}, fmt.Errorf("read configuration: %w", err)
	}
	f, err := parse(path, data, surroundings{withoutSecrets: true})
	h, err := hubOf(path, f, err)
	if err != nil {
		return incident.Policy{}, err
	}
	return h.Policy, nil
}

func hubOf(path string, f File, err error) (*Hub, error) {
	if err != nil {
		return nil, err
	}
	if f.Hub == nil {
		return nil, fmt.Errorf("%s is an agent's configuration, a hub's is needed; to run the agent: streamcanary agent --config %s", path, path)
	}
	return f.Hub, nil
}

// LoadAgent reads an agent's file.
func LoadAgent(path string) (*Agent, error) {
	f, err := Load(path)
	if err != nil {
		return nil, err
	}
	if f.Agent == nil {
		return nil, fmt.Errorf("%s is a hub's configuration, an agent's is needed; to run the hub: streamcanary serve --config %s", path, path)
	}
	return f.Agent, nil
}

// surroundings is what a file may refer to.
type surroundings struct {
	env        func(name string) (string, bool)
	readSecret func(path string) ([]byte, error)
	mode       fs.FileMode // of the file itself; 0 is not known

	withoutSecrets bool // env and readSecret are not asked: what they would give is ""
}

// read reads a file of at most limit bytes.
func read(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s is larger than %d bytes; is it the right file?", path, limit)
	}
	return data, nil
}

// parse checks a file's content.
func parse(path string, data []byte, around surroundings) (File, error) {
	c := &checker{
		surroundings: around, dir: filepath.Dir(path),
		lines: map[string]int{}, wrong: map[string]bool{},
	}
	root, problem := document(data)
	if problem != nil {
		return File{}, &Error{File: path, Problems: []Problem{*problem}}
	}
	if isAgent(root) {
		var file agentFile
		c.decode(root, &file, nil)
		agent := c.agent(file)
		return File{Agent: agent}, c.err(path)
	}
	var file hubFile
	c.decode(root, &file, hubDefaults())
	hub := c.hub(file)
	return File{Hub: hub}, c.err(path)
}

// document reads the one YAML document in data, which must be a mapping.
func document(data []byte) (*yaml.Node, *Problem) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, &Problem{Wrong: "is empty", Right: "start from the annotated examples, hub.example.yaml or agent.example.yaml"}
	} else if err != nil {
		return nil, syntaxProblem(data, err)
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, &Problem{Line: doc.Line, Wrong: "is not a mapping of keys to values", Right: "start from the annotated examples, hub.example.yaml or agent.example.yaml"}
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, &Problem{Line: second.Line, Wrong: "a second YAML document begins here", Right: "want one document for each file"}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxProblem(data, err)
	}
	return doc.Content[0], nil
}

// syntaxProblem says where YAML ends. The parser's messages quote no values.
func syntaxProblem(data []byte, err error) *Problem {
	p := &Problem{Line: 1, Wrong: "is not valid YAML: " + strings.TrimPrefix(err.Error(), "yaml: "), Right: "check indentation (spaces, never tabs), colons and quotes there"}
	if regexp.MustCompile(`\{.*[^"']\$\{`).Match(data) {
		p.Right = "inside {...} a ${NAME} must be in quotes: \"${NAME}\""
	}
	if m := regexp.MustCompile(`^yaml: line (\d+): (.*)$`).FindStringSubmatch(err.Error()); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		p.Wrong = "is not valid YAML: " + m[2]
	}
	return p
}

// isAgent tells an agent's file by its keys: more of them are an agent's than a
// hub's, so that one misspelt key changes nothing.
func isAgent(root *yaml.Node) bool {
	hub, agent := fieldsOf(reflect.TypeFor[hubFile]()), fieldsOf(reflect.TypeFor[agentFile]())
	balance := 0
	for i := 0; i+1 < len(root.Content); i += 2 {
		if _, ok := hub[root.Content[i].Value]; ok {
			balance--
		}
		if _, ok := agent[root.Content[i].Value]; ok {
			balance++
		}
	}
	return balance > 0
}

// decode fills file, a pointer to a file struct, with the defaults and whatever
// of root fits. What does not fit is reported.
func (c *checker) decode(root *yaml.Node, file any, defaults map[string]any) {
	c.lines[""] = root.Line
	c.walk("", root, reflect.TypeOf(file).Elem())

	v := viper.New()
	for key, value := range defaults {
		v.SetDefault(key, value)
	}
	var values map[string]any
	err := root.Decode(&values)
	if err == nil {
		err = v.MergeConfigMap(values)
	}
	if err == nil {
		err = v.UnmarshalExact(file, viper.DecodeHook(mapstructure.ComposeDecodeHookFunc(durationHook, dateHook, sizeHook)))
	}
	if err != nil { // the walk has missed something
		c.problems = append(c.problems, Problem{Wrong: "cannot be read: " + strings.ReplaceAll(err.Error(), "\n", " ")})
	}
}

// durationHook refuses what viper would take for nanoseconds.
func durationHook(_, to reflect.Type, value any) (any, error) {
	if to != reflect.TypeFor[time.Duration]() {
		return value, nil
	}
	switch v := value.(type) {
	case time.Duration: // a default
		return v, nil
	case string:
		if err := checkDuration(v); err != nil {
			return nil, err
		}
		return time.ParseDuration(v)
	default:
		return nil, fmt.Errorf("%v has no unit", value)
	}
}

// dateHook undoes YAML's reading of a day, or of a moment, as a time.
func dateHook(_, to reflect.Type, value any) (any, error) {
	if day, ok := value.(time.Time); ok && to == reflect.TypeFor[dateText]() {
		return day.Format(time.DateOnly), nil
	}
	if at, ok := value.(time.Time); ok && to == reflect.TypeFor[timeText]() {
		return at.UTC().Format(time.RFC3339), nil
	}
	return value, nil
}
