package web

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// chromium is a headless browser that is spoken to over the DevTools protocol,
// on a pipe: JSON messages that end with a zero byte.
type chromium struct {
	t       *testing.T
	in      *os.File
	out     *bufio.Reader
	session string
	id      int
}

// findChromium skips the test where there is no browser, except in CI, where a
// skip would go unnoticed.
func findChromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no chromium here, and CI=true: install it (Debian: apt-get install chromium)")
	}
	t.Skip("no chromium here: what the page looks like is not checked (Debian: apt-get install chromium)")
	return ""
}

func startChromium(t *testing.T) *chromium {
	t.Helper()
	path := findChromium(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	cmd := exec.CommandContext(ctx, path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--hide-scrollbars", "--remote-debugging-pipe", "--user-data-dir="+profile(t), "about:blank")
	theirIn, ourIn := pipe(t)
	ourOut, theirOut := pipe(t)
	cmd.ExtraFiles = []*os.File{theirIn, theirOut} // 3 and 4
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = theirIn.Close()
	_ = theirOut.Close()
	c := &chromium{t: t, in: ourIn, out: bufio.NewReader(ourOut)}
	t.Cleanup(func() {
		c.session = ""
		_ = c.send("Browser.close", nil)
		_ = cmd.Wait() // ends with Browser.close; its status says nothing of the page
		cancel()
		_ = ourIn.Close()
		_ = ourOut.Close()
	})
	target := c.call("Target.createTarget", map[string]any{"url": "about:blank"})
	attached := c.call("Target.attachToTarget", map[string]any{"targetId": target["targetId"], "flatten": true})
	c.session = fmt.Sprint(attached["sessionId"])
	c.call("Page.enable", nil)
	c.call("Network.enable", nil)
	c.call("Network.setCacheDisabled", map[string]any{"cacheDisabled": true})
	return c
}

// profile is a fresh directory for the browser. Its helpers may still write there
// for a moment after it has ended, so that one attempt to remove it is not enough.
func profile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "chromium-") //nolint:usetesting // t.TempDir fails the test in that moment
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		again := time.NewTicker(20 * time.Millisecond)
		defer again.Stop()
		for range 250 {
			if os.RemoveAll(dir) == nil {
				return
			}
			<-again.C
		}
		t.Logf("%s could not be removed", dir)
	})
	return dir
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

func (c *chromium) send(method string, params map[string]any) error {
	c.id++
	message := map[string]any{"id": c.id, "method": method, "params": params}
	if params == nil {
		delete(message, "params")
	}
	if c.session != "" {
		message["sessionId"] = c.session
	}
	b, err := json.Marshal(message)
	if err != nil {
		return err
	}
	_, err = c.in.Write(append(b, 0))
	return err
}

type devtoolsMessage struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Result map[string]any  `json:"result"`
	Error  json.RawMessage `json:"error"`
}

func (c *chromium) receive() devtoolsMessage {
	c.t.Helper()
	b, err := c.out.ReadBytes(0)
	if err != nil {
		c.t.Fatalf("chromium: %v", err)
	}
	var m devtoolsMessage
	if err := json.Unmarshal(b[:len(b)-1], &m); err != nil {
		c.t.Fatalf("chromium said %s: %v", b, err)
	}
	return m
}

func (c *chromium) call(method string, params map[string]any) map[string]any {
	c.t.Helper()
	if err := c.send(method, params); err != nil {
		c.t.Fatalf("chromium: %s: %v", method, err)
	}
	for {
		m := c.receive()
		if m.ID != c.id {
			continue
		}
		if m.Error != nil {
			c.t.Fatalf("chromium: %s: %s", method, m.Error)
		}
		return m.Result
	}
}

// open loads a page as a screen of this width and colour scheme shows it.
func (c *chromium) open(address string, width int, scheme string) {
	c.t.Helper()
	c.call("Emulation.setDeviceMetricsOverride", map[string]any{
		"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500,
	})
	c.call("Emulation.setEmulatedMedia", map[string]any{
		"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}},
	})
	if err := c.send("Page.navigate", map[string]any{"url": address}); err != nil {
		c.t.Fatalf("chromium: %v", err)
	}
	for c.receive().Method != "Page.loadEventFired" { //nolint:revive // waiting is the work
	}
}

func (c *chromium) evaluate(expression string) any {
	c.t.Helper()
	result := c.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true})
	value, ok := result["result"].(map[string]any)
	if !ok || result["exceptionDetails"] != nil {
		c.t.Fatalf("chromium: %s: %v", expression, result)
	}
	return value["value"]
}

// picture is the page, or the part of it that the screen shows, as PNG.
func (c *chromium) picture(whole bool) []byte {
	c.t.Helper()
	shot := c.call("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": whole})
	data, err := base64.StdEncoding.DecodeString(fmt.Sprint(shot["data"]))
	if err != nil {
		c.t.Fatal(err)
	}
	return data
}
