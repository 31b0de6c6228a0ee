package prober_test

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

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
		"short, but whole":   {"k12", "k12, k123, (K12)", "[secret], k123, ([secret])"},
		"a single byte":      {"a", "failed as a whole: \"a\"", "failed as a whole: \"a\""},
		"unescaped":          {"k%41y-9", "no kAy-9", "no [secret]"},
		"escaped":            {"a/b c", "no a%2Fb+c, a%2Fb%20c", "no [secret], [secret]"},
		"in JSON":            {`a"b<c`, `no a\"b\u003cc`, "no [secret]"},
		"in JSON of PHP":     {"Bearer abc/def+ghi12", `{"error":"bad token abc\/def+ghi12"}`, `{"error":"bad token [secret]"}`},
		"in HTML":            {"Bearer abc/def+ghi12", "<p>bad token abc/def&#43;ghi12</p>", "<p>bad token [secret]</p>"},
		"named entities":     {`a&b<c"d'e`, "no a&amp;b&lt;c&#34;d&#39;e, a&amp;b&lt;c&quot;d&#x27;e", "no [secret], [secret]"},
		"quoted JSON":        {`a"b/c`, `no \"a\\\"b\\\/c\", "a\\\\\\\"b/c"`, `no \"[secret]\", "[secret]"`},
		"in a Go string":     {"k\x7féy\U0001f600-9", "no k\\x7f\\u00e9y\\U0001F600-9, k\\x7f\\xc3\\xa9y\\ud83d\\ude00-9, k éy\U0001f600-9", "no [secret], [secret], [secret]"},
		"a line break":       {"k=ab%0Acd", `no "ab\ncd", "ab cd"`, `no "[secret]", "[secret]"`},
		"partly escaped":     {"a/b+c=d e", "no a/b%2Bc%3Dd%20e", "no [secret]"},
		"escaped twice":      {"t=a%2Fb+c-é", "no a%252Fb%2Bc-%c3%A9, ?to=a%252Fb%252bc-%25C3%25a9", "no [secret], ?to=[secret]"},
		"beginning":          {"Token 0123456789abcdef", "no 0123456", "no 0123456"},
		"longer beginning":   {"Token 0123456789abcdef", "no 01234567, 0123456789****", "no [secret], [secret]****"},
		"cut off":            {"Token 0123456789abcdef", "no 01..., 0123..., 012345... (4.1)", "no 01..., [secret]..., [secret]... (4.1)"},
		"cut in an escape":   {"Token 0123<56789abcdef", `no 0123\u00..., 0123%3..., 0123&l...`, `no [secret]..., [secret]..., [secret]...`},
		"cut at a dot":       {"Token abcd.efgh", "no abcd..., abcd....", "no [secret]..., [secret]..."},
		"cut at its own %":   {"Bearer ab12%/qwertyuiop", "no ab12%2...", "no [secret]..."},
		"cut at its own u":   {"Bearer ab12u/qwertyuiop", `no ab12\u002...`, "no [secret]..."},
		"cut, each escaped":  {"Bearer abcdu9kpqrstuv", `no \u0061\u0062\u0063\u0064\u0...`, "no [secret]..."},
		"cut before its dot": {"Bearer abcd.9kpqrstuv", `no \u0061\u0062\u0063\u0064\...`, "no [secret]..."},
		"from a slash on":    {"Token 012/456789ab/defghijk", "456789ab/def at defghijk; 456789a", "[secret] at [secret]; 456789a"},
		"not a host":         {"u=http://example.org/0123456789", "http://example.org/x lists 0123456789", "http://example.org/x lists [secret]"},
		"value of a query":   {"key?token=s3cr3t%2B&user=alice", "token s3cr3t+ of ALICE is s3cr3t%2b", "token [secret] of [secret] is [secret]"},
		"name of a query":    {"name?token=abcdefgh", "token=abcdefgh is no token", "token=[secret] is no token"},
		"short value":        {"name?token=t0p&v=1", "t0p of at0p, 1", "[secret] of at0p, 1"},
		"scheme":             {"Token hdr-secret-token", "token hdr-secret-token", "[secret]"},
		"without its scheme": {"Token hdr-secret-token", "this token, hdr-secret-token.", "this token, [secret]."},
		"a sign inside":      {"Bearer abc/d+fgh=i1<2>56789", "no abc/d+fgh=i1<2>56789, abc/d+fg", "no [secret], [secret]"},
		"parameters":         {`Digest username=alice1, realm=live1`, "the username alice1, realm=live1", "the username [secret], realm=[secret]"},
		"named parameters":   {"Token username=alice1, api_key=abcdefgh", "no username alice1, no api_key", "no username [secret], no api_key"},
		"a named token":      {"Token api_key=abcdefgh1234", "api_key=abcdefgh1234, no api_key=given", "api_key=[secret], no api_key=given"},
		"backslashes":        {`ab\\c"d`, `no ab\\c"d, ab\\\\c"d, ab%5c%5C\c"d, ab%5c%5C%5c%5Cc"d`, `no [secret], [secret], [secret], ab%5c%5C%5c%5Cc"d`},
		"a quoted break": {"k\\\n-%0A9", `no "k\\\n-
9", "k\\\\\\n-\n9"`, `no "[secret]", "[secret]"`},
		"a break behind one": {"key%5C%0A9", `no "key\
9", "key\\\\\n9"`, `no "[secret]", "[secret]"`},
		"quoted often":      {`a"b/c<d`, "no a" + strings.Repeat(`\\`, 63) + `\\\"b/c` + strings.Repeat(`\\`, 32) + "u003cd", "no [secret]"},
		"cookies":           {"a=first-one; b=second1", "b second1, a first-one", "b [secret], a [secret]"},
		"padding":           {"Basic dXNlcjE6cGFzcw==", "dXNlcjE6cGFzcw==, user1, pass, dXNlcjE6cGFzcw==", "[secret], [secret], [secret], [secret]"},
		"the longest first": {"abcd?x=abcdefgh", "abcdefgh", "[secret]"},
	} {
		if got := prober.Hide(test.text, test.secret); got != test.want {
			t.Errorf("%s: %q became %q, want %q", name, test.text, got, test.want)
		}
	}
	if got := prober.Hide("one two 3", "one", "two"); got != "[secret] [secret] 3" {
		t.Errorf("two secrets: %q", got)
	}
	if got := prober.Hide("no abcdefgh-ijkl!", "abcdefgh", "gh-ijkl"); got != "no [secret]!" {
		t.Errorf("secrets that overlap: %q", got)
	}
}

// The words of any client are in any error, and no secrets.
func TestHeaderSecrets(t *testing.T) {
	t.Parallel()
	got := prober.HeaderSecrets([]prober.Header{{Name: "accept-language", Value: "en"}, {Name: "DNT", Value: "1"}, {Name: "User-Agent", Value: "like Gecko"},
		{Name: "X-Api-Version", Value: "2"}, {Name: "Referer", Value: "https://likely.example.org/?v=1"}, {Name: "X-Api-Key", Value: "abcd"}, {Name: "Authorization", Value: "Token t0p-secret"}})
	if text := prober.Hide("segment 12 of 127.0.0.1 is likely: abcd", got...); len(got) != 2 || text != "segment 12 of 127.0.0.1 is likely: [secret]" {
		t.Errorf("%d secrets: %q", len(got), text)
	}
}

// What a URL's server is sent of it, and may repeat.
func TestURLSecrets(t *testing.T) {
	t.Parallel()
	for address, said := range map[string]string{
		"http://u:pw-s3cret@h/a":              "dTpwdy1zM2NyZXQ=, dTpwdy1zM2NyZXQ, pw-s3cret",
		"http://tok3n-of-12ch:@h/a":           "dG9rM24tb2YtMTJjaDo=, tok3n-of-12ch",
		"http://tok3n-of-12ch@h/a":            "dG9rM24tb2YtMTJjaDo=, tok3n-of-12ch",
		"http://h/a?token=s3cr3t99":           "s3cr3t99",
		"http://h/a?token=abcd&v=1;sign=efgh": "abcd, efgh",
		"http://h/a?s3cr3t99abcd":             "s3cr3t99abcd",
		"http://h/a?s3cr3t99abc=":             "s3cr3t99abc",
		"http://h/a?t=%2Fabc%2Bd":             "/abc+d, %2fabc%2Bd",
		"http://h/a?t=x%zz;u=abcd":            "x%zz, abcd",
	} {
		for _, secret := range strings.Split(said, ", ") {
			if got := prober.Hide("no "+secret+".", prober.URLSecrets(address)...); strings.Trim(strings.TrimPrefix(got, "no "), ".=") != "[secret]" {
				t.Errorf("%s: %s became %q", address, secret, got)
			}
		}
	}
	// What is shown of a URL in any case is no secret, and neither are words of three bytes.
	for _, address := range []string{"https://live.example.org/a/index.m3u8?profile=index&app=LIVE&v=abc", "https://h/a", "://"} {
		if got := prober.URLSecrets(address); len(got) > 0 {
			t.Errorf("%s: %d secrets", address, len(got))
		}
	}
}

// escapeTexts are what is repeated in texts that a server makes of what begins escapes.
func escapeTexts() []string {
	return []string{"x", `\`, "%", "%25", "&", "&#", "&;", " ", "?", "+", "/", `\u`, `\x`, `\\\\u`, `\"`, `\%&`, `%\&;`, `\ud83d\u`, "%c3", "\xc3\xa9", "\xff", "...", `\...`}
}

// longToken is a thousand bytes.
func longToken() string {
	long := make([]byte, 750)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(long)
	return base64.StdEncoding.EncodeToString(long)
}

// A text that a server made of what begins escapes takes no longer than any other,
// whatever is looked for, and what follows it can still be read.
func TestHideIsLinear(t *testing.T) {
	t.Parallel()
	const size, bound = 8 << 10, 2 * time.Second // the slowest takes a fiftieth
	repeat := func(unit string, size int) string { return strings.Repeat(unit, size/len(unit)+1)[:size] }
	token := longToken()
	for name, test := range map[string]struct {
		readable bool // what follows
		secrets  []prober.Secret
	}{
		"a key":              {true, []prober.Secret{"3f2c9a50-77aa-4a1b-9b0c-0123456789ab"}},
		"a token":            {true, []prober.Secret{prober.Secret("Bearer " + token)}},
		"a broadcast's":      {true, []prober.Secret{"live_key_a?token=abcdefgh&sign=x/yzzzzzzzz", "live_key_a", "token=abcdefgh&sign=x/yzzzzzzzz", "user1", "passw0rd"}},
		"as the text begins": {true, []prober.Secret{`\\\%%%&&&`, `\u\u\u\u\u`, "%25%25%25%", "&#38;&#38;", "/x/x/x/x/x/x"}},
		"slashes":            {false, []prober.Secret{prober.Secret(repeat("/", 1000))}},
		"backslashes":        {false, []prober.Secret{prober.Secret(repeat(`\`, 1000))}},
		"escapes":            {false, []prober.Secret{prober.Secret(repeat("%25", 1000)), prober.Secret(repeat(`\x5c`, 1000)), prober.Secret(repeat("é", 1000)), prober.Secret(repeat("&/", 1000))}},
		"what repeats":       {false, []prober.Secret{prober.Secret(repeat("x", 1000)), prober.Secret(repeat("/x", 1000)), prober.Secret(repeat("x ", 1000))}},
	} {
		for _, unit := range append(escapeTexts(), "&amp;", token, token[:999], repeat("/x", 999)) {
			text := repeat(unit, size)
			began := time.Now()
			got := prober.Hide(text+" at its end", test.secrets...)
			if took := time.Since(began); took > bound {
				t.Errorf("%s: %d bytes of %.20q took %s", name, size, unit, took)
			}
			if test.readable && !strings.HasSuffix(got, " at its end") {
				t.Errorf("%s: %d bytes of %.20q became %.20q...%q", name, size, unit, got, got[max(0, len(got)-20):])
			}
		}
	}
}

// Of a text of any length no more is looked at than is kept, and no secret is left at the
// end of that.
func TestHideClip(t *testing.T) {
	t.Parallel()
	const limit, looked = 40, 4<<10 + 4*40
	token := "q7Zk2Vx9Lr4Tn8Hs1Yd6Wc3Mb5Jf0GpKzQe7RtUv2XiAo9SlDh4CyNw8BmEj1Fg6"
	secrets := []prober.Secret{prober.Secret("Bearer " + token), prober.Secret(longToken())}
	for name, test := range map[string]struct{ text, want string }{
		"short":          {"no " + token + "\x00.", "no [secret] ."},
		"clipped":        {token + strings.Repeat("x", 60), "[secret]" + strings.Repeat("x", 29) + "..."},
		"all of a long":  {longToken() + " and " + token + " are no tokens", "[secret] and [secret] are no tokens"},
		"cut by us":      {strings.Repeat(longToken(), 3) + strings.Repeat(" ", looked-3000-4) + token, strings.Repeat("[secret]", 3) + strings.Repeat(" ", 13) + "..."},
		"of many":        {strings.Repeat(token+", ", 100), strings.Repeat("[secret], ", 3) + "[secret..."},
		"cut in a rune":  {longToken() + strings.Repeat(" ", 22) + strings.Repeat("é", 5000), "[secret]" + strings.Repeat(" ", 22) + "ééé..."},
		"no rune at all": {strings.Repeat("\x80", looked*2), "?..."},
		"of backslashes": {strings.Repeat(`\`, 64<<20), strings.Repeat(`\`, 37) + "..."},
	} {
		began := time.Now()
		if got := prober.HideClip(test.text, limit, secrets...); got != test.want {
			t.Errorf("%s: became %q, want %q", name, got, test.want)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s: took %s", name, took)
		}
	}
	const more, seen = 2000, 4<<10 + 4*2000
	before := strings.Repeat(token+" ", seen/(len(token)+1)-2)
	for cut := range len(token) {
		got := prober.HideClip(before+strings.Repeat("-", seen-len(before)-cut)+token+token, more, secrets...)
		for i := range len(token) - 3 {
			if strings.Contains(got, token[i:i+4]) || !strings.HasSuffix(got, "...") {
				t.Fatalf("cut at %d: %q is left", cut, got[len(got)-100:])
			}
		}
	}
}

// Nothing is made anew for a byte of a text.
func TestHideAllocates(t *testing.T) {
	for name, secret := range map[string]prober.Secret{"a key": "3f2c9a50-77aa-4a1b-9b0c-0123456789ab", "a token": prober.Secret("Bearer " + longToken())} {
		short := testing.AllocsPerRun(1, func() { prober.Hide("x", secret) })
		for _, unit := range escapeTexts() {
			text := strings.Repeat(unit, 64<<10/len(unit))
			if got := testing.AllocsPerRun(1, func() { prober.Hide(text, secret) }); got > short+50 { // the text's own growth
				t.Errorf("%s: 64 KiB of %.20q took %.0f allocations, and one byte %.0f", name, unit, got, short)
			}
		}
	}
}

// What is hidden is never there any more, if it is no short word.
func FuzzHide(f *testing.F) {
	f.Add("live_1234?token=abcdefgh", "the key live_1234?token=abcdefgh is no key")
	f.Add("a+b/c&d", `quoted: "a\u002bb\/c&amp;d..."`)
	f.Add("Basic dXNlcjpwYXNzd29yZA==", "password of user")
	f.Add(`\\\%`, `\\\\\\%25, \u005c`)
	f.Fuzz(func(t *testing.T, secret, text string) {
		secret, text = secret[:min(len(secret), 1<<10)], text[:min(len(text), 64<<10)]
		got := prober.Hide(text, prober.Secret(secret))
		for _, part := range strings.Split(got, prober.Secret("").String()) {
			if len(secret) >= 4 && strings.Contains(part, secret) {
				t.Errorf("%q became %q, which has %q", text, got, secret)
			}
		}
	})
}
