package main

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/caddy-chatkit/caddy-chatkit/dashboards"
)

// options are what can differ between the users of the dashboard and the alerts.
type options struct {
	objective string // the percentage of session requests that have to get a session
	selector  string // matchers for every metric, "" for none
}

// defaults are the options of the files in the repository.
func defaults() options { return options{objective: "99.9"} }

// matcherList is what may stand between the braces of a selector.
var matcherList = regexp.MustCompile(`^\w+(=|!=|=~|!~)"[^"{}]*"(,\w+(=|!=|=~|!~)"[^"{}]*")*$`)

// percentage is a number as people write it.
var percentage = regexp.MustCompile(`^[0-9]{1,2}(\.[0-9]{1,4})?$`)

func (o options) check() error {
	if !percentage.MatchString(o.objective) || o.budget() == 1 {
		return fmt.Errorf("invalid objective %q (want 99, 99.5 or 99.95)", o.objective)
	}
	if o.selector != "" && !matcherList.MatchString(o.selector) {
		return fmt.Errorf(`invalid selector %q (want cluster="eu" or cluster="eu",namespace=~"chat.*")`, o.selector)
	}
	return nil
}

// budget is the share of session requests that may fail.
func (o options) budget() float64 {
	objective, ok := new(big.Rat).SetString(o.objective)
	if !ok {
		return 0
	}
	share, _ := objective.Sub(big.NewRat(1, 1), objective.Quo(objective, big.NewRat(100, 1))).Float64()
	return share
}

// number writes a share or a percentage, rounded to what the objective can have.
func number(f float64) string {
	text := strconv.FormatFloat(f, 'f', 6, 64)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}

// rounded leaves out what is not exact in binary fractions.
func rounded(f float64) float64 {
	const digits = 1e6
	return math.Round(f*digits) / digits
}

// matchers replaces the shorthands {I} and {P} in expressions by the matchers of
// the dashboard's variables, and of the selector.
func (o options) matchers() *strings.Replacer {
	i := `{job=~"$job",instance=~"$instance"`
	if o.selector != "" {
		i = "{" + o.selector + "," + i[len("{"):]
	}
	const p = `,provider=~"$provider"`
	return strings.NewReplacer("{I,P,", i+p+",", "{I,P}", i+p+"}", "{I,", i+",", "{I}", i+"}")
}

// metric is one of ours with its braces, if it has any. Recorded metrics have
// colons in their names; they are made of selected ones already.
var metric = regexp.MustCompile(`:?\bcaddy_chatkit_[a-z_]+\b(:|\{)?`)

// rules returns one of the files of rules for these options.
func (o options) rules(name string) ([]byte, error) {
	text, err := dashboards.Rules.ReadFile(name)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		lines[i] = o.substitute(line)
	}
	return []byte(strings.Join(lines, "\n")), nil
}

// substitute puts objective and selector into a line of a file of rules.
func (o options) substitute(line string) string {
	d := defaults()
	line = strings.ReplaceAll(line, "* "+number(d.budget()), "* "+number(o.budget()))
	line = strings.ReplaceAll(line, d.objective+" %", o.objective+" %")
	if o.selector == "" {
		return line
	}
	return metric.ReplaceAllStringFunc(line, func(m string) string {
		switch {
		case strings.HasPrefix(m, ":"), strings.HasSuffix(m, ":"):
			return m
		case strings.HasSuffix(m, "{"):
			return m + o.selector + ","
		}
		return m + "{" + o.selector + "}"
	})
}
