package main_test

import (
	"os"
	"testing"
)

// needs ends a test that needs a program that is not there: as a failure where
// the gate says that everything has to be there, else as a skip that says so.
func needs(t *testing.T, program string) {
	t.Helper()
	if os.Getenv("CHATKIT_REQUIRE_TOOLS") == "1" {
		t.Fatalf("%s is missing", program)
	}
	t.Skipf("%s is missing", program)
}
