package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// heal is another name for None in Control.
const heal = "heal"

// Control returns a handler that switches the faults of the named servers:
//
//	GET  /                  200 {"NAME": "FAULT", ...}
//	POST /NAME/FAULT        200 {"server": "NAME", "fault": "FAULT"}
//
// The fault "heal" means None. Errors are a status and {"error": "..."}: 404 for
// an unknown server or path and 400 for an unknown fault, both listing the known
// ones, 405 for other methods, 409 for a server that is closed or cannot listen
// again.
func Control(servers map[string]*Server) http.Handler {
	return controller(servers)
}

// controller is the handler of Control.
type controller map[string]*Server

// ServeHTTP implements http.Handler.
func (c controller) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	if path == "" {
		if allow(w, r, http.MethodGet, http.MethodHead) {
			c.list(w)
		}
		return
	}
	name, fault, ok := strings.Cut(path, "/")
	if !ok || strings.Contains(fault, "/") {
		refuse(w, http.StatusNotFound, fmt.Errorf("no such path: POST /SERVER/FAULT switches, GET / lists"))
		return
	}
	if allow(w, r, http.MethodPost) {
		c.set(w, name, fault)
	}
}

// list answers with the fault of every server.
func (c controller) list(w http.ResponseWriter) {
	faults := make(map[string]Fault, len(c))
	for name, s := range c {
		faults[name] = s.Fault()
	}
	marshaled(http.StatusOK, faults).write(w)
}

// set switches one server.
func (c controller) set(w http.ResponseWriter, name, word string) {
	s, ok := c[name]
	if !ok {
		names := slices.Sorted(maps.Keys(c))
		refuse(w, http.StatusNotFound, fmt.Errorf("unknown server %q (known: %s)", name, join(names)))
		return
	}
	if word == heal {
		word = string(None)
	}
	f, err := parseFault(word)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	if err := s.Set(f); err != nil {
		refuse(w, http.StatusConflict, err)
		return
	}
	marshaled(http.StatusOK, map[string]string{"server": name, "fault": string(f)}).write(w)
}

// allow reports whether the method is allowed, and answers 405 if it is not.
func allow(w http.ResponseWriter, r *http.Request, methods ...string) bool {
	if slices.Contains(methods, r.Method) {
		return true
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	refuse(w, http.StatusMethodNotAllowed, fmt.Errorf("method %s not allowed", r.Method))
	return false
}

// refuse answers with an error.
func refuse(w http.ResponseWriter, status int, err error) {
	marshaled(status, map[string]string{"error": err.Error()}).write(w)
}
