package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"streamcanary/config"
)

// exampleHub writes the example of a hub's file with a value in the place of
// every variable, and gives its path.
func exampleHub(t *testing.T, change *strings.Replacer) string {
	t.Helper()
	deploy, err := deployFolder()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(deploy, "hub.example.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	filled := regexp.MustCompile(`\$\{(STREAMCANARY_[A-Z0-9_]+)\}`).ReplaceAllStringFunc(change.Replace(string(text)), func(variable string) string {
		switch variable {
		case "${STREAMCANARY_ONCALL_URL}":
			return "https://oncall.example.com/hook"
		case "${STREAMCANARY_ONCALL_SECRET}":
			return "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
		}
		return "0123456789abcdef-" + strings.Trim(variable, "${}")
	})
	path := filepath.Join(t.TempDir(), "hub.yaml")
	if err := os.WriteFile(path, []byte(filled), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A file that `config check` calls good is one that `serve` starts with.
func TestServeTakesWhatCheckTakes(t *testing.T) {
	t.Parallel()
	const secret = "secret: ${STREAMCANARY_ONCALL_SECRET}"
	for _, tt := range []struct {
		name, secret string
		good         bool
	}{
		{"as it is", secret, true},
		{"unsigned", "", true},
		{"any text", "secret: 0123456789abcdef0123456789abcdef", false},
		{"no base64", "secret: whsec_0123456789abcdef0123456789abcde!", false},
		{"short", "secret: whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=", false},
		{"shortest", "secret: whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", true},
		{"longest", "secret: whsec_" + strings.Repeat("MDEy", 21) + "MA==", true},
		{"long", "secret: whsec_" + strings.Repeat("MDEy", 21) + "MDE=", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg, err := config.LoadHub(exampleHub(t, strings.NewReplacer(secret, tt.secret)))
			if (err == nil) != tt.good {
				t.Fatalf("config: %v", err)
			}
			if err != nil {
				if !strings.Contains(err.Error(), "from: echo whsec_$(openssl rand -base64 32)") {
					t.Errorf("%v does not say how to make one", err)
				}
				return
			}
			cfg.NATS.TLSCertFile, cfg.NATS.TLSKeyFile = "", "" // this machine has none there
			settings, err := hubSettings(cfg, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatalf("the check takes what serve refuses: %v", err)
			}
			if settings.Sinks["oncall"] == nil {
				t.Error("the webhook is lost")
			}
		})
	}
}
