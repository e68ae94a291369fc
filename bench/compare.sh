#!/usr/bin/env bash
# Compares chatkit with a plain reverse_proxy: one Caddy with two sites in front
# of the same stub, measured in turn. Prints requests/s, p50, p99 and the CPU µs
# per request of Caddy's process, the median of the rounds, and the ratios.
#
# With a revision, its chatkit is measured in the same run, for before and after.
#
# Usage: bench/compare.sh [rounds] [seconds per round] [revision]    (default: 3 rounds of 8 s)
# Needs wrk (Debian: apt-get install wrk), taskset and two cores: one for Caddy,
# the other for wrk and the stub.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-3} seconds=${2:-8} revision=${3:-}
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
STUB_PORT=$(free_port)
export STUB_PORT
go build -o "$work/stub" ./bench/stub
taskset -c 1 "$work/stub" "127.0.0.1:$STUB_PORT" &
pids+=($!)

await() {
	for _ in $(seq 100); do
		curl -fsS -o /dev/null -X POST "http://127.0.0.1:$1/api/custom/session" 2>/dev/null && return
		sleep 0.1
	done
	echo "compare.sh: nothing answers on port $1" >&2
	cat "$work/caddy.log" >&2
	exit 1
}

declare -A port process

# Starts the Caddy of a source tree with both sites, as name and name-plain.
launch() {
	local name=$1 tree=$2
	CHATKIT_PORT=$(free_port) PLAIN_PORT=$(free_port)
	export CHATKIT_PORT PLAIN_PORT
	(cd "$tree" && go build -o "$work/caddy-$name" ./cmd/caddy)
	taskset -c 0 "$work/caddy-$name" run --adapter caddyfile --config "$tree/bench/compare.Caddyfile" 2>>"$work/caddy.log" &
	pids+=($!)
	port[$name]=$CHATKIT_PORT port[$name-plain]=$PLAIN_PORT
	process[$name]=$! process[$name-plain]=$!
	await "$CHATKIT_PORT"
	await "$PLAIN_PORT"
}

names=(chatkit chatkit-plain)
launch chatkit .
if [[ -n $revision ]]; then
	mkdir "$work/tree"
	git archive "$revision" | tar -x -C "$work/tree"
	launch before "$work/tree"
	names=(before "${names[@]}")
fi

# The CPU time of a Caddy so far, user and system, in clock ticks.
ticks() { awk '{print $14, $15}' "/proc/${process[$1]}/stat"; }
hz=$(getconf CLK_TCK)

# Runs one round against a site and appends "requests/s p50 p99 cpu user system" to a file.
drive() {
	local name=$1 out=$2 before after
	before=$(ticks "$name")
	taskset -c 1 wrk -t1 -c32 -d"${seconds}s" --latency -s bench/session.lua \
		"http://127.0.0.1:${port[$name]}/api/custom/session" >"$work/wrk.out"
	after=$(ticks "$name")
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
for name in "${names[@]}"; do drive "$name" /dev/null; done # warm up
seconds=$seconds_of_measuring
for _ in $(seq "$rounds"); do
	for name in "${names[@]}"; do drive "$name" "$work/$name.rows"; done
done

python3 - "$work" "${names[@]}" <<'PY'
import statistics, sys
work, names = sys.argv[1], sys.argv[2:]
def medians(name):
    rows = [list(map(float, line.split())) for line in open(f"{work}/{name}.rows")]
    return [statistics.median(c) for c in zip(*rows)]
m = {name: medians(name) for name in names}
m["reverse_proxy"] = m.pop("chatkit-plain")
print(f"{'':26}{'requests/s':>12}{'p50 µs':>10}{'p99 µs':>10}{'CPU µs/request':>16}{'user':>8}{'system':>8}")
for name, v in m.items():
    print(f"{name:26}{v[0]:12.0f}{v[1]:10.0f}{v[2]:10.0f}{v[3]:16.1f}{v[4]:8.1f}{v[5]:8.1f}")
for a, b in (("chatkit", "reverse_proxy"), ("before", "reverse_proxy"), ("chatkit", "before")):
    if a in m and b in m:
        print(f"{a + ' / ' + b:26}" + "".join(f"{x / y:{w}.2f}" for x, y, w in zip(m[a], m[b], (12, 10, 10, 16, 8, 8))))
PY
