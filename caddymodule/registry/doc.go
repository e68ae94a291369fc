// Package registry holds the providers that are in use: what of them outlives a
// reload (their breakers above all), and how operators see and force them.
//
// Two things live here. [App] is what one configuration has: the names of its
// providers and the series of its handlers. The pool is what the process has:
// a provider that a reload does not change keeps its [Provider], and a forced
// state stays with the name of a provider at its [Site] even where a reload changes
// its settings. Caddy's storage has forced states too, for a restart. Everything that is asked from outside, the admin API and the metrics
// of breakers, goes by the [App] of the active configuration, so that one that
// was refused leaves no trace.
//
// The handler takes its providers from here. The registry does not know it.
package registry
