package config

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestQuorumFollows: the quorum follows from the sites and the wanted rate where the file
// does not set it, and the check says which, what it assumes and what would be surer.
func TestQuorumFollows(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const given = "  - {id: fra1, key: 0123456789abcdef-fra1}\n  - {id: nyc1, key: 0123456789abcdef-nyc1}\n"
	if !strings.Contains(string(data), given) {
		t.Fatal("testdata/good.yaml has other agents")
	}
	const assumed = "that their controls do not see, may open falsely about %s times a year, if each is in such for 0.05%% of the time, 20s at a time"
	const four = "that is more than the 0.01 of false_openings: 4 sites and a quorum of 3 keep to it"
	for _, tt := range []struct {
		name, policy string
		sites        string // of the agents, a letter each
		quorum       int
		says         []string
		more         string // than is wanted; "" is not
		warned       bool
	}{
		{"one", "{}", "a", 1, []string{
			"1 agent at 1 site; 1 site must agree (quorum, from the sites and false_openings)",
			"1 of 1 site in trouble of its own, that its controls do not see, may open falsely about 788 times a year, if each",
		}, four, true},
		{"one, as it is meant", "{quorum: 1}", "a", 1, []string{"1 site must agree (quorum, as set)"}, four, false},
		{"two agents of one site", "{}", "aa", 1, []string{"2 agents at 1 site; 1 site must agree (quorum, from"}, four, true},
		{"two", "{}", "ab", 2, []string{"2 of 2 sites in trouble of their own at once, " + fmt.Sprintf(assumed, "0.788")}, four, false},
		{"three", "{}", "abc", 2, []string{"2 of 3 sites in trouble of their own at once, " + fmt.Sprintf(assumed, "2.37")}, four, false},
		{"four agents of three sites", "{}", "abcc", 2, []string{"4 agents at 3 sites; 2 sites must agree"}, four, false},
		{"four", "{}", "abcd", 3, []string{"3 of 4 sites in trouble of their own at once, " + fmt.Sprintf(assumed, "0.00237")}, "", false},
		{"four, of which two are set", "{quorum: 2}", "abcd", 2, []string{"2 sites must agree (quorum, as set)"},
			"that is more than the 0.01 of false_openings: a quorum of 3 keeps to it", false},
		{"four, and a rate", "{false_openings: 5}", "abcd", 2, []string{"about 4.73 times a year"}, "", false},
		{"six", "{}", "abcdef", 4, []string{"6 agents at 6 sites; 4 sites must agree (quorum, from"}, "", false},
		{"six, a threshold, and all", "{quorum: 6, threshold: 30}", "abcdef", 6, []string{"6 sites must agree (quorum, as set)"}, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var agents strings.Builder
			for i, site := range strings.Split(tt.sites, "") {
				fmt.Fprintf(&agents, "  - {id: agent%d, site: %s, key: 0123456789abcdef-%d}\n", i, site, i)
			}
			f, err := parse("x", []byte(strings.Replace(string(data), given, agents.String(), 1)+"policy: "+tt.policy+"\n"), around())
			if err != nil {
				t.Fatal(err)
			}
			if got := f.Hub.Settings.Quorum; got != tt.quorum {
				t.Errorf("quorum %d, want %d", got, tt.quorum)
			}
			said := strings.Join(f.Summary(), "\n")
			for _, want := range tt.says {
				if !strings.Contains(said, want) {
					t.Errorf("%s\nlacks %q", said, want)
				}
			}
			if more := strings.Contains(said, "that is more than"); more != (tt.more != "") || !strings.Contains(said, tt.more) {
				t.Errorf("%s\nwant %q", said, tt.more)
			}
			if warned := strings.Contains(strings.Join(f.Warnings(), ""), "one site alone decides"); warned != tt.warned {
				t.Errorf("warned of one site: %v; %q", warned, f.Warnings())
			}
		})
	}
}
