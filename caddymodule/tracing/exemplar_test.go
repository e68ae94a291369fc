package tracing_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// The formats that a Prometheus may ask for.
const (
	asText        = "text/plain;version=0.0.4"
	asOpenMetrics = "application/openmetrics-text;version=1.0.0"
	asProtobuf    = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)

// scrape returns Caddy's metrics in a format: of the admin API, or of a site.
func scrape(t *testing.T, s *testsite.Site, at, format string) (http.Header, []byte) {
	t.Helper()
	r, err := testsite.Request(t.Context(), http.MethodGet, at+"/metrics", "", "Accept: "+format)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Header, b
}

// lines are the lines of a text format that begin with a word.
func lines(t *testing.T, s *testsite.Site, at, format, word string) (got []string) {
	t.Helper()
	_, b := scrape(t, s, at, format)
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, word) {
			got = append(got, line)
		}
	}
	return got
}

// The durations of sampled requests lead to their traces, in the format that has
// exemplars; Caddy's admin API speaks only the other one. That has none, and the same
// buckets.
func TestExemplars(t *testing.T) {
	s := testsite.NewUnloaded(t)
	const handler = "\t\tchatkit {"
	s.LoadText(strings.Replace(s.Caddyfile(testsite.TwoProviders), handler, "\t\tmetrics /metrics\n\t\ttracing\n"+handler, 1))
	s.Session(clients).Is(t, "200 backend")
	attempt := spans(t, 2)["attempt backend"][0].SpanContext
	for family, span := range map[string]string{
		`caddy_chatkit_session_duration_seconds_bucket{route="session",served_by="backend"`: "",
		"caddy_chatkit_overhead_seconds_bucket":                                             "",
		`caddy_chatkit_attempt_duration_seconds_bucket{provider="backend"`:                  attempt.SpanID().String(),
	} {
		open := lines(t, s, s.URL, asOpenMetrics, family)
		with := slices.ContainsFunc(open, func(line string) bool {
			return strings.Contains(line, `# {`) && strings.Contains(line, `trace_id="0af7651916cd43dd8448eb211c80319c"`) && strings.Contains(line, span)
		})
		if classic := lines(t, s, s.Admin, asText, family); !with || len(classic) != len(open) || strings.Contains(strings.Join(classic, ""), "# {") {
			t.Errorf("%s: got %q, and as text %q", family, open, classic)
		}
	}
}

// A Prometheus that asks for native histograms gets them beside the classic buckets.
func TestNativeHistograms(t *testing.T) {
	s := testsite.New(t, testsite.TwoProviders)
	s.Session().Is(t, "200 backend")
	header, b := scrape(t, s, s.Admin, asProtobuf)
	decoder := expfmt.NewDecoder(bytes.NewReader(b), expfmt.ResponseFormat(header))
	seen := 0
	for {
		var family dto.MetricFamily
		err := decoder.Decode(&family)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if family.GetType() != dto.MetricType_HISTOGRAM || !strings.HasPrefix(family.GetName(), "caddy_chatkit_") {
			continue
		}
		for _, m := range family.GetMetric() {
			seen++
			if h := m.GetHistogram(); h.GetSchema() != 3 || len(h.GetBucket()) < 10 {
				t.Errorf("%s: schema %d, %d classic buckets", family.GetName(), h.GetSchema(), len(h.GetBucket()))
			}
		}
	}
	if seen < 6 {
		t.Errorf("got %d histograms", seen)
	}
}
