#!/bin/sh
# Runs before the files go: "remove" or "upgrade" for a deb, 0 or 1 for an rpm.
set -e

case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl --no-reload disable --now caddy >/dev/null 2>&1 || echo "caddy-chatkit: could not stop caddy" >&2
	fi
	;;
esac
