#!/usr/bin/env bash
# Compares chatkit with a plain reverse_proxy: one Caddy with two sites in front
# of the same stub, measured in turn. Prints requests/s, p50, p99 and the CPU µs
# per request of Caddy's process, the median of the rounds, and the ratios.
#
# Usage: bench/compare.sh [rounds] [seconds per round]    (default: 3 rounds of 8 s)
# Needs wrk (Debian: apt-get install wrk), taskset and two cores: one for Caddy,
# the other for wrk and the stub.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-3} seconds=${2:-8}
for tool in wrk taskset; do
	command -v "$tool" >/dev/null || { echo "compare.sh: $tool is missing" >&2; exit 1; }
done

work=$(mktemp -d)
pids=()
cleanup() {
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
	wait 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
STUB_PORT=$(free_port) CHATKIT_PORT=$(free_port) PLAIN_PORT=$(free_port)
export STUB_PORT CHATKIT_PORT PLAIN_PORT

go build -o "$work/caddy" ./cmd/caddy
go build -o "$work/stub" ./bench/stub
taskset -c 1 "$work/stub" "127.0.0.1:$STUB_PORT" &
pids+=($!)
taskset -c 0 "$work/caddy" run --adapter caddyfile --config bench/compare.Caddyfile 2>"$work/caddy.log" &
caddy=$!
pids+=("$caddy")

await() {
	for _ in $(seq 100); do
		curl -fsS -o /dev/null -X POST "http://127.0.0.1:$1/api/custom/session" 2>/dev/null && return
		sleep 0.1
	done
	echo "compare.sh: nothing answers on port $1" >&2
	cat "$work/caddy.log" >&2
	exit 1
}
await "$CHATKIT_PORT"
await "$PLAIN_PORT"

# Caddy's CPU time so far, user and system, in clock ticks.
ticks() { awk '{print $14, $15}' "/proc/$caddy/stat"; }
hz=$(getconf CLK_TCK)

# Runs one round against a port and appends "requests/s p50 p99 cpu user system" to a file.
drive() {
	local port=$1 out=$2 before after
	before=$(ticks)
	taskset -c 1 wrk -t1 -c32 -d"${seconds}s" --latency -s bench/session.lua \
		"http://127.0.0.1:$port/api/custom/session" >"$work/wrk.out"
	after=$(ticks)
	python3 - "$work/wrk.out" "$before" "$after" "$hz" >>"$out" <<'PY'
import re, sys
text, hz = open(sys.argv[1]).read(), int(sys.argv[4])
before, after = (list(map(int, a.split())) for a in sys.argv[2:4])
if "Non-2xx" in text or "Socket errors" in text:
    sys.exit("compare.sh: not all requests were answered with a session:\n" + text)
unit = {"us": 1, "ms": 1e3, "s": 1e6}
def latency(p):
    n, u = re.search(p + r"%\s+([\d.]+)(us|ms|s)", text).groups()
    return float(n) * unit[u]
n = int(re.search(r"(\d+) requests in", text).group(1))
rps = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
user, system = ((a - b) / hz * 1e6 / n for a, b in zip(after, before))
print(rps, latency("50"), latency("99"), user + system, user, system)
PY
}

seconds_of_measuring=$seconds
seconds=2
drive "$CHATKIT_PORT" /dev/null # warm up
drive "$PLAIN_PORT" /dev/null
seconds=$seconds_of_measuring
for _ in $(seq "$rounds"); do
	drive "$CHATKIT_PORT" "$work/chatkit"
	drive "$PLAIN_PORT" "$work/plain"
done

python3 - "$work/chatkit" "$work/plain" <<'PY'
import statistics, sys
def medians(path):
    rows = [list(map(float, line.split())) for line in open(path)]
    return [statistics.median(c) for c in zip(*rows)]
chatkit, plain = medians(sys.argv[1]), medians(sys.argv[2])
print(f"{'':14}{'requests/s':>12}{'p50 µs':>10}{'p99 µs':>10}{'CPU µs/request':>16}{'user':>8}{'system':>8}")
for name, m in (("chatkit", chatkit), ("reverse_proxy", plain)):
    print(f"{name:14}{m[0]:12.0f}{m[1]:10.0f}{m[2]:10.0f}{m[3]:16.1f}{m[4]:8.1f}{m[5]:8.1f}")
print(f"{'ratio':14}" + "".join(f"{a / b:{w}.2f}" for a, b, w in zip(chatkit, plain, (12, 10, 10, 16, 8, 8))))
PY
