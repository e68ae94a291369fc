// Package buildinfo says which build of the product runs. The ready-built binary,
// the metrics and the status import it.
package buildinfo

import (
	"cmp"
	"runtime/debug"
	"sync"
)

// module is the path of the product's module.
const module = "github.com/caddy-chatkit/caddy-chatkit"

// unknown stands for what the build does not say.
const unknown = "unknown"

// The version of a release, and its commit where the build does not see the
// repository, as in a container. The linker sets them:
//
//	-ldflags "-X github.com/caddy-chatkit/caddy-chatkit/internal/buildinfo.version=v1.2.3"
//
// Other builds go by what Go has noted in the binary.
var version, commit string

// Info is a build.
type Info struct {
	Version  string // v1.2.3, a pseudo-version, or "(devel)"
	Revision string // of the checkout it was built in
	Go       string // version of Go
}

// Read returns the build of this process.
var Read = sync.OnceValue(func() Info {
	b, ok := debug.ReadBuildInfo()
	if !ok {
		b = new(debug.BuildInfo)
	}
	return read(b, Info{Version: version, Revision: commit})
})

// read finds the product in what Go has noted: as the main module, or in a build
// with other modules among its dependencies. What the linker has set comes first.
func read(b *debug.BuildInfo, i Info) Info {
	i.Go = b.GoVersion
	if b.Main.Path == module {
		i.Version = cmp.Or(i.Version, b.Main.Version)
		i.Revision = cmp.Or(i.Revision, revision(b.Settings))
	}
	for _, d := range b.Deps {
		if d.Path == module {
			i.Version = cmp.Or(i.Version, versionOf(d))
		}
	}
	return Info{cmp.Or(i.Version, unknown), cmp.Or(i.Revision, unknown), cmp.Or(i.Go, unknown)}
}

// versionOf is the version of a dependency. A folder that replaces it has none.
func versionOf(d *debug.Module) string {
	if d.Replace != nil {
		return cmp.Or(d.Replace.Version, "(devel)")
	}
	return d.Version
}

// revision is the commit of a checkout, marked as Go marks versions if files had
// been changed.
func revision(settings []debug.BuildSetting) (r string) {
	dirty := ""
	for _, s := range settings {
		switch {
		case s.Key == "vcs.revision":
			r = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	if r == "" {
		return ""
	}
	return r + dirty
}
