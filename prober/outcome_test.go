package prober_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"streamcanary/prober"
)

// TestReasonsIsComplete reads the constants from the source, so that a reason
// that is added without being listed is noticed.
func TestReasonsIsComplete(t *testing.T) {
	t.Parallel()
	declared := constants(t, "Reason")
	if len(declared) < 40 {
		t.Fatalf("found only %d constants of type Reason: the test reads them wrongly", len(declared))
	}
	listed := prober.Reasons()
	for _, d := range declared {
		if !slices.Contains(listed, prober.Reason(d)) {
			t.Errorf("Reasons() lacks %q", d)
		}
	}
	if len(listed) != len(declared) {
		t.Errorf("Reasons() has %d entries, %d constants are declared", len(listed), len(declared))
	}
}

func constants(t *testing.T, typeName string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "outcome.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); !ok || id.Name != typeName {
			return true
		}
		for _, v := range spec.Values {
			s, err := strconv.Unquote(v.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, s)
		}
		return true
	})
	return found
}
