package web

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

var pictures = flag.String("pictures", "", "directory to keep the pictures of every state in, to look at")

// TestLooks opens the page in a real browser in every state, on a desk and on a
// phone, light and dark.
func TestLooks(t *testing.T) {
	t.Parallel()
	c := startChromium(t)
	source := &fixed{} // one origin for all: a new one costs the browser a new process
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		New(Config{Source: *source}).ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	for state, page := range pages() {
		source.page = page
		headline, _ := page.Headline()
		for _, width := range []int{1280, 375} {
			for _, scheme := range []string{"light", "dark"} {
				narrowest := width == 375 && scheme == "light"
				if *pictures == "" && !narrowest && (state != "open" || width == 375 || scheme == "light") {
					continue // without somebody who looks, the narrowest will do, and one that is dark
				}
				c.open(s.URL+"/", width, scheme)
				look(t, c, fmt.Sprintf("%s-%d-%s", state, width, scheme), width, scheme)
				if got, want := c.evaluate("document.title"), headline+" - Example Video Status"; got != want {
					t.Errorf("%s: title %q, want %q", state, got, want)
				}
			}
		}
	}
	source.page = open()
	for name, path := range map[string]string{"incident": "/incidents/n4inc0000001", "history": "/history", "missing": "/nowhere"} {
		for _, width := range []int{1280, 375} {
			if *pictures == "" && width == 1280 {
				continue
			}
			c.open(s.URL+path, width, "light")
			look(t, c, fmt.Sprintf("%s-%d-light", name, width), width, "light")
		}
	}
}

func look(t *testing.T, c *chromium, name string, width int, scheme string) {
	t.Helper()
	if got := c.evaluate("document.documentElement.scrollWidth"); got != float64(width) {
		t.Errorf("%s: the page is %v px wide on a screen of %d", name, got, width)
	}
	background := map[string]string{"light": "rgb(245, 246, 248)", "dark": "rgb(14, 17, 22)"}[scheme]
	if got := c.evaluate("getComputedStyle(document.body).backgroundColor"); got != background {
		t.Errorf("%s: background %v, want %s: the policy has refused the style sheet", name, got, background)
	}
	if got := c.evaluate("document.scripts.length + document.querySelectorAll('[src],[style],link[rel=stylesheet]').length"); got != 0. {
		t.Errorf("%s: %v scripts, foreign assets or inline styles", name, got)
	}
	if small := c.evaluate(`[...document.querySelectorAll("main *")].filter(e => e.childElementCount == 0 && e.textContent.trim() && parseFloat(getComputedStyle(e).fontSize) < 13).length`); small != 0. {
		t.Errorf("%s: %v texts are smaller than 13 px", name, small)
	}
	picture := c.picture(*pictures != "")
	img, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	if n := colours(img); n < 20 {
		t.Errorf("%s: the picture has %d colours: is the page blank?", name, n)
	}
	if *pictures != "" {
		if err := os.WriteFile(filepath.Join(*pictures, name+".png"), picture, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func colours(img image.Image) int {
	seen := map[[3]uint32]bool{}
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y += 2 {
		for x := b.Min.X; x < b.Max.X; x += 2 {
			r, g, bl, _ := img.At(x, y).RGBA()
			seen[[3]uint32{r, g, bl}] = true
		}
	}
	return len(seen)
}
