#!/bin/sh
# Runs after the files are there: "configure" for a deb, 1 or more for an rpm.
set -e

case "$1" in
abort-*) exit 0 ;;
esac

if ! getent group caddy >/dev/null; then
	groupadd --system caddy
fi
if ! getent passwd caddy >/dev/null; then
	useradd --system --gid caddy --home-dir /var/lib/caddy --no-create-home \
		--shell /usr/sbin/nologin --comment "Caddy web server" caddy
fi
install -d -o caddy -g caddy -m 0750 /var/lib/caddy /var/log/caddy

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi

# Neither started nor restarted here: a new installation has no keys yet, and a restart
# ends WebSockets.
if [ -d /run/systemd/system ] && systemctl is-active --quiet caddy; then
	echo "caddy-chatkit: the old version runs on; to change over: systemctl restart caddy"
else
	echo "caddy-chatkit: edit /etc/caddy/Caddyfile and /etc/caddy/chatkit.env, then: systemctl enable --now caddy"
fi
