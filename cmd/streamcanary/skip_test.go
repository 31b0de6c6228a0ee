package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Where CI is true a test that skips would go unnoticed: every function that
// skips has to ask for it.
func TestNothingSkipsInCI(t *testing.T) {
	t.Parallel()
	found := 0
	err := fs.WalkDir(os.DirFS(repository), ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, filepath.Join(repository, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range file.Decls {
			skips, asks := skipsAndAsks(d)
			if skips {
				found++
			}
			if skips && !asks {
				t.Errorf("%s skips without a look at the environment's CI: under CI=true it has to fail", files.Position(d.Pos()))
			}
		}
		return nil
	})
	if err != nil || found == 0 {
		t.Errorf("%d functions skip, %v: this test looks in the wrong place", found, err)
	}
}

// skipsAndAsks says whether a function skips, and whether it fails instead where the
// environment's CI is true. To name CI in a message is not to ask.
func skipsAndAsks(d ast.Decl) (skips, asks bool) {
	ci, fails := false, false
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.SelectorExpr); ok {
				skips = skips || f.Sel.Name == "Skip" || f.Sel.Name == "Skipf" || f.Sel.Name == "SkipNow"
				fails = fails || f.Sel.Name == "Fatal" || f.Sel.Name == "Fatalf"
			}
		case *ast.BinaryExpr:
			literal, ok := n.Y.(*ast.BasicLit)
			call, called := n.X.(*ast.CallExpr)
			if ok && called && literal.Value == `"true"` && n.Op == token.EQL && len(call.Args) == 1 {
				asked, ok := call.Args[0].(*ast.BasicLit)
				ci = ci || ok && asked.Value == `"CI"`
			}
		}
		return true
	})
	return skips, ci && fails
}
