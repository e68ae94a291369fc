// Package status tests the status page as operators see it, in a real Chromium: by
// chatkit-status --page with its buttons, on the admin endpoint itself, and on a
// site, read-only. It holds tests only.
package status
