package caddymodule

// headerValues has room for the values of the headers that every answer has, so that
// they need no memory of their own. Answers do not share values: Caddy's header
// directive may change them in place.
type headerValues struct {
	slots [6]string
	used  int
}

// one returns a value as [http.Header] has it.
func (v *headerValues) one(value string) []string {
	if v.used == len(v.slots) {
		return []string{value}
	}
	i := v.used
	v.used++
	v.slots[i] = value
	return v.slots[i : i+1 : i+1]
}

// setHeader sets a header of the answer. The name is in the canonical form.
func (c *claimed) setHeader(name, value string) { c.w.Header()[name] = c.values.one(value) }
