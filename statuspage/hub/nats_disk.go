//go:build linux || darwin

package hub

import (
	"syscall"

	"streamcanary/prober/report"
)

// disk is the one that path is on.
func disk(path string) *report.Disk {
	return &report.Disk{Path: path, Free: func() (int64, error) {
		var fs syscall.Statfs_t
		if err := syscall.Statfs(path, &fs); err != nil {
			return 0, err
		}
		return int64(fs.Bavail) * int64(fs.Bsize), nil //nolint:gosec,unconvert // the types differ between systems
	}}
}
