package config

import (
	"os"
	"testing"
)

func TestSizes(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int64{
		"":                    0,
		"null":                0,
		"536870912":           536870912,
		"16777216":            16777216,
		`"536870912"`:         536870912,
		"512MB":               512e6,
		"512 MB":              512e6,
		"20000KB":             20e6,
		"4GB":                 4e9,
		"1TB":                 1e12,
		"17000000B":           17e6,
		"16384KiB":            16 << 20,
		"16MiB":               16 << 20,
		"4GiB":                4 << 30,
		`"2TiB"`:              2 << 40,
		"8388607TiB":          8388607 << 40,
		"9223372036854775807": 1<<63 - 1,
	} {
		f, err := parse("hub.yaml", append(data, "nats: {listen: \"127.0.0.1:1\", max_bytes: "+text+"}\n"...), around())
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if f.Hub.NATS.MaxBytes != want {
			t.Errorf("%q: %d bytes, want %d", text, f.Hub.NATS.MaxBytes, want)
		}
	}
}
