// Package outage is what a chatkit route does while no backend answers: it takes a
// request of ChatKit's custom-server protocol and an answer of a stand-in, and makes
// the frames and JSON of it ([Chat]). It knows when the backends are back ([State]),
// who may ask a model ([Known]), and what passed by of a backend's threads.
//
// It stands on packages chatkit and threads, and knows neither Caddy nor HTTP. Only
// caddymodule imports it.
package outage
