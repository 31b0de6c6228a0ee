//go:build !unix

package main

import "os"

// terminalWidth is not known here: lines stay whole.
func terminalWidth(*os.File) int { return 0 }

// interrupt is not needed here: without a terminal there is no live view.
func interrupt() {}
