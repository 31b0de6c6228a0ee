//go:build !linux && !darwin

package hub

import "streamcanary/prober/report"

// disk is not known here.
func disk(string) *report.Disk { return nil }
