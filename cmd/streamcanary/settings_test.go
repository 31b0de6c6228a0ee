package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"streamcanary/config"
	"streamcanary/prober"
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

// What an agent is assigned is what the hub's file says, in a slot of its own.
func TestAssignments(t *testing.T) {
	t.Parallel()
	path := exampleHub(t, strings.NewReplacer("  tls_cert_file:", "  # tls_cert_file:", "  tls_key_file:", "  # tls_key_file:", "# budget: 10GB", "budget: 10GB", "# reference:", "reference:", "# rotate_after:", "rotate_after:"))
	cfg, err := config.LoadHub(path)
	if err != nil {
		t.Fatal(err)
	}
	settings, err := hubSettings(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	offsets := map[prober.Kind]map[time.Duration]string{}
	for id, as := range settings.Assignments {
		budget := int64(20e9)
		if id == "nyc1" {
			budget = 10e9
		}
		if as.Budget != budget || as.Sampling.Every != 30*time.Second || as.Controls.CPU != .95 || !strings.HasPrefix(as.Controls.Reference, "https://") {
			t.Errorf("%s is assigned %+v", id, as)
		}
		for _, p := range as.Probes {
			if p.Kind == prober.KindCanary && p.RotateAfter != 24*time.Hour || p.Kind == prober.KindGoLive && p.Jitter != time.Second {
				t.Errorf("%s is assigned %+v", id, p)
			}
			if offsets[p.Kind] == nil {
				offsets[p.Kind] = map[time.Duration]string{}
			}
			if other, twice := offsets[p.Kind][p.Offset]; twice {
				t.Errorf("%s and %s start their %s rounds together", id, other, p.Kind)
			}
			offsets[p.Kind][p.Offset] = id
		}
	}
	if len(settings.Assignments) != 3 {
		t.Errorf("%d assignments", len(settings.Assignments))
	}
}
