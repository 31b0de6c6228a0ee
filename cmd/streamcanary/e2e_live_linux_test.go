package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pty is a terminal of 80x24 with nobody at it but the test.
type pty struct {
	person *os.File // what is typed, and what is seen
	device *os.File // the program's
}

func openPTY(t *testing.T) pty {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { person.Close() })
	fd := int(person.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
		t.Fatal(err)
	}
	device, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { device.Close() })
	return pty{person, device}
}

// settings are what stty shows.
func (p pty) settings(t *testing.T) unix.Termios {
	t.Helper()
	s, err := unix.IoctlGetTermios(int(p.device.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *s
}

// TestProbeLive: on a terminal the probe shows itself, and gives the terminal back as
// it was, with a report on it, whether a key or a signal ends it.
func TestProbeLive(t *testing.T) {
	t.Parallel()
	s := startNginx(t, "127.0.0.1")
	for name, end := range map[string]func(*testing.T, pty, *exec.Cmd){
		"Ctrl-C": func(t *testing.T, p pty, _ *exec.Cmd) {
			t.Helper()
			if _, err := p.person.WriteString("\x03"); err != nil {
				t.Error(err)
			}
		},
		"SIGTERM": func(t *testing.T, _ pty, c *exec.Cmd) {
			t.Helper()
			if err := c.Process.Signal(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := openPTY(t)
			before := p.settings(t)
			key := "live-" + strings.ToLower(strings.ReplaceAll(name, "-", ""))
			cmd := exec.Command(binary(t), "probe", "--watch", "--ingest", s.ingest(key), "--playback", s.playback(key))
			cmd.Stdin, cmd.Stdout, cmd.Stderr = p.device, p.device, p.device
			cmd.Env = append(os.Environ(), "TERM=xterm-256color", "NO_COLOR=1")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			t.Cleanup(func() { _ = cmd.Process.Kill() })
			seen := newOutput()
			go func() { _, _ = io.Copy(seen, p.person) }()
			waitSeen(t, seen, "proof sei")
			waitSeen(t, seen, "good")
			if raw := p.settings(t); raw == before {
				t.Error("keys are not taken one by one")
			}
			end(t, p, cmd)
			select {
			case err := <-ended:
				if err != nil {
					t.Errorf("it ended with %v, want exit code 0", err)
				}
			case <-time.After(e2ePatience):
				t.Fatal("it did not end")
			}
			waitSeen(t, seen, "### Renditions")
			if after := p.settings(t); after != before {
				t.Errorf("the terminal was %+v and is %+v", before, after)
			}
			screen := seen.text()
			for on, off := range map[string]string{"\x1b[?1049h": "\x1b[?1049l", "\x1b[?25l": "\x1b[?25h"} {
				if strings.LastIndex(screen, on) > strings.LastIndex(screen, off) || !strings.Contains(screen, on) {
					t.Errorf("%q is on, and not off at the end", on)
				}
			}
			if strings.Contains(screen, key) {
				t.Error("the key was on the screen")
			}
		})
	}
}

func waitSeen(t *testing.T, seen *output, want string) {
	t.Helper()
	limit := time.NewTimer(e2ePatience)
	defer limit.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(seen.text(), want) {
		select {
		case <-limit.C:
			t.Fatalf("%q was not seen; on the terminal is %q", want, seen.text())
		case <-tick.C:
		}
	}
}
