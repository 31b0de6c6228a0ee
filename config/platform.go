package config

import (
	"regexp"
	"slices"
	"strings"

	"streamcanary/prober"
)

// The types of platform.
const (
	typeStatic     = "static"
	typeLivepeer   = "livepeer"
	typeMux        = "mux"
	typeCloudflare = "cloudflare"
	typeHTTP       = "http"
)

func platformTypes() []string {
	return []string{typeLivepeer, typeMux, typeCloudflare, typeHTTP, typeStatic}
}

// platformKey is a key of a platform: which types use it, and whether the file has it.
type platformKey struct {
	name  string
	types []string
	set   bool
}

func platformKeys(f platformFile) []platformKey {
	withAPI := []string{typeLivepeer, typeMux, typeCloudflare, typeHTTP}
	return []platformKey{
		{"api", withAPI, f.API != ""},
		{"api_key", withAPI, f.APIKey != "" || f.APIKeyFile != ""},
		{"api_key_id", []string{typeMux}, f.APIKeyID != ""},
		{"account", []string{typeCloudflare}, f.Account != ""},
		{"test", []string{typeMux}, f.Test},
		{"profiles", []string{typeLivepeer}, len(f.Profiles) > 0},
		{"headers", []string{typeHTTP}, len(f.Headers) > 0},
		{"create", []string{typeHTTP}, f.Create != nil},
		{"resolve", []string{typeHTTP}, f.Resolve != nil},
		{"delete", []string{typeHTTP}, f.Delete != nil},
		{"list", []string{typeHTTP}, f.List != nil},
		{"recording", []string{typeHTTP}, f.Recording != nil},
	}
}

// defaultAPI is the API's base where a platform has but one.
func defaultAPI(platformType string) string {
	return map[string]string{typeMux: "https://api.mux.com", typeCloudflare: "https://api.cloudflare.com/client/v4"}[platformType]
}

func (c *checker) platform(at string, f platformFile) prober.Platform {
	p := prober.Platform{Type: f.Type, API: strings.TrimRight(orElse(f.API, defaultAPI(f.Type)), "/")}
	if !c.reference(at+".type", f.Type, "platform type", platformTypes()) {
		return p
	}
	for _, k := range platformKeys(f) {
		if k.set && !slices.Contains(k.types, f.Type) {
			c.addf(at+"."+k.name, "is not used by a %s platform; remove it, or set type: %s", f.Type, k.types[0])
		}
	}
	if f.Type == typeStatic {
		return p
	}
	c.address(at+".api", p.API, "the API's base address, such as https://livepeer.studio/api", "https", "http")
	if f.APIKey == "" && f.APIKeyFile == "" && f.Type != typeHTTP {
		c.addf(at+".api_key", "is missing; write ${NAME} to take it from the environment, or use api_key_file")
	}
	p.Key = c.secret(at+".api_key", f.APIKey, f.APIKeyFile)
	switch f.Type {
	case typeMux:
		c.need(at+".api_key_id", f.APIKeyID, "the id of the access token; its secret is api_key")
		p.KeyID, p.Test = f.APIKeyID, f.Test
	case typeCloudflare:
		p.Account = c.account(at+".account", f.Account)
	case typeLivepeer:
		p.Profiles = c.profiles(at+".profiles", f.Profiles)
	case typeHTTP:
		p.HTTP = c.contract(at, f)
	}
	return p
}

func (c *checker) account(at, text string) string {
	if c.need(at, text, "the account's id, 32 hexadecimal digits") && !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(text) {
		c.addf(at, "%q is not an account's id; want 32 hexadecimal digits", shorten(text))
	}
	return text
}

// profiles have the bounds that Livepeer Studio's API refuses with 422.
func (c *checker) profiles(at string, files []profileFile) []prober.Profile {
	const leastSize, leastBitrate = 128, 400
	var list []prober.Profile
	for i, f := range files {
		entry := index(at, i)
		c.need(entry+".name", f.Name, "the rendition's name, such as 720p")
		if f.Width < leastSize || f.Height < leastSize {
			c.addf(entry, "is %dx%d; want width and height of at least %d each", f.Width, f.Height, leastSize)
		}
		if f.Bitrate < leastBitrate {
			c.addf(entry+".bitrate", "is %d; want bits per second, at least %d", f.Bitrate, leastBitrate)
		}
		if f.FPS < 1 {
			c.addf(entry+".fps", "is %d; want pictures per second, at least 1", f.FPS)
		}
		list = append(list, prober.Profile(f))
	}
	return list
}

// contract checks the calls of any HTTP API, each and together.
func (c *checker) contract(at string, f platformFile) *prober.HTTPContract {
	h := c.calls(at, f)
	for _, fault := range h.Faults() {
		c.addf(at+"."+fault.At, "%s", fault.Text)
	}
	return h
}

func (c *checker) calls(at string, f platformFile) *prober.HTTPContract {
	h := &prober.HTTPContract{Headers: c.headers(at+".headers", f.Headers)}
	h.Create = c.call(at+".create", f.Create, "POST")
	h.Delete = c.call(at+".delete", f.Delete, "DELETE")
	if f.Create != nil && f.Create.Take == nil {
		c.warnf("%s.create.take is missing: the stream's name is taken for its id, its key and its playback id", at)
	}
	if f.Resolve != nil {
		call := c.call(at+".resolve", f.Resolve, "GET")
		h.Resolve = &call
	}
	if f.Recording != nil {
		call := c.call(at+".recording", f.Recording, "GET")
		h.Recording = &call
		if call.Take.PlayURL == "" {
			c.addf(at+".recording.take.play_url", "is missing; want the JSONPath of the recording's URL, such as $.url")
		}
	}
	if f.List == nil {
		c.warnf("%s.list is missing: streams that a crashed agent leaves behind are never deleted", at)
		return h
	}
	h.List = &prober.HTTPList{HTTPCall: c.call(at+".list", f.List, "GET"), Items: orElse(f.List.Items, "$"), Next: f.List.Next}
	c.jsonPath(at+".list.items", h.List.Items)
	c.jsonPath(at+".list.next", h.List.Next)
	if take := h.List.Take; take.ID == "" || take.Name == "" {
		c.addf(at+".list.take", "has no id or no name; want the JSONPath of both in one item, such as $.id and $.name")
	}
	return h
}

func (c *checker) call(at string, f *callFile, method string) prober.HTTPCall {
	if f == nil {
		c.addf(at, "is missing; want path, status, and what the call needs besides: method, body, take")
		return prober.HTTPCall{}
	}
	call := prober.HTTPCall{Method: orElse(f.Method, method), Path: f.Path, Body: f.Body, Type: f.ContentType, Status: f.Status}
	c.method(at+".method", call.Method)
	if !strings.HasPrefix(f.Path, "/") {
		c.addf(at+".path", "%q does not begin with a slash; want the path behind api, such as /streams/{id}", shorten(f.Path))
	}
	c.statuses(at+".status", f.Status)
	if f.Take != nil {
		call.Take = prober.Take(*f.Take)
		for _, p := range []struct{ key, path string }{
			{"id", f.Take.ID}, {"key", f.Take.Key}, {"playback", f.Take.Playback}, {"push_url", f.Take.PushURL},
			{"play_url", f.Take.PlayURL}, {"name", f.Take.Name}, {"created", f.Take.Created},
		} {
			c.jsonPath(at+".take."+p.key, p.path)
		}
	}
	return call
}

func (c *checker) method(at, method string) {
	if !slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}, method) {
		c.addf(at, "%q is not a method; want GET, HEAD, POST, PUT, PATCH or DELETE", shorten(method))
	}
}

func (c *checker) statuses(at string, list []int) {
	if len(list) == 0 {
		c.addf(at, "is missing or empty; want the HTTP statuses of success, such as [200]")
	}
	for i, status := range list {
		if status < 100 || status > 599 {
			c.addf(index(at, i), "%d is not an HTTP status; want from 100 to 599", status)
		}
	}
}

func (c *checker) jsonPath(at, path string) {
	if path == "" {
		return
	}
	if _, err := prober.ParseJSONPath(path); err != nil {
		text, want, _ := strings.Cut(err.Error(), "; ")
		c.addf(at, "%s; %s", text, orElse(want, "want a JSONPath of names and indexes, such as $.result.items[0].id"))
	}
}

func (c *checker) headers(at string, files []headerFile) []prober.Header {
	var list []prober.Header
	for i, f := range files {
		entry := index(at, i)
		if c.need(entry+".name", f.Name, "the name of the header field") && !regexp.MustCompile(`^[A-Za-z0-9-]+$`).MatchString(f.Name) {
			c.addf(entry+".name", "%q is not a header field's name; want letters, digits and hyphens", shorten(f.Name))
		}
		if f.Value == "" && f.ValueFile == "" {
			c.addf(entry+".value", "is missing; write it, ${NAME} to take it from the environment, or use value_file")
		}
		value := c.secret(entry+".value", f.Value, f.ValueFile)
		if strings.ContainsAny(value.Reveal(), "\r\n") {
			c.addf(entry+".value", "has a line break in it; want one line")
		}
		list = append(list, prober.Header{Name: f.Name, Value: value})
	}
	return list
}
