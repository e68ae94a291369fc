package main

import (
	"os"
	"path/filepath"
	"testing"
)

// The committed dashboard is what this program writes.
func TestCommittedDashboard(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dashboard.json")
	if err := write(file); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("..", "..", committed))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s differs from the output of the generator; run: go run ./dashboards/generate", committed)
	}
}
