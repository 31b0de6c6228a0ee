package config

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"streamcanary/statuspage/incident"

	"go.yaml.in/yaml/v3"
)

// exampleEnv gives every variable that an example names a value of its own.
func exampleEnv(name string) (string, bool) {
	switch name {
	case "STREAMCANARY_ONCALL_URL":
		return "https://oncall.example.com/hook", true
	case "STREAMCANARY_ONCALL_SECRET":
		return "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", true
	}
	return "0123456789abcdef-" + name, strings.HasPrefix(name, "STREAMCANARY_")
}

func loadExample(t *testing.T, path string) (File, string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parse(path, data, surroundings{env: exampleEnv, readSecret: readSecret})
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Warnings()) > 0 {
		t.Errorf("%s: warnings: %q", path, f.Warnings())
	}
	return f, string(data)
}

// The examples are good, explain every key, and name the true defaults.
func TestExamples(t *testing.T) {
	t.Parallel()
	hub, text := loadExample(t, "../deploy/hub.example.yaml")
	for _, key := range keysOf(reflect.TypeFor[hubFile]()) {
		if base, isFile := strings.CutSuffix(key, "_file"); isFile && strings.Contains(text, "_file") && strings.Contains(text, base) {
			continue // one sentence explains every *_file
		}
		if !strings.Contains(text, key+":") {
			t.Errorf("hub.example.yaml does not explain %s", key)
		}
	}
	want := incident.DefaultSettings()
	want.Threshold = incident.NatsOf(28.9) // by the formula
	if got := fmt.Sprint(hub.Hub.Settings); got != fmt.Sprint(want) {
		t.Errorf("hub.example.yaml says these are the defaults:\n%s\nwant\n%v", got, want)
	}
	agent, text := loadExample(t, "../deploy/agent.example.yaml")
	for _, key := range keysOf(reflect.TypeFor[agentFile]()) {
		if !strings.Contains(text, key+":") {
			t.Errorf("agent.example.yaml does not explain %s", key)
		}
	}
	if a := hub.Hub.Agents[0]; a.ID != agent.Agent.ID || a.Site != agent.Agent.Site || a.Region != agent.Agent.Region {
		t.Errorf("the two examples do not belong together: %v and %v", a, agent.Agent)
	}
}

// Each container of the example has its own secrets alone, and writes nowhere but
// to its volume and to memory.
func TestComposeExample(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../deploy/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var compose struct {
		Services map[string]struct {
			EnvFile  string   `yaml:"env_file"`
			ReadOnly bool     `yaml:"read_only"`
			Tmpfs    []string `yaml:"tmpfs"`
		} `yaml:"services"`
	}
	if err := yaml.Unmarshal(data, &compose); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"hub", "agent"} {
		if s := compose.Services[name]; s.EnvFile != name+".env" || !s.ReadOnly || fmt.Sprint(s.Tmpfs) != "[/tmp]" {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// keysOf lists every key of a file struct, inner ones included.
func keysOf(t reflect.Type) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var keys []string
	for f := range t.Fields() {
		keys = append(keys, f.Tag.Get("mapstructure"))
		keys = append(keys, keysOf(f.Type)...)
	}
	return keys
}
