package main

import (
	"net/url"
	"regexp"
	"strings"

	"streamcanary/prober"
)

// shownPlaylist shows where a stream of others comes from: host and last part of
// the path. User, query and what stands between may hold tokens.
func shownPlaylist(playback string) string {
	u, err := url.Parse(playback)
	if err != nil {
		return "http://..."
	}
	path := u.EscapedPath()
	if last := strings.LastIndexByte(path, '/'); last > 0 {
		path = "/..." + path[last:]
	}
	return u.Scheme + "://" + u.Host + prober.Clip(path, 200)
}

// leastToken is what a token in a path is at least: "live" and "hls" are none.
const leastToken = 8

// cleanPaths gives what takes the paths of addresses out of a detail, and the parts
// of the playback's own wherever they stand.
func cleanPaths(playback string) func(string) string {
	// host, or host:port, and a path of more than a name
	address := regexp.MustCompile(`((?:[A-Za-z0-9-]+[.:])+[A-Za-z0-9-]+|\[[0-9a-fA-F:.]+\](?::\d+)?)/[^\s"'<>]*/`)
	var parts []string
	if u, err := url.Parse(playback); err == nil {
		between := strings.Split(u.EscapedPath(), "/")
		for _, part := range between[:len(between)-1] {
			if len(part) >= leastToken {
				parts = append(parts, part)
				if plain, err := url.PathUnescape(part); err == nil && plain != part {
					parts = append(parts, plain)
				}
			}
		}
	}
	return func(detail string) string {
		detail = address.ReplaceAllString(detail, "$1/.../")
		for _, part := range parts {
			detail = strings.ReplaceAll(detail, part, "...")
		}
		return detail
	}
}
