// Package docs runs what the pages for users say: the example backends behind the
// product, the snippets for front ends in a browser and in Node, and the commands
// with their answers. It holds tests only.
package docs
