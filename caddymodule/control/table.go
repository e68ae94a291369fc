package control

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// overview holds the fields of the admin API's status that are shown.
type overview struct {
	Providers []provider `json:"providers"`
	Routes    []route    `json:"routes"`
	Fallbacks []fallback `json:"fallbacks"`
	Version   string     `json:"version"`
	Caddy     string     `json:"caddy_version"`
}

type provider struct {
	ID           string     `json:"id"`
	Module       string     `json:"module"`
	State        string     `json:"state"`
	Since        time.Time  `json:"since"`
	OpenUntil    *time.Time `json:"open_until"`
	FailingSince *time.Time `json:"failing_since"`
	LastError    string     `json:"last_error"`
	Share1m      *float64   `json:"share_1m"`
	Rate1m       float64    `json:"rate_1m"`
	RampShare    *float64   `json:"ramp_share"`
	RampUntil    *time.Time `json:"ramp_until"`
	InFlight     int        `json:"in_flight"`
	MaxInFlight  int        `json:"max_in_flight"`
	Health       *struct {
		Result string    `json:"result"`
		Status int       `json:"status"`
		Error  string    `json:"error"`
		At     time.Time `json:"at"`
	} `json:"health"`
	LastFailure *struct {
		Reason string    `json:"reason"`
		Status int       `json:"status"`
		At     time.Time `json:"at"`
	} `json:"last_failure"`
	Forced *struct {
		Until  time.Time `json:"until"`
		Reason string    `json:"reason"`
		By     string    `json:"by"`
	} `json:"forced"`
	Instances []instance `json:"instances"`
}

type route struct {
	Sites     []string `json:"sites"`
	Kind      string   `json:"kind"`
	Path      string   `json:"path"`
	Providers []string `json:"providers"`
	Serving   string   `json:"serving"`
}

type fallback struct {
	At        time.Time `json:"at"`
	Provider  string    `json:"provider"`
	ServedBy  string    `json:"served_by"`
	Reason    string    `json:"reason"`
	Path      string    `json:"path"`
	RequestID string    `json:"request_id"`
}

// writeServing prints who serves: a line for all kinds of routes of a site that have
// the same chain.
func writeServing(out io.Writer, o *overview) {
	kinds := make(map[string][]string) // by site and chain
	var order []string
	for _, r := range o.Routes {
		key := cmp.Or(strings.Join(r.Sites, ", "), "all sites") + "\x00" + o.serves(r) + " (" + strings.Join(r.Providers, ", then ") + ")"
		if kinds[key] == nil {
			order = append(order, key)
		}
		if !slices.Contains(kinds[key], r.Kind) {
			kinds[key] = append(kinds[key], r.Kind)
		}
	}
	for _, key := range order {
		sites, serves, _ := strings.Cut(key, "\x00")
		_, _ = fmt.Fprintln(out, printable(sites+" "+strings.Join(kinds[key], ", ")+": "+serves))
	}
	if len(order) > 0 {
		_, _ = fmt.Fprintln(out)
	}
}

// serves says who serves a route.
func (o *overview) serves(r route) string {
	if r.Serving == "" {
		return "NOBODY serves"
	}
	for _, p := range o.Providers {
		if p.ID == r.Serving && p.FailingSince != nil {
			return r.Serving + " is asked, AND FAILS"
		}
	}
	return r.Serving + " serves"
}

// writeVersion prints what runs. Versions before this one do not say it.
func writeVersion(out io.Writer, o *overview) {
	if o.Version != "" {
		_, _ = fmt.Fprintln(out, "\n"+printable("caddy-chatkit "+o.Version+", Caddy "+o.Caddy))
	}
}

// writeTable prints a line for each provider.
func writeTable(out io.Writer, all []provider) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "PROVIDER\tMODULE\tSTATE\tSINCE\tUNTIL\tSERVED 1M\tRATE\tFAILING SINCE\tLAST FAILURE\tFORCED BECAUSE")
	now := time.Now()
	for _, p := range all {
		cells := []string{
			p.ID, p.Module, p.state(), ago(now, p.Since), p.until(now), p.share(), p.rate(), p.failing(now), p.failure(now), p.because(),
		}
		for i, c := range cells {
			cells[i] = printable(c)
		}
		_, _ = fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	return w.Flush()
}

// writeNotes prints what is too long for the table.
func writeNotes(out io.Writer, all []provider) {
	var notes []string
	for _, p := range all {
		if p.FailingSince != nil && p.LastError != "" {
			notes = append(notes, p.ID+": last error: "+p.LastError)
		}
		notes = append(notes, p.protected()...)
		if p.Forced != nil && p.Forced.By != "" {
			notes = append(notes, p.ID+": forced by "+strings.TrimPrefix(p.Forced.By, "by "))
		}
	}
	if len(notes) > 0 {
		_, _ = fmt.Fprintln(out)
	}
	for _, note := range notes {
		_, _ = fmt.Fprintln(out, printable(note))
	}
}

// writeFallbacks prints the fallbacks.
func writeFallbacks(out io.Writer, all []fallback) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "\nFALLBACK AT\tPROVIDER\tSERVED BY\tREASON\tPATH\tREQUEST")
	for _, f := range all {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", f.At.Local().Format(time.DateTime), f.Provider, f.ServedBy, f.Reason, f.Path, f.RequestID)
	}
	return w.Flush()
}

// printable replaces what could change how the terminal looks. The admin API of
// this version takes no such reasons, that of another may.
func printable(cell string) string {
	return strings.Map(func(c rune) rune {
		if unicode.In(c, unicode.C, unicode.Zl, unicode.Zp) {
			return unicode.ReplacementChar
		}
		return c
	}, cell)
}

func (p *provider) until(now time.Time) string {
	switch {
	case p.Forced != nil:
		return "in " + rounded(p.Forced.Until.Sub(now))
	case p.OpenUntil != nil:
		return "in " + rounded(p.OpenUntil.Sub(now))
	case p.RampUntil != nil:
		return "in " + rounded(p.RampUntil.Sub(now))
	}
	return "-"
}

func (p *provider) share() string {
	if p.Share1m == nil {
		return "-"
	}
	return fmt.Sprintf("%.0f%%", math.Round(*p.Share1m*100))
}

func (p *provider) rate() string { return fmt.Sprintf("%.3g/s", p.Rate1m) }

func (p *provider) failing(now time.Time) string {
	if p.FailingSince == nil {
		return "-"
	}
	return ago(now, *p.FailingSince)
}

func (p *provider) failure(now time.Time) string {
	f := p.LastFailure
	switch {
	case f == nil:
		return "-"
	case f.Status != 0:
		return fmt.Sprintf("%s (%d) %s", f.Reason, f.Status, ago(now, f.At))
	}
	return f.Reason + " " + ago(now, f.At)
}

func (p *provider) because() string {
	if p.Forced == nil {
		return "-"
	}
	return cmp.Or(strings.Join(strings.Fields(p.Forced.Reason), " "), "no reason given")
}

func ago(now, then time.Time) string { return rounded(now.Sub(then)) + " ago" }

// rounded returns a duration rounded for display.
func rounded(d time.Duration) string {
	d = max(d, 0)
	if d < time.Hour {
		return d.Round(time.Second).String()
	}
	return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
}
