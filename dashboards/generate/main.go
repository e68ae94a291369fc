// Command generate writes the Grafana dashboard:
//
//	go run ./dashboards/generate
//
// For another objective, or for a Prometheus that holds more than the instances
// of interest, it writes the dashboard, the rules and the alerts to a folder of
// your own:
//
//	go run ./dashboards/generate -objective 99.5 -selector 'cluster="eu"' -out <folder>
//
// Each row of panels is declared in a file of the same name; build.go adds what
// all panels share.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// The names of the files. The committed ones are in this folder of the repository.
const (
	committed     = "dashboards"
	dashboardFile = "chatkit-overview.json"
	recordingFile = "rules.yaml"
	alertsFile    = "alerts.yaml"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run does what the arguments say.
func run(args []string) error {
	o := defaults()
	flags := flag.NewFlagSet("generate", flag.ContinueOnError)
	flags.StringVar(&o.objective, "objective", o.objective, "the percentage of session requests that have to get a session")
	flags.StringVar(&o.selector, "selector", o.selector, "matchers for every metric, such as 'cluster=\"eu\"'")
	out := flags.String("out", "", "the folder to write the dashboard, the rules and the alerts to (default: the dashboard only, to dashboards/)")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if err := o.check(); err != nil {
		return err
	}
	if *out != "" {
		return o.writeAll(*out)
	}
	if o != defaults() {
		return errors.New("-objective and -selector need -out, a folder of your own")
	}
	return o.writeDashboard(committed)
}

// writeAll writes the dashboard, the rules and the alerts to a folder.
func (o options) writeAll(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // for public files
		return err
	}
	for _, name := range []string{recordingFile, alertsFile} {
		text, err := o.rules(name)
		if err != nil {
			return err
		}
		if err := write(filepath.Join(folder, name), text); err != nil {
			return err
		}
	}
	return o.writeDashboard(folder)
}

func (o options) writeDashboard(folder string) error {
	text, err := o.render()
	if err != nil {
		return err
	}
	return write(filepath.Join(folder, dashboardFile), text)
}

func write(file string, text []byte) error {
	return os.WriteFile(file, text, 0o644) //nolint:gosec // a public file
}

// render returns the dashboard as JSON. The output is deterministic.
func (o options) render() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // expressions contain < and >
	e.SetIndent("", "  ")
	err := e.Encode(o.overview())
	return b.Bytes(), err
}
