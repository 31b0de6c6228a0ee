package main

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	"streamcanary/config"
	"streamcanary/prober"
)

//go:embed demo.hub.yaml.tmpl
var demoHubTemplate string

// demoFiles are what the demo writes into its data folder: an ordinary hub's
// configuration, read back by the ordinary way, and the secrets it refers to.
type demoFiles struct {
	hubFile   string
	tokenFile string
	token     prober.Secret
	keys      map[string]prober.Secret // by agent
}

// demoConfig writes the configuration for a platform that is up.
func demoConfig(dir, addr string, p *demoPlatform) (demoFiles, *config.Hub, error) {
	f := demoFiles{
		hubFile: filepath.Join(dir, "hub.yaml"), tokenFile: filepath.Join(dir, "oncall-token"), keys: map[string]prober.Secret{},
	}
	var err error
	if f.token, err = keptSecret(f.tokenFile); err != nil {
		return f, nil, err
	}
	apiKey := filepath.Join(dir, "api-key")
	if err := os.WriteFile(apiKey, []byte(p.apiKey.Reveal()+"\n"), 0o600); err != nil {
		return f, nil, fmt.Errorf("demo: %w", err)
	}
	type region struct{ ID, Name, Ingest, Playback, KeyFile string }
	values := struct {
		Page, Listen, Data, TokenFile, API, APIKeyFile string
		Regions                                        []region
	}{
		Page: "http://" + addr, Listen: addr, Data: filepath.Join(dir, "hub"), TokenFile: f.tokenFile,
		API: p.api.URL(), APIKeyFile: apiKey,
	}
	for _, r := range p.regions {
		file := filepath.Join(dir, "agent-"+r.id+".key")
		if f.keys["agent-"+r.id], err = keptSecret(file); err != nil {
			return f, nil, err
		}
		values.Regions = append(values.Regions, region{r.id, r.name, r.origin.RTMPURL(), r.origin.HLSURL(), file})
	}
	t, err := template.New("hub").Parse(demoHubTemplate)
	if err != nil {
		return f, nil, fmt.Errorf("demo: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, values); err != nil {
		return f, nil, fmt.Errorf("demo: %w", err)
	}
	if err := os.WriteFile(f.hubFile, b.Bytes(), 0o600); err != nil {
		return f, nil, fmt.Errorf("demo: %w", err)
	}
	hub, err := config.LoadHub(f.hubFile)
	return f, hub, err
}

// keptSecret reads a secret, or makes one that the next start finds again.
func keptSecret(path string) (prober.Secret, error) {
	if b, err := os.ReadFile(path); err == nil && len(bytes.TrimSpace(b)) >= 16 {
		return prober.Secret(bytes.TrimSpace(b)), nil
	}
	s := rand.Text()
	if err := os.WriteFile(path, []byte(s+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("demo: %w; choose another --data", err)
	}
	return prober.Secret(s), nil
}
