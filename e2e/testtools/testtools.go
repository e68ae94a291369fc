// Package testtools says what a test needs that Go alone does not bring: programs,
// and the packages of Node and Python. Where one is missing, the test is
// skipped and says so; with CHATKIT_REQUIRE_TOOLS=1, as the gate sets it, that
// is a failure. Only tests import it.
package testtools

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Program is the path of a program, the first of the names that is there.
func Program(tb testing.TB, names ...string) string {
	tb.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(tb, "program", names[0])
	return ""
}

// Node is the path of Node.js, which finds the packages by require: in the
// directories of NODE_PATH, as Node itself looks for them.
func Node(tb testing.TB, packages ...string) string {
	tb.Helper()
	node := Program(tb, "node")
	for _, name := range packages {
		//nolint:gosec // the names are those of the tests
		if exec.CommandContext(tb.Context(), node, "-e", "require.resolve(process.argv[1])", name).Run() != nil {
			missing(tb, "npm package (see .ci/node; NODE_PATH has to name its node_modules)", name)
		}
	}
	return node
}

// Python is the path of a Python 3 that can import the modules: the first on
// the PATH, or the system's own, for which distributions package modules.
func Python(tb testing.TB, modules ...string) string {
	tb.Helper()
	code := "import " + strings.Join(append([]string{"sys"}, modules...), ", ")
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		//nolint:gosec // the names are those of the tests
		if exec.CommandContext(tb.Context(), name, "-c", code).Run() == nil {
			return name
		}
	}
	missing(tb, "Python with", code)
	return ""
}

// missing ends a test that needs what is not there.
func missing(tb testing.TB, kind, name string) {
	tb.Helper()
	if os.Getenv("CHATKIT_REQUIRE_TOOLS") == "1" {
		tb.Fatalf("%s is missing: %s", kind, name)
	}
	tb.Skipf("%s is missing: %s", kind, name)
}
