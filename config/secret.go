package config

import (
	"encoding/base64"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"streamcanary/prober"
)

// minSecret is the shortest key or token that is accepted, in bytes: 16 random
// characters are out of reach of guessing over a network.
const minSecret = 16

// maxSecret bounds what is read of a secret's file, in bytes.
const maxSecret = 64 << 10

// secret resolves the secret at path: ${NAME} from the environment, a file when
// path_file names one, or the literal. It is "" when nothing is given.
func (c *checker) secret(path string, literal secretText, file string) prober.Secret {
	switch {
	case literal != "" && file != "":
		c.addf(path+"_file", "is set beside %s; remove one of them", lastKey(path))
		return ""
	case file != "":
		return c.secretFromFile(path+"_file", file)
	default:
		return c.expand(path, string(literal))
	}
}

func (c *checker) expand(path, text string) prober.Secret {
	reference := regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$`).FindStringSubmatch(text)
	if reference == nil {
		if strings.Contains(text, "${") {
			c.addf(path, "mixes text with ${...}; the whole value must be one ${NAME}")
		}
		if text != "" {
			c.literals = append(c.literals, path)
		}
		return prober.Secret(text)
	}
	if c.withoutSecrets {
		return c.leftOut(path)
	}
	value, ok := c.env(reference[1])
	switch {
	case !ok:
		c.addf(path, "the environment variable %s is not set; set it, or use %s_file", reference[1], lastKey(path))
	case value == "":
		c.addf(path, "the environment variable %s is empty; give it the value, or use %s_file", reference[1], lastKey(path))
	}
	if value == "" {
		c.wrong[path] = true
	}
	return prober.Secret(value)
}

// leftOut mutes what would be said of a secret that is not looked for.
func (c *checker) leftOut(path string) prober.Secret {
	c.wrong[path] = true
	return ""
}

func readSecret(path string) ([]byte, error) { return read(path, maxSecret) }

func (c *checker) secretFromFile(path, name string) prober.Secret {
	if c.withoutSecrets {
		return c.leftOut(path)
	}
	content, err := c.readSecret(c.abs(name))
	if err != nil {
		c.addf(path, "cannot be read: %s; it must be a file that holds nothing but the secret", strings.ReplaceAll(err.Error(), ";", ","))
		return ""
	}
	text := strings.TrimSpace(string(content))
	if text == "" {
		c.addf(path, "%s is empty; it must hold the secret", name)
	}
	return prober.Secret(text)
}

// needSecret is secret for one that must be there, and hard to guess.
func (c *checker) needSecret(path string, literal secretText, file string) prober.Secret {
	if literal == "" && file == "" {
		c.addf(path, "is missing; write ${NAME} to take it from the environment, or use %s_file", lastKey(path))
		return ""
	}
	s := c.secret(path, literal, file)
	if n := len(s.Reveal()); n > 0 && n < minSecret {
		c.addf(path, "is only %d characters; want at least %d, for example from: openssl rand -hex 16", n, minSecret)
	}
	return s
}

// signingSecret is secret for one that signs, in the form that Standard Webhooks
// gives it (standardwebhooks.com, "Symmetric"): whsec_ and the base64 of its bytes.
func (c *checker) signingSecret(path string, literal secretText, file string) prober.Secret {
	const least, most = 24, 64 // bytes
	const want = "want whsec_ and the base64 of 24 to 64 bytes, from: echo whsec_$(openssl rand -base64 32)"
	s := c.secret(path, literal, file)
	if s == "" {
		return "" // reported already
	}
	if file != "" {
		path += "_file"
	}
	encoded, ok := strings.CutPrefix(s.Reveal(), "whsec_")
	if !ok {
		c.addf(path, "does not begin with whsec_; %s", want)
		return ""
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	switch {
	case err != nil:
		c.addf(path, "has something behind whsec_ that is not base64; %s", want)
	case len(key) < least || len(key) > most:
		c.addf(path, "holds %d bytes; %s", len(key), want)
	default:
		return s
	}
	return ""
}

// exposed warns of secrets that stand in a file which others can read. Modes say
// nothing on Windows.
func (c *checker) exposed() {
	if len(c.literals) == 0 || !c.mode.IsRegular() || c.mode.Perm()&0o077 == 0 || runtime.GOOS == "windows" {
		return
	}
	c.warnf("the file can be read by others (mode %04o) and holds %s itself: %s; chmod 600, or write ${NAME} or ..._file in the place of each",
		c.mode.Perm(), count(len(c.literals), "secret"), strings.Join(c.literals, ", "))
}

// abs resolves a path in the file, relative to the file's own folder.
func (c *checker) abs(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.dir, name)
}

func lastKey(path string) string {
	return path[strings.LastIndexByte(path, '.')+1:]
}
