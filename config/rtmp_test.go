package config

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"streamcanary/prober"
)

// What a target says of its ingests' RTMP reaches every one of them.
func TestRTMP(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	data, err := os.ReadFile("testdata/bad/rtmp-user.yaml")
	if err != nil {
		t.Fatal(err)
	}
	load := func(how string, ca []byte) (File, error) {
		text := strings.Replace(string(data), "rtmp: {user: me}", "rtmp: "+how, 1)
		text = strings.Replace(text, "rtmp://in", "rtmps://in", 1)
		around := around()
		around.readSecret = func(string) ([]byte, error) { return ca, nil }
		return parse("x", []byte(text), around)
	}
	f, err := load("{user: me, password: \"${GOOD_KEY}\", ca_file: ca.pem, enhanced: true, every_address: true, timestamps: run_on}", ca)
	if err != nil {
		t.Fatal(err)
	}
	want := prober.RTMP{User: "me", Password: "Hunter2-Hunter2-Hunter2", CA: string(ca), Enhanced: true, EveryAddress: true,
		Timestamps: prober.TimestampsRunOn}
	for _, in := range f.Hub.Targets[0].Ingests {
		if in.RTMP != want {
			t.Errorf("ingest %s has %+v", in.ID, in.RTMP)
		}
	}
	if _, err := load("{ca_file: ca.pem}", []byte("no certificate")); err == nil || !strings.Contains(err.Error(), "ca.pem holds no certificate in PEM") {
		t.Errorf("a file without a certificate gave %v", err)
	}
}
