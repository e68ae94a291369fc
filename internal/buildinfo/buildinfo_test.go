package buildinfo

import (
	"runtime/debug"
	"testing"
)

func TestRead(t *testing.T) {
	checkout := []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "c0ffee"}, {Key: "vcs.modified", Value: "false"}}
	changed := []debug.BuildSetting{{Key: "vcs.modified", Value: "true"}, {Key: "vcs.revision", Value: "c0ffee"}}
	for name, c := range map[string]struct {
		stamped Info
		build   debug.BuildInfo
		want    Info
	}{
		"nothing noted": {want: Info{"unknown", "unknown", "unknown"}},
		"release": {
			Info{Version: "v1.2.3"}, debug.BuildInfo{GoVersion: "go1.26", Main: debug.Module{Path: module, Version: "v1.2.4-0.2026"}, Settings: checkout},
			Info{"v1.2.3", "c0ffee", "go1.26"},
		},
		"release built in a container": {
			Info{Version: "v1.2.3", Revision: "c0ffee"}, debug.BuildInfo{Main: debug.Module{Path: module, Version: "(devel)"}},
			Info{"v1.2.3", "c0ffee", "unknown"},
		},
		"checkout": {
			Info{}, debug.BuildInfo{GoVersion: "go1.26", Main: debug.Module{Path: module, Version: "v1.2.4-0.2026"}, Settings: checkout},
			Info{"v1.2.4-0.2026", "c0ffee", "go1.26"},
		},
		"changed checkout": {
			Info{}, debug.BuildInfo{Main: debug.Module{Path: module, Version: "(devel)"}, Settings: changed},
			Info{"(devel)", "c0ffee+dirty", "unknown"},
		},
		"changed, but no revision": {
			Info{}, debug.BuildInfo{Main: debug.Module{Path: module, Version: "(devel)"}, Settings: changed[:1]},
			Info{"(devel)", "unknown", "unknown"},
		},
		"built by xcaddy, in the checkout of another program": {
			Info{}, debug.BuildInfo{Main: debug.Module{Path: "caddy", Version: "v9.9.9"}, Settings: checkout, Deps: []*debug.Module{
				{Path: module + "/e2e", Version: "v8.8.8"}, {Path: module, Version: "v1.2.3"},
			}},
			Info{"v1.2.3", "unknown", "unknown"},
		},
		"replaced by a fork": {
			Info{}, debug.BuildInfo{Deps: []*debug.Module{{Path: module, Version: "v1.2.3", Replace: &debug.Module{Path: "fork", Version: "v1.2.5"}}}},
			Info{"v1.2.5", "unknown", "unknown"},
		},
		"replaced by a folder": {
			Info{}, debug.BuildInfo{Deps: []*debug.Module{{Path: module, Version: "v0.0.0", Replace: &debug.Module{Path: "../x"}}}},
			Info{"(devel)", "unknown", "unknown"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := read(&c.build, c.stamped); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// What is said of this process does not change and has no empty part, which a
// metric's label would drop.
func TestReadProcess(t *testing.T) {
	got := Read()
	if got != Read() || got.Version == "" || got.Revision == "" || got.Go == "" {
		t.Errorf("got %+v", got)
	}
}
