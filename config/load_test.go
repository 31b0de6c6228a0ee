package config

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/statuspage/incident"
)

var update = flag.Bool("update", false, "write the golden files anew")

// around is the environment of the tests.
func around() surroundings {
	return surroundings{readSecret: readSecret, env: func(name string) (string, bool) {
		value, ok := map[string]string{"EMPTY_KEY": "", "GOOD_KEY": "Hunter2-Hunter2-Hunter2"}[name]
		return value, ok
	}}
}

func parseTest(t *testing.T, path string) (File, error) {
	t.Helper()
	data, err := read(path, maxFile)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parse(filepath.Base(path), data, around())
	return f, err
}

// Every file in testdata/bad stands beside the exact text of its error.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 60 {
		t.Fatalf("%d bad files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			_, err := parseTest(t, file)
			mistakes, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("got %v, want an *Error", err)
			}
			got := mistakes.Error() + "\n"
			if strings.Contains(got, "Hunter2") && !strings.HasPrefix(filepath.Base(file), "secret-shapes") {
				t.Errorf("a secret is in the error:\n%s", got)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".txt", got)
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%swant (-update writes it anew)\n%s", got, want)
	}
}

// One file with ten mistakes shows ten errors, each at its line.
func TestTenMistakes(t *testing.T) {
	t.Parallel()
	_, err := parseTest(t, "testdata/bad/ten-mistakes.yaml")
	mistakes, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("got %v, want an *Error", err)
	}
	data, err := os.ReadFile("testdata/bad/ten-mistakes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	for _, p := range mistakes.Problems {
		if !strings.Contains(lines[p.Line-1], "# mistake") {
			t.Errorf("line %d holds no mistake: %s", p.Line, p)
		}
	}
	if len(mistakes.Problems) != 10 {
		t.Errorf("%d problems, want 10:\n%v", len(mistakes.Problems), err)
	}
}

func TestGoodHub(t *testing.T) {
	t.Parallel()
	f, err := parseTest(t, "testdata/good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	h := f.Hub
	in, out := h.Targets[0].Ingests[0], h.Targets[0].Playbacks[0]
	want := incident.DefaultSettings()
	want.Threshold = incident.NatsOf(25.9) // by the formula: two sites
	if f.Agent != nil || h == nil {
		t.Fatalf("got %+v, want a hub", f)
	}
	for _, tt := range []struct{ what, got, want string }{
		{"listen", h.HTTP.Listen, "127.0.0.1:8080"},
		{"data", h.Data, "/var/lib/streamcanary"},
		{"nats", fmt.Sprint(h.NATS), "{:4222   0 true}"},
		{"ingests", fmt.Sprint(len(h.Targets[0].Ingests), in.ID, " ", in.Region, " ", in.URL), "1fra Frankfurt rtmp://in.example.com/live/{stream}"},
		{"playbacks", fmt.Sprint(len(h.Targets[0].Playbacks), out.ID, " ", out.Region, " ", out.URL), "1fra Frankfurt https://play.example.com/{stream}/index.m3u8"},
		{"probes", fmt.Sprint(len(h.Probes), h.Probes[0].Kind, " ", h.Probes[0].Target, " ", h.Probes[0].Schedule), "1canary video @every 2s"},
		{"agent", fmt.Sprint(h.Agents[0].ID, " ", h.Agents[0].Site, " ", h.Agents[0].Key.Reveal()), "fra1 fra1 0123456789abcdef-fra1"},
		{"sites", fmt.Sprint(h.Topology.Sites), "[{fra1 [fra1]} {nyc1 [nyc1]}]"},
		{"components", fmt.Sprint(h.Topology.Components), "[{ingest Ingest    [video/ingest/fra] auto} {play Playback    [video/core video/playback/fra] auto}]"},
		{"page", fmt.Sprint(h.Topology.Page), "{Example https://status.example.com}"},
		{"settings", fmt.Sprint(h.Settings), fmt.Sprint(want)},
		{"hash", fmt.Sprint(len(h.Policy.Hash())), "64"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.what, tt.got, tt.want)
		}
	}
	if text := fmt.Sprintf("%v %+v %#v", h.Agents, h.Alerts, h.Agents[0].Key); strings.Contains(text, "0123456789abcdef") {
		t.Errorf("printing shows a secret: %s", text)
	}
	if len(h.Warnings) != 1 || !strings.Contains(h.Warnings[0], "without TLS") {
		t.Errorf("warnings: %q", h.Warnings)
	}
}

func TestPolicyKeys(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := parse("x", append(data, "policy: {hold: 20s, quorum: 1, threshold: 9, kinds: [{kind: golive, p0: 0.01, round_timeout: 12s}]}\n"...), around())
	if err != nil {
		t.Fatal(err)
	}
	want := incident.DefaultSettings()
	want.Hold, want.Quorum, want.Threshold = 20*time.Second, 1, incident.NatsOf(9)
	want.Rates[prober.KindGoLive] = incident.Rates{P0: .01, P1: .4, AgainP0: .05}
	want.RoundTimeout[prober.KindGoLive] = 12 * time.Second
	if got := f.Hub.Settings; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestGoodAgent(t *testing.T) {
	t.Parallel()
	f, err := parseTest(t, "testdata/good-agent.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := Agent{Hub: "tls://hub.example.com:4222", ID: "fra1", Site: "fra1", Key: "0123456789abcdef-fra1", Data: "/var/lib/streamcanary-agent"}
	if f.Hub != nil || fmt.Sprintf("%+v %s", *f.Agent, f.Agent.Key.Reveal()) != fmt.Sprintf("%+v %s", want, want.Key.Reveal()) {
		t.Errorf("got %+v, want %+v", f.Agent, want)
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte("from-a-file-0123456789\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ key, want string }{
		{`key: "${GOOD_KEY}"`, "Hunter2-Hunter2-Hunter2"},
		{`key_file: key`, "from-a-file-0123456789"},
		{`key_file: ` + filepath.Join(dir, "key"), "from-a-file-0123456789"},
		{`key: "literal $HOME 0123456789"`, "literal $HOME 0123456789"},
	} {
		f, err := parse(filepath.Join(dir, "agent.yaml"), []byte("hub: tls://h:1\nid: a\n"+tt.key+"\n"), around())
		if err != nil {
			t.Errorf("%s: %v", tt.key, err)
			continue
		}
		if got := f.Agent.Key.Reveal(); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.key, got, tt.want)
		}
	}
}

func TestKindsAreTold(t *testing.T) {
	t.Parallel()
	if _, err := LoadHub("testdata/good-agent.yaml"); err == nil || !strings.Contains(err.Error(), "streamcanary agent --config") {
		t.Errorf("LoadHub of an agent's file: %v", err)
	}
	if _, err := LoadAgent("testdata/good.yaml"); err == nil || !strings.Contains(err.Error(), "streamcanary serve --config") {
		t.Errorf("LoadAgent of a hub's file: %v", err)
	}
	if _, err := LoadHub("testdata/good.yaml"); err != nil {
		t.Error(err)
	}
	if _, err := LoadAgent("testdata/good-agent.yaml"); err != nil {
		t.Error(err)
	}
}

// TestLoadPolicy: the policy of a file is the same where none of its secrets is there,
// and what else is wrong with it is told.
func TestLoadPolicy(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../deploy/hub.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const in = "    regions:                        # of the platform\n"
	if !strings.Contains(string(text), in) {
		t.Fatal("the example has no regions to stand before")
	}
	whole, _ := loadExample(t, "../deploy/hub.example.yaml")
	files := strings.NewReplacer(
		"token: ${STREAMCANARY_ALERTS_TOKEN}", "token_file: nowhere/token",
		"api_key: ${STREAMCANARY_API_KEY}", "api_key_file: nowhere/key",
		"url: ${STREAMCANARY_ONCALL_URL}", "url_file: nowhere/url", "secret: ${STREAMCANARY_ONCALL_SECRET}", "secret_file: nowhere/secret",
		"key: ${STREAMCANARY_KEY_SIN1}", "key_file: nowhere/sin1",
		in, "    rtmp: {user: u, password_file: nowhere/password}\n"+in,
	).Replace(string(text))
	if n := strings.Count(files, "nowhere/"); n != 6 {
		t.Fatalf("%d secrets of files, want 6", n)
	}
	for _, tt := range []struct{ name, text, wrong string }{
		{"as it is", string(text), ""},
		{"of files", files, ""},
		{"a policy that cannot be", strings.Replace(string(text), "false_openings: 0.01", "false_openings: 0", 1), "policy.false_openings: is 0"},
		{"a literal that is short", strings.Replace(string(text), "${STREAMCANARY_KEY_FRA1}", "short", 1), "agents[0].key: is only 5 characters"},
		{"a secret that is mixed", strings.Replace(string(text), "${STREAMCANARY_KEY_FRA1}", `"x${STREAMCANARY_KEY_FRA1}"`, 1), "agents[0].key: mixes text"},
	} {
		path := filepath.Join(t.TempDir(), "hub.yaml")
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := LoadPolicy(path)
		switch {
		case tt.wrong != "":
			if err == nil || !strings.Contains(err.Error(), tt.wrong) || strings.Count(err.Error(), "\n") > 0 {
				t.Errorf("%s: %v, want %q", tt.name, err, tt.wrong)
			}
		case err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case got.Hash() != whole.Hub.Policy.Hash():
			t.Errorf("%s: another policy", tt.name)
		}
	}
	if _, err := LoadPolicy("testdata/good-agent.yaml"); err == nil || !strings.Contains(err.Error(), "a hub's is needed") {
		t.Errorf("of an agent's file: %v", err)
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	large := filepath.Join(t.TempDir(), "large.yaml")
	if err := os.WriteFile(large, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ path, want string }{
		{"testdata/none.yaml", "no such file"},
		{"testdata", "is a directory"},
		{large, "is larger than 1048576 bytes"},
	} {
		if _, err := Load(tt.path); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q in it", tt.path, err, tt.want)
		}
	}
}
