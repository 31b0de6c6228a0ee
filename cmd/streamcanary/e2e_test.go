package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"streamcanary/prober"
)

// The end-to-end tests run the program as people run it: the static binary, in
// processes of its own, against servers that we did not write.

// e2ePatience bounds each wait for something that has no bound of its own to be
// held to. Machines that run tests are slow at times.
const e2ePatience = 45 * time.Second

// endToEnd runs the tests of this package. Most of them wait for processes, not
// for this one's share of a processor, so more of them run at once than there
// are processors, unless the command line says otherwise.
type endToEnd struct{ *testing.M }

func (e endToEnd) Run() int {
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	defer func() {
		if built.dir != "" {
			_ = os.RemoveAll(built.dir)
		}
	}()
	return e.M.Run()
}

// built is the real binary, which the first test that needs it builds.
var built struct {
	once sync.Once
	dir  string
	err  error
}

func binary(tb testing.TB) string {
	tb.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "streamcanary-e2e-"); built.err != nil {
			return
		}
		build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", built.dir, ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	if built.err != nil {
		tb.Fatalf("the binary cannot be built: %v", built.err)
	}
	return filepath.Join(built.dir, "streamcanary")
}

// needs skips where something that a test runs is missing, with what to do about
// it. Under CI=true that is a failure.
func needs(t *testing.T, missing error, remedy string) {
	t.Helper()
	switch {
	case missing == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("%v; %s", missing, remedy)
	default:
		t.Skipf("%v; %s", missing, remedy)
	}
}

// needsProgram is the path of a program of Debian's package of some name.
func needsProgram(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	needs(t, err, "on Debian: apt-get install "+pkg)
	return path
}

// ports hands out free ports, each once, below those that systems hand out for
// outgoing connections (so that a server that was killed finds its port free)
// and above those that demos look for.
var ports struct {
	sync.Mutex
	next int
}

func freePort(tb testing.TB, host string) string {
	tb.Helper()
	const lowest, highest = 22_000, 32_000
	ports.Lock()
	defer ports.Unlock()
	if ports.next == 0 {
		ports.next = lowest + os.Getpid()*37%(highest-lowest) // two runs at once begin apart
	}
	for range highest - lowest {
		if ports.next++; ports.next >= highest {
			ports.next = lowest
		}
		addr := net.JoinHostPort(host, strconv.Itoa(ports.next))
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			tb.Fatal(err)
		}
		return addr
	}
	tb.Fatalf("no port of %s from %d to %d is free", host, lowest, highest)
	return ""
}

// eventually polls until a condition holds, and gives the time that took. A
// condition that does not hold says why, for the error.
func eventually(t *testing.T, what string, limit time.Duration, holds func() error) time.Duration {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	begun := time.Now()
	for {
		err := holds()
		took := time.Since(begun)
		if err == nil {
			return took
		}
		if took > limit {
			t.Fatalf("not within %v: %s: %v", limit, what, err)
		}
		<-tick.C
	}
}

// fetch gets a document, with a bearer token where one is given.
func fetch(url string, token prober.Secret) ([]byte, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, resp.Status)
	}
	return body, err
}
