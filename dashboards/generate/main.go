// Command generate writes the Grafana dashboard:
//
//	go run ./dashboards/generate [<file>]
//
// The file is dashboards/chatkit-overview.json unless one is named. Panels are
// declared in the files named after the rows; everything that all of them have
// in common is added here.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// committed is the file from the root of the repository.
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

// write writes the dashboard into a file.
func write(file string) error {
	text, err := render()
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644) //nolint:gosec // it is for everybody to read
}

// render is the dashboard as JSON, the same for every call.
func render() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // expressions have < and > in them
	e.SetIndent("", "  ")
	err := e.Encode(overview())
	return b.Bytes(), err
}
