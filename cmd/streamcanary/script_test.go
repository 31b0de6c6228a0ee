package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// Every command line of testdata/script runs the real program in a process of
// its own.
func TestMain(m *testing.M) {
	testscript.Main(endToEnd{m}, map[string]func(){"streamcanary": main})
}

func TestScript(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") == "1",
		Setup: func(env *testscript.Env) error {
			deploy, err := deployFolder()
			if err != nil {
				return err
			}
			env.Setenv("DEPLOY", deploy)
			return nil
		},
	})
}
