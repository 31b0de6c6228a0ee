package config

import (
	"crypto/x509"
	"slices"
	"strings"

	"streamcanary/prober"
)

// rtmp is how a target's ingests are spoken to.
func (c *checker) rtmp(at string, t targetFile) prober.RTMP {
	f := t.RTMP
	if f == nil {
		return prober.RTMP{}
	}
	how := prober.RTMP{User: f.User, Enhanced: f.Enhanced, EveryAddress: f.EveryAddress, Timestamps: prober.Timestamps(f.Timestamps)}
	how.Password = c.secret(at+".password", f.Password, f.PasswordFile)
	if (f.User == "") != (f.Password == "" && f.PasswordFile == "") {
		c.addf(at+".user", "goes with password or password_file; write both or neither")
	}
	if f.Timestamps != "" {
		c.reference(at+".timestamps", f.Timestamps, "way", []string{string(prober.TimestampsRestart), string(prober.TimestampsRunOn)})
	}
	if f.CAFile != "" {
		how.CA = c.authorities(at+".ca_file", f.CAFile)
		if !slices.ContainsFunc(t.Ingests, func(e endpointFile) bool { return strings.HasPrefix(e.URL, "rtmps://") }) {
			c.addf(at+".ca_file", "is set, but no ingest of the target begins with rtmps://; remove it, or write rtmps:// in an ingest's url")
		}
	}
	return how
}

// authorities reads a file of certificates in PEM: it goes to the agents as it is.
func (c *checker) authorities(path, name string) string {
	if c.withoutSecrets {
		return "" // nor is it secret, but of another file
	}
	content, err := c.readSecret(c.abs(name))
	if err != nil {
		c.addf(path, "cannot be read: %s; it must be a file of certificates in PEM", strings.ReplaceAll(err.Error(), ";", ","))
		return ""
	}
	if !x509.NewCertPool().AppendCertsFromPEM(content) {
		c.addf(path, "%s holds no certificate in PEM; want the authorities that an rtmps ingest is verified against", name)
		return ""
	}
	return string(content)
}
