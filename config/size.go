package config

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// byteSize is a number of bytes: 512MB (millions), 4GiB (powers of 1024), or plain.
type byteSize int64

// minSize holds a few of the journal's largest entries; less is a mistake.
const minSize = 16 << 20

const sizeHelp = "write it as 512MB, 4GiB or in bytes"

func (c *checker) walkSize(path string, node *yaml.Node) {
	size, err := parseSize(node.Value)
	switch {
	case err != nil:
		c.unreadable(path, node.Line, err.Error(), sizeHelp)
	case size < minSize:
		c.unreadable(path, node.Line, shorten(node.Value)+" is too little", fmt.Sprintf("want 16MiB (%d bytes) or more", minSize))
	}
}

func parseSize(s string) (byteSize, error) {
	m := regexp.MustCompile(`^(0|[1-9][0-9]*) ?([KMGT]i?B|B|)$`).FindStringSubmatch(s)
	if m == nil {
		return 0, fmt.Errorf("%q is not a size", shorten(s))
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	unit := map[string]int64{
		"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
		"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	}[m[2]]
	if err != nil || n > math.MaxInt64/unit {
		return 0, errors.New(shorten(s) + " is more than can be counted")
	}
	return byteSize(n * unit), nil
}

// sizeHook reads what walkSize has let pass.
func sizeHook(_, to reflect.Type, value any) (any, error) {
	if to != reflect.TypeFor[byteSize]() {
		return value, nil
	}
	return parseSize(fmt.Sprint(value))
}
