package config

import (
	"net/url"
	"slices"

	"streamcanary/prober"
)

// variableOf is what stands for an endpoint's URL where the platform's API knows it.
func variableOf(schemes []string) string {
	if slices.Contains(schemes, "rtmp") {
		return prober.PushVariable
	}
	return prober.PlayVariable
}

// endpointAddress checks an endpoint's URL that is written out.
func (c *checker) endpointAddress(entry string, f endpointFile, want string, schemes []string) *url.URL {
	if f.Node != "" {
		c.addf(entry+".node", "is used only with url: %q; remove it", variableOf(schemes))
	}
	return c.streamAddress(entry+".url", f.URL, want, schemes...)
}

// located checks an endpoint that the platform's API has to tell.
func (c *checker) located(entry string, f endpointFile, variable string, p platformFile) {
	tells := p.Type == typeLivepeer
	switch {
	case tells:
	case p.Type == typeHTTP:
		for _, call := range []*callFile{p.Create, p.Resolve} {
			tells = tells || call != nil && call.Take != nil && (variable == prober.PushVariable && call.Take.PushURL != "" ||
				variable == prober.PlayVariable && call.Take.PlayURL != "")
		}
	case variable == prober.PushVariable:
		tells = p.Type == typeCloudflare
	default:
		tells = p.Type == typeMux
	}
	if !tells && slices.Contains(platformTypes(), p.Type) {
		c.addf(entry+".url", "is %s, but nothing says where that is: not the API of a %s platform as it is configured; write the URL", variable, p.Type)
	}
	if f.Node != "" && p.Type != typeLivepeer {
		c.addf(entry+".node", "is not used by a %s platform; remove it", p.Type)
	}
}
