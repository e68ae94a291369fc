package session

// Caller is who asks, as far as the product can know: one client must not count as
// many. It is compared with others in memory and goes nowhere else: not to a
// provider, a log or a metric. Either part may be empty.
type Caller struct {
	User    string // of an account; empty for visitors and where there is no user
	Address string // of the client; an IPv6 /64 is one address
}

// Same reports whether two requests may come from one caller. Accounts are told
// apart by their users. Where one of the two shows no account, the address decides,
// so that nobody becomes somebody else by leaving his login out.
func (c Caller) Same(other Caller) bool {
	if c.User != "" && other.User != "" {
		return c.User == other.User
	}
	return c.Address == other.Address
}
