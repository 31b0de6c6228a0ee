//go:build unix

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

func TestLockFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key.lock")
	unlock, err := lockFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockFile(path); !errors.Is(err, errInUse) {
		t.Errorf("a second lock: %v", err)
	}
	unlock()
	again, err := lockFile(path)
	if err != nil {
		t.Fatalf("after the first is unlocked: %v", err)
	}
	again()

	victim, link := filepath.Join(t.TempDir(), "victim"), path+"-link"
	if err := os.Symlink(victim, link); err != nil {
		t.Fatal(err)
	}
	if _, err := lockFile(link); err == nil || errors.Is(err, errInUse) {
		t.Errorf("a link was followed: %v", err)
	}
	if _, err := os.Lstat(victim); err == nil {
		t.Error("a link made us create a file elsewhere")
	}
}

func TestLockFolder(t *testing.T) {
	t.Parallel()
	byUser := "streamcanary-" + strconv.Itoa(os.Geteuid())
	for _, tt := range []struct {
		name    string
		prepare func(cache, temp string) error
		want    string // below cache and temp; "" is an error
	}{
		{"cache", func(_, _ string) error { return nil }, "cache/streamcanary"},
		{"none yet", func(cache, _ string) error { return os.Remove(cache) }, "cache/streamcanary"},
		{"cache is a file", func(cache, _ string) error {
			return errors.Join(os.Remove(cache), os.WriteFile(cache, nil, 0o600))
		}, "temp/" + byUser},
		{"others write to it", func(cache, _ string) error {
			folder := filepath.Join(cache, "streamcanary")
			return errors.Join(os.Mkdir(folder, 0o700), os.Chmod(folder, 0o777))
		}, "temp/" + byUser},
		{"links in both", func(cache, temp string) error {
			return errors.Join(os.Symlink(temp, filepath.Join(cache, "streamcanary")), os.Symlink(cache, filepath.Join(temp, byUser)))
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cache, temp := filepath.Join(dir, "cache"), filepath.Join(dir, "temp")
			if err := errors.Join(os.Mkdir(cache, 0o700), os.Mkdir(temp, 0o700), tt.prepare(cache, temp)); err != nil {
				t.Fatal(err)
			}
			got, err := lockFolder(func() (string, error) { return cache, nil }, temp)
			if tt.want == "" {
				if err == nil {
					t.Errorf("got %s, want an error", got)
				}
				return
			}
			if err != nil || got != filepath.Join(dir, tt.want) {
				t.Fatalf("got %s, %v", got, err)
			}
			if info, err := os.Stat(got); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("%v, %v", info.Mode(), err)
			}
		})
	}
}
