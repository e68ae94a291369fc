package statuspage

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed assets
var embedded embed.FS

// Files are the files of the page.
func Files() fs.FS {
	files, err := fs.Sub(embedded, "assets")
	if err != nil {
		panic(err) // the name is a constant
	}
	return files
}

// Policy lets a page load only the files of its own server: no inline script or
// style, no other origin. No other page may frame it.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Guard sets the security headers of a page and its files. Caddy's admin endpoint
// goes by the Referer of a page's requests, so that is sent to its own server.
func Guard(h http.Header) {
	h.Set("Content-Security-Policy", Policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache") // the files have no modification time
}

// servePage serves the page. Its only difference is whether it has buttons.
func servePage(w http.ResponseWriter, buttons bool) {
	page, err := fs.ReadFile(Files(), "status.html")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	Guard(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	text := string(page)
	if buttons {
		text = strings.Replace(text, "<body>", `<body data-buttons="on">`, 1)
	}
	_, _ = w.Write([]byte(text))
}

// serveFile serves a file of the page.
func serveFile(w http.ResponseWriter, r *http.Request, name string) {
	Guard(w.Header())
	files, err := fs.ReadDir(Files(), ".")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	for _, f := range files {
		if f.Name() == name {
			http.ServeFileFS(w, r, Files(), f.Name())
			return
		}
	}
	http.NotFound(w, r)
}
