#!/bin/sh
# Runs after the files are gone. Certificates, keys and the user stay until a purge,
# which only a deb knows; the user stays then too, so that nobody else gets its number.
set -e

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
if [ "$1" = purge ]; then
	rm -rf /var/lib/caddy /var/log/caddy
fi
