package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// outFile is a file that is there whole or not at all: what is written goes to a
// hidden one beside it, which takes its place at the end. A device or a pipe is
// written to as it is.
type outFile struct {
	*bufio.Writer

	file *os.File
	path string // "" for what is no regular file
}

// readable is who may read a report: it holds no secret, and a CI collects it as
// another user.
const readable = 0o644

func openOut(path string) (*outFile, error) {
	// A link stays one: what it points to is replaced.
	if to, err := filepath.EvalSymlinks(path); err == nil {
		path = to
	}
	mode := fs.FileMode(readable)
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, plainPathError(err)
	case info.IsDir():
		return nil, errors.New("it is a folder")
	case !info.Mode().IsRegular():
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, plainPathError(err)
		}
		return &outFile{Writer: bufio.NewWriter(f), file: f}, nil
	default:
		// One that may not be written to is not replaced either.
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, plainPathError(err)
		}
		f.Close()
		mode = info.Mode().Perm()
	}
	f, err := os.OpenFile(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+rand.Text()[:8]), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil, plainPathError(err)
	}
	return &outFile{Writer: bufio.NewWriter(f), file: f, path: path}, nil
}

// plainPathError is the cause alone: the path is told already.
func plainPathError(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// commit puts what was written in its place.
func (f *outFile) commit() error {
	if err := f.Flush(); err != nil {
		return err
	}
	if f.path == "" {
		return f.file.Close()
	}
	if err := f.file.Sync(); err != nil {
		return err
	}
	if err := f.file.Close(); err != nil {
		return err
	}
	return os.Rename(f.file.Name(), f.path)
}

// discard leaves what was there before.
func (f *outFile) discard() {
	f.file.Close()
	if f.path != "" {
		_ = os.Remove(f.file.Name())
	}
}
