package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// repository is the folder of go.mod, seen from this package's tests.
const repository = "../.."

// deployFolder is where the examples are, for scripts that run elsewhere.
func deployFolder() (string, error) {
	folder, err := filepath.Abs(filepath.Join(repository, "deploy"))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(folder); err != nil {
		return "", fmt.Errorf("the tests run outside the repository: %w", err)
	}
	return folder, nil
}
