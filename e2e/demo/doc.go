// Package demo tests the command chatkit-demo as its user sees it: its page in a
// real Chromium, and the curl lines it prints. It holds tests only.
package demo
