package incident

import (
	"regexp"
	"testing"
)

func TestPublicID(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[a-z0-9]{12}$`)
	seen := map[string][3]string{}
	for _, in := range [][3]string{
		{"prod", "component", "ingest-fra"},
		{"prod", "component", "ingest-nyc"},
		{"prod", "group", "ingest-fra"},
		{"staging", "component", "ingest-fra"},
		{"a", "bc", "d"},
		{"ab", "c", "d"},
		{"", "", ""},
	} {
		id := PublicID(in[0], in[1], in[2])
		if !form.MatchString(id) {
			t.Errorf("PublicID(%q) = %q, want 12 characters [a-z0-9]", in, id)
		}
		if other, ok := seen[id]; ok {
			t.Errorf("%q and %q share the id %s", in, other, id)
		}
		seen[id] = in
	}
	// Subscribers and bookmarks hold these ids: they may never change.
	if got := PublicID("prod", "component", "ingest-fra"); got != "3feaeutx4odq" {
		t.Errorf("PublicID changed: %q", got)
	}
}
