package control

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// provider holds the fields of the admin API's answer that are shown.
type provider struct {
	ID          string     `json:"id"`
	Module      string     `json:"module"`
	State       string     `json:"state"`
	Since       time.Time  `json:"since"`
	OpenUntil   *time.Time `json:"open_until"`
	LastFailure *struct {
		Reason string    `json:"reason"`
		Status int       `json:"status"`
		At     time.Time `json:"at"`
	} `json:"last_failure"`
	Forced *struct {
		Until  time.Time `json:"until"`
		Reason string    `json:"reason"`
	} `json:"forced"`
}

// writeTable prints a line for each provider.
func writeTable(out io.Writer, all []provider) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "PROVIDER\tMODULE\tSTATE\tSINCE\tUNTIL\tLAST FAILURE\tFORCED BECAUSE")
	now := time.Now()
	for _, p := range all {
		cells := []string{p.ID, p.Module, p.State, ago(now, p.Since), p.until(now), p.failure(now), p.because()}
		for i, c := range cells {
			cells[i] = printable(c)
		}
		_, _ = fmt.Fprintln(w, strings.Join(cells, "\t"))
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
	}
	return "-"
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
