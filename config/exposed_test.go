package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Secrets in a file that others can read are told, and are no mistake.
func TestExposedSecrets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte("0123456789abcdef-fra1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const literal, file = "key: 0123456789abcdef-fra1", "key_file: key"
	for _, tt := range []struct {
		name, key string
		mode      os.FileMode
		want      string // in the one warning; "" is none
	}{
		{"owner alone", literal, 0o600, ""},
		{"group", literal, 0o640, "(mode 0640) and holds 1 secret itself: key; chmod 600"},
		{"everybody", literal, 0o644, "(mode 0644) and holds 1 secret itself: key; chmod 600"},
		{"no secret in it", file, 0o644, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(dir, strings.ReplaceAll(tt.name, " ", "-")+".yaml")
			if err := os.WriteFile(path, []byte("hub: tls://h:1\nid: a\n"+tt.key+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, tt.mode); err != nil { // whatever the umask
				t.Fatal(err)
			}
			f, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(f.Warnings(), "\n")
			if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) || strings.Contains(got, "0123456789abcdef") {
				t.Errorf("warnings %q, want %q", got, tt.want)
			}
		})
	}
}

func TestExposedSecretsOfAHub(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	surroundings := around()
	surroundings.mode = 0o644
	f, err := parse("x", data, surroundings)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(f.Warnings(), "\n"); !strings.Contains(got, "holds 3 secrets itself: alerts.token, agents[0].key, agents[1].key;") {
		t.Errorf("warnings %q", got)
	}
}
