package control

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// instance is what an instance of the fleet says of a provider.
type instance struct {
	Name     string    `json:"name"`
	ID       string    `json:"id"`
	State    string    `json:"state"`
	Since    time.Time `json:"since"`
	At       time.Time `json:"at"`
	Cooldown bool      `json:"cooldown"`
	Lease    bool      `json:"lease"`
	Self     bool      `json:"self"`
}

// writeFleet prints a line for each provider and instance.
func writeFleet(out io.Writer, all []provider) error {
	_, _ = fmt.Fprintln(out)
	shared := false
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "PROVIDER\tINSTANCE\tSTATE\tSINCE\tHEARD OF\tNOTES")
	now := time.Now()
	for _, p := range all {
		for _, i := range p.Instances {
			shared = true
			cells := []string{p.ID, i.Name + "/" + i.ID, i.State, ago(now, i.Since), ago(now, i.At), i.notes()}
			for n, c := range cells {
				cells[n] = printable(c)
			}
			_, _ = fmt.Fprintln(w, strings.Join(cells, "\t"))
		}
	}
	if !shared {
		_, err := fmt.Fprintln(out, "No instance says anything: nothing is shared, or what is shared is not available (see the log).")
		return err
	}
	return w.Flush()
}

// notes says what is special about an instance.
func (i *instance) notes() string {
	var notes []string
	if i.Self {
		notes = append(notes, "this instance")
	}
	if i.Lease {
		notes = append(notes, "may probe")
	}
	if i.Cooldown {
		notes = append(notes, "cooling down")
	}
	return strings.Join(notes, ", ")
}
