package statuspage

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

func init() { caddy.RegisterModule(new(AdminPage)) }

// AdminPage is the page on the admin endpoint, at /chatkit/. What it shows comes
// from the other paths below.
type AdminPage struct{}

// CaddyModule returns the Caddy module information.
func (*AdminPage) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "admin.api.chatkit_page",
		New: func() caddy.Module { return new(AdminPage) },
	}
}

const (
	adminRoot = "/chatkit/"
	filesDir  = "page/"
)

// Routes implements [caddy.AdminRouter].
func (*AdminPage) Routes() []caddy.AdminRoute {
	return []caddy.AdminRoute{{Pattern: adminRoot, Handler: caddy.AdminHandlerFunc(serveAdmin)}}
}

func serveAdmin(w http.ResponseWriter, r *http.Request) error {
	rest := strings.TrimPrefix(r.URL.Path, adminRoot)
	name, file := strings.CutPrefix(rest, filesDir)
	switch {
	case rest != "" && !file:
		return caddy.APIError{HTTPStatus: http.StatusNotFound, Err: fmt.Errorf("nothing at %s", r.URL.Path)}
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		return caddy.APIError{HTTPStatus: http.StatusMethodNotAllowed, Err: errors.New("the page is only read")}
	case file:
		serveFile(w, r, name)
	default:
		servePage(w, true)
	}
	return nil
}

// Interface guards.
var _ caddy.AdminRouter = (*AdminPage)(nil)
