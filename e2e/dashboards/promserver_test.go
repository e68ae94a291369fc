package dashboards_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/testtools"
	"github.com/caddy-chatkit/caddy-chatkit/internal/shipped"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// promServer is a real Prometheus that scrapes every second, with the shipped
// rules.
type promServer struct {
	*testsite.Process

	t   *testing.T
	url string
}

// startPrometheus starts one that scrapes an address.
func startPrometheus(t *testing.T, target string) *promServer {
	t.Helper()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "prometheus.yml"), promConfig(t, target))
	return runPrometheus(t, dir)
}

// runPrometheus starts one with the prometheus.yml of a folder.
func runPrometheus(t *testing.T, dir string) *promServer {
	t.Helper()
	program, addr := testtools.Program(t, "prometheus"), testsite.FreeAddr(t)
	config := filepath.Join(dir, "prometheus.yml")
	p := &promServer{t: t, url: "http://" + addr}
	p.Process = testsite.StartProgram(t, dir, nil, program, "--config.file="+config,
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr)
	p.Await(t, "Server is ready to receive web requests")
	return p
}

func promConfig(t *testing.T, target string) string {
	t.Helper()
	return fmt.Sprintf(`global:
  scrape_interval: 1s
  scrape_timeout: 1s
  evaluation_interval: 1s
rule_files:
  - %q
  - %q
scrape_configs:
  - job_name: caddy
    static_configs:
      - targets: [%q]
`, shipped.Path(t, shipped.RecordingFile), shipped.Path(t, shipped.AlertsFile), target)
}

// get reads the data of an answer of its API.
func (p *promServer) get(path string, query url.Values, data any) error {
	resp, err := http.Get(p.url + path + "?" + query.Encode())
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err
	}
	if answer.Status != "success" {
		return fmt.Errorf("%s: %s", resp.Status, answer.Error)
	}
	return json.Unmarshal(answer.Data, data)
}

// sample is a value of a series.
type sample struct {
	Metric map[string]string
	Value  value
}

type value float64

// UnmarshalJSON reads [time, "value"].
func (v *value) UnmarshalJSON(b []byte) error {
	var pair [2]any
	if err := json.Unmarshal(b, &pair); err != nil {
		return err
	}
	f, err := strconv.ParseFloat(fmt.Sprint(pair[1]), 64)
	*v = value(f)
	return err
}

// query evaluates an expression now.
func (p *promServer) query(expr string) ([]sample, error) {
	var data struct{ Result []sample }
	if err := p.get("/api/v1/query", url.Values{"query": {expr}}, &data); err != nil {
		return nil, fmt.Errorf("%w in %s", err, expr)
	}
	return data.Result, nil
}

// rule is a recording rule or an alert as Prometheus has loaded it.
type rule struct {
	Name, Query, Type, Health, LastError, State string
	Labels, Annotations                         map[string]string
}

func (p *promServer) rules() []rule {
	p.t.Helper()
	var data struct{ Groups []struct{ Rules []rule } }
	if err := p.get("/api/v1/rules", nil, &data); err != nil {
		p.t.Fatal(err)
	}
	var all []rule
	for _, g := range data.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) == 0 {
		p.t.Fatal("prometheus has no rules")
	}
	return all
}

// eventually tries until there is no error, for as long as a breaker stays open and a
// busy machine scrapes twice.
func eventually(try func() error) (err error) {
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if err = try(); err == nil || time.Now().After(end) {
			return err
		}
	}
}

// await waits until an expression has a value.
func (p *promServer) await(expr string, want float64) {
	p.t.Helper()
	err := eventually(func() error {
		got, err := p.query(expr)
		switch {
		case err != nil:
			return err
		case len(got) != 1 || float64(got[0].Value) != want:
			return fmt.Errorf("%s is %v, want %v", expr, got, want)
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}
