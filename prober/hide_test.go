package prober_test

import (
	"strings"
	"testing"

	"streamcanary/prober"
)

func TestHide(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		secret     prober.Secret
		text, want string
	}{
		"nothing":            {"", "as it was", "as it was"},
		"as it is":           {"abcd-efgh", "no abcd-efgh, abcd-efghi", "no [secret], [secret]i"},
		"another case":       {"aBcD-efgh", "no ABCD-EFGH", "no [secret]"},
		"short, but whole":   {"k1", "k1, k12", "[secret], [secret]2"},
		"unescaped":          {"k%41y-9", "no kAy-9", "no [secret]"},
		"escaped":            {"a/b c", "no a%2Fb+c, a%2Fb%20c", "no [secret], [secret]"},
		"in JSON":            {`a"b<c`, `no a\"b\u003cc`, "no [secret]"},
		"value of a query":   {"key?token=s3cr3t%2B&user=alice", "token s3cr3t+ of ALICE is s3cr3t%2b", "token [secret] of [secret] is [secret]"},
		"name of a query":    {"name?token=abcdefgh", "token=abcdefgh is no token", "token=[secret] is no token"},
		"short value":        {"name?token=t0p&v=1", "t0p of at0p, 1", "[secret] of at0p, 1"},
		"scheme":             {"Token hdr-secret-token", "token hdr-secret-token", "[secret]"},
		"without its scheme": {"Token hdr-secret-token", "this token, hdr-secret-token.", "this token, [secret]."},
		"cookies":            {"a=first-one; b=second1", "b second1, a first-one", "b [secret], a [secret]"},
		"padding":            {"Basic dXNlcjE6cGFzcw==", "dXNlcjE6cGFzcw==, user1, pass, dXNlcjE6cGFzcw==", "[secret], [secret], [secret], [secret]"},
		"the longest first":  {"abcd?x=abcdefgh", "abcdefgh", "[secret]"},
	} {
		if got := prober.Hide(test.text, test.secret); got != test.want {
			t.Errorf("%s: %q became %q, want %q", name, test.text, got, test.want)
		}
	}
	if got := prober.Hide("one two 3", "one", "two"); got != "[secret] [secret] 3" {
		t.Errorf("two secrets: %q", got)
	}
}

// The words of any client are in any error, and no secrets.
func TestHeaderSecrets(t *testing.T) {
	t.Parallel()
	got := prober.HeaderSecrets([]prober.Header{{Name: "accept-language", Value: "en"}, {Name: "DNT", Value: "1"}, {Name: "User-Agent", Value: "like Gecko"},
		{Name: "X-Api-Version", Value: "2"}, {Name: "X-Api-Key", Value: "abcd"}, {Name: "Authorization", Value: "Token t0p-secret"}})
	if text := prober.Hide("segment 12 of 127.0.0.1 is likely: abcd", got...); len(got) != 2 || text != "segment 12 of 127.0.0.1 is likely: [secret]" {
		t.Errorf("%d secrets: %q", len(got), text)
	}
}

// What is hidden is never there any more, whole or as a value of its query.
func FuzzHide(f *testing.F) {
	f.Add("live_1234?token=abcdefgh", "the key live_1234?token=abcdefgh is no key")
	f.Add("Basic dXNlcjpwYXNzd29yZA==", "password of user")
	f.Fuzz(func(t *testing.T, secret, text string) {
		got := prober.Hide(text, prober.Secret(secret))
		for _, part := range strings.Split(got, prober.Secret("").String()) {
			if secret != "" && strings.Contains(part, secret) {
				t.Errorf("%q became %q, which has %q", text, got, secret)
			}
		}
	})
}
