// Package statuspage is the page that shows operators who serves: on the admin
// endpoint at /chatkit/, with buttons that force breakers, and read-only on a site
// by the directive chatkit_status. chatkit_health answers probes.
//
// The page is plain files (assets/), without a build step, and loads nothing from
// elsewhere. Its style and its parts are shared with the page of the demo.
//
// It takes what it shows from the registry. chatkit.go imports it for its modules,
// the demo for its files.
package statuspage
