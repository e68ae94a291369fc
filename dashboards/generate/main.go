// Command generate writes the Grafana dashboard:
//
//	go run ./dashboards/generate [<file>]
//
// The default file is dashboards/chatkit-overview.json. Each row of panels is
// declared in a file of the same name; build.go adds what all panels share.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// committed is the path of the file, relative to the root of the repository.
const committed = "dashboards/chatkit-overview.json"

func main() {
	file := committed
	if len(os.Args) > 1 {
		file = os.Args[1]
	}
	if err := write(file); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// write writes the dashboard to a file.
func write(file string) error {
	text, err := render()
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644) //nolint:gosec // a public file
}

// render returns the dashboard as JSON. The output is deterministic.
func render() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // expressions contain < and >
	e.SetIndent("", "  ")
	err := e.Encode(overview())
	return b.Bytes(), err
}
