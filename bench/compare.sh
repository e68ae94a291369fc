#!/usr/bin/env bash
# Compares chatkit with a plain reverse_proxy and with a bare net/http handler that
# does the exchange, in front of the same stub, measured in turn: healthy, with the
# breaker of the first provider open, and failing over. Prints requests/s, p50, p99,
# the CPU µs per request of each process, the median of the rounds, its peak memory,
# and the ratios. Each site has a process of its own.
#
# With a revision, its chatkit is measured in the same run, for before and after.
#
# Usage: bench/compare.sh [rounds] [seconds per round] [revision]    (default: 3 rounds of 8 s)
# Needs wrk (Debian: apt-get install wrk), taskset and two cores: one for what is
# measured, the other for wrk and the stubs. Memory is of everything that was measured.
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
STUB_PORT=$(free_port) BROKEN_PORT=$(free_port)
export STUB_PORT BROKEN_PORT
go build -o "$work/stub" ./bench/stub
go build -o "$work/bare" ./bench/bare
taskset -c 1 "$work/stub" "127.0.0.1:$STUB_PORT" &
pids+=($!)
taskset -c 1 "$work/stub" "127.0.0.1:$BROKEN_PORT" broken &
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
names=()

# Starts a Caddy to measure one of its sites, by the name of the site's port.
launch() {
	local name=$1 binary=$2 site=$3
	CHATKIT_PORT=$(free_port) OPEN_PORT=$(free_port) OVER_PORT=$(free_port) PLAIN_PORT=$(free_port)
	export CHATKIT_PORT OPEN_PORT OVER_PORT PLAIN_PORT
	taskset -c 0 "$binary" run --adapter caddyfile --config bench/compare.Caddyfile 2>>"$work/caddy.log" &
	pids+=($!)
	names+=("$name") port[$name]=${!site} process[$name]=$!
	await "${!site}"
}

# Starts a Caddy for each of chatkit's sites.
launch_all() {
	local prefix=$1 binary=$2
	launch "$prefix" "$binary" CHATKIT_PORT
	launch "$prefix-open" "$binary" OPEN_PORT
	launch "$prefix-failing-over" "$binary" OVER_PORT
}

port[bare]=$(free_port)
taskset -c 0 "$work/bare" "127.0.0.1:${port[bare]}" "http://127.0.0.1:$STUB_PORT/" &
pids+=($!)
names+=(bare) process[bare]=$!
await "${port[bare]}"
go build -o "$work/caddy" ./cmd/caddy
launch reverse_proxy "$work/caddy" PLAIN_PORT
if [[ -n $revision ]]; then
	mkdir "$work/tree"
	git archive "$revision" | tar -x -C "$work/tree"
	(cd "$work/tree" && go build -o "$work/caddy-before" ./cmd/caddy)
	launch_all before "$work/caddy-before"
fi
launch_all chatkit "$work/caddy"

# The CPU time of a process so far, user and system, in clock ticks.
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

for name in "${names[@]}"; do
	awk '/^VmHWM/ {print $2 / 1024}' "/proc/${process[$name]}/status" >"$work/$name.peak"
done

python3 - "$work" "${names[@]}" <<'PY'
import statistics, sys
work, names = sys.argv[1], sys.argv[2:]
def medians(name):
    rows = [list(map(float, line.split())) for line in open(f"{work}/{name}.rows")]
    return [statistics.median(c) for c in zip(*rows)] + [float(open(f"{work}/{name}.peak").read())]
m = {name: medians(name) for name in names}
widths = (12, 10, 10, 16, 8, 8, 10)
heads = ("requests/s", "p50 µs", "p99 µs", "CPU µs/request", "user", "system", "peak MiB")
print(f"{'':42}" + "".join(f"{h:>{w}}" for h, w in zip(heads, widths)))
for name, v in m.items():
    print(f"{name:42}" + "".join(f"{x:{w}.{d}f}" for x, w, d in zip(v, widths, (0, 0, 0, 1, 1, 1, 1))))
pairs = [(a, "reverse_proxy") for a in names if a != "reverse_proxy"]
pairs += [(a, a.replace("chatkit", "before")) for a in names if a.startswith("chatkit") and "before" in m]
for a, b in pairs:
    print(f"{a + ' / ' + b:42}" + "".join(f"{x / y:{w}.2f}" for x, y, w in zip(m[a], m[b], widths)))
PY
