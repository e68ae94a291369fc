// Package samples runs the code samples of the two documents this product is
// made to fit, Sendbird's custom session guide and the quick reference of custom
// ChatKit backends, against the product: the binary, with a Caddyfile, before
// the samples' own servers or stand-ins, and behind the samples' own front ends.
// It holds tests only.
//
// The documents are not part of the repository. Where they lie beside it, in
// ../shared/seeds or in the directory that CHATKIT_SEEDS names, their samples
// are run as they stand, but for hosts and ports. Everywhere, and beside them,
// run the programs of testdata/programs, which are our own and of the same shape:
// one per sample, named as its heading is. testdata/frames holds what stands
// around a sample that is a part of a program only, testdata/harness the browser
// and the app that samples of front ends expect.
package samples
