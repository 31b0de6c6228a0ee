package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestTell(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		err  error
		code int
		says string
	}{
		{"success", nil, exitOK, ""},
		{"failure", errors.New("port 8080 is taken; give --http"), exitFailure, "streamcanary: port 8080 is taken; give --http\n"},
		{"usage", usageErrorf("unknown flag: %s", "--x"), exitUsage, "streamcanary: unknown flag: --x\n"},
		{"wrapped", fmt.Errorf("probe: %w", &exitError{code: exitBroken, err: errors.New("no sockets")}), exitBroken, "streamcanary: probe: no sockets\n"},
		{"already told", &exitError{code: exitInconclusive}, exitInconclusive, ""},
	} {
		var stderr strings.Builder
		if code := tell(tt.err, &stderr); code != tt.code || stderr.String() != tt.says {
			t.Errorf("%s: got %d, %q, want %d, %q", tt.name, code, stderr.String(), tt.code, tt.says)
		}
	}
}

func TestExitErrorIsTransparent(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	if err := error(&exitError{code: exitBroken, err: cause}); !errors.Is(err, cause) {
		t.Errorf("%v hides its cause", err)
	}
}
