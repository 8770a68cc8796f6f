# SPDX-License-Identifier: BSD-2-Clause
# Recordings that targets and modes join while they run.
load helper

setup() {
	need_probes
}

@test "what a target executes is recorded, where it is a Python" {
	check check_targets.py "$DEBIAN" workers
}

@test "all: what starts later is recorded" {
	check check_targets.py "$DEBIAN" later
}

@test "all: another interpreter that starts later is recorded" {
	need_python 3.12
	check check_targets.py "$DEBIAN" later "$PYTHON"
}

@test "heap and rss at once are as each alone" {
	check check_targets.py "$DEBIAN" modes
}

@test "a saved profile is reported as it was, in any format, and two are compared" {
	cat > "$BATS_TEST_TMPDIR/app.py" <<-'PYTHON'
		import os, sys
		kept = []
		def grow(n): kept.extend([bytearray(9_999) for _ in range(n)])
		def shrink(n): del kept[-n:]
		def other(n): kept.append(bytearray(n))
		print("ready", flush=True)
		for line in sys.stdin:
		    exec(line)
		    print("done", flush=True)
	PYTHON
	local saved=$BATS_TEST_TMPDIR/saved
	coproc app { exec "$DEBIAN" "$BATS_TEST_TMPDIR/app.py" 3>&-; }
	TARGET=$app_PID
	read -r -u "${app[0]}" _
	"$PYMEMTOP" record -v -p "$TARGET" -i 1000 -d 10000 -f json -o "$saved.all" 2>"$saved.said" 3>&- &
	local recording=$!
	until_recording "$saved.said"
	for step in 1 2; do
		[ "$step" = 1 ] && line='grow(50); other(77_777)' || line='grow(70); kept.pop(50); other(33_333)'
		echo "$line" >&"${app[1]}"
		read -r -u "${app[0]}" _
		"$PYMEMTOP" record -p "$TARGET" -d 0.1 -f json -o "$saved.none"
		kill -INT "$recording"
		wait "$recording" || :
		mv "$saved.all" "$saved.$step"
		[ "$step" = 2 ] || {
			"$PYMEMTOP" record -v -p "$TARGET" -f json -o "$saved.all" 2>"$saved.said" 3>&- &
			recording=$!
			until_recording "$saved.said"
		}
	done
	# As the recording itself would have printed it, but for the source lines.
	"$PYMEMTOP" report "$saved.1" >"$saved.text"
	cat "$saved.text"
	grep -Eq '^ +\+488\.2 KiB .*app.py:3 \(grow\.<locals>\.<listcomp>\)$' "$saved.text" ||
		grep -Eq '^ +\+4[89][0-9]\.[0-9] KiB .*app.py:3 ' "$saved.text"
	"$PYMEMTOP" report "$saved.1" -f json | cmp - "$saved.1"
	"$PYMEMTOP" report "$saved.1" -f pprof -o "$saved.pb.gz"
	check check_pprof.py "$saved.1" "$saved.pb.gz"
	"$PYMEMTOP" report "$saved.1" -o "$saved.pb.gz.2.pb.gz"
	cmp "$saved.pb.gz" "$saved.pb.gz.2.pb.gz"
	"$PYMEMTOP" report "$saved.1" -f folded | grep -Eq 'app.py:5\) 77778$'
	"$PYMEMTOP" diff "$saved.1" "$saved.2" >"$saved.diff"
	cat "$saved.diff"
	"$PYMEMTOP" diff "$saved.1" "$saved.2" -f folded >"$saved.folded"
	"$PYMEMTOP" diff "$saved.1" "$saved.2" -o "$saved.svg"
	"$DEBIAN" - "$saved" <<-'PYTHON'
		import json, sys, xml.dom.minidom
		saved = sys.argv[1]
		def held(name):
		    with open(saved + name) as file:
		        return sum(stack["outstanding_bytes"] + stack["mapped_bytes"]
		                   for process in json.load(file)["processes"] for stack in process["stacks"])
		rows = [line.rsplit(" ", 2) for line in open(saved + ".folded")]
		assert sum(int(row[1]) for row in rows) == held(".1") and sum(int(row[2]) for row in rows) == held(".2")
		assert len({row[0] for row in rows}) == len(rows)
		boxes = [g for g in xml.dom.minidom.parse(saved + ".svg").getElementsByTagName("g")
		         if g.getAttribute("class").startswith("box")]
		assert boxes and all("fill:hsl(" in g.getElementsByTagName("rect")[0].getAttribute("style") for g in boxes)
	PYTHON
	"$PYMEMTOP" diff "$saved.1" "$saved.2" -f json >"$saved.json"
	"$DEBIAN" - "$saved.1" "$saved.2" "$saved.json" <<-'PYTHON'
		import json, sys
		before, now, diff = [json.load(open(path)) for path in sys.argv[1:]]
		def held(profile):
		    return {(l["file"], l["line"], l["function"]): l["outstanding_bytes"]
		            for p in profile["processes"] for l in p["lines"]}
		a, b = held(before), held(now)
		wanted = {key: b.get(key, 0) - a.get(key, 0) for key in set(a) | set(b)}
		found = {(d["file"], d["line"], d["function"]): d["change"]["outstanding_bytes"]
		         for d in diff["differences"]}
		assert {k: v for k, v in wanted.items() if v} == {k: v for k, v in found.items() if v}, (wanted, found)
		assert [d["change"]["outstanding_bytes"] for d in diff["differences"]] == \
		    sorted((d["change"]["outstanding_bytes"] for d in diff["differences"]), reverse=True)
		assert any(line == 5 and change == 33_334 - 77_778 for (_, line, _), change in found.items()), found
	PYTHON
	"$PYMEMTOP" diff "$saved.1" "$saved.1" | grep -q 'nothing has changed'
	refused 1 "no profile that record -f json has saved" report "$BATS_TEST_TMPDIR/app.py"
	refused 1 "cannot be opened" diff "$saved.1" /nowhere
	refused 2 "which files" diff "$saved.1"
	refused 2 "a file too many" report "$saved.1" "$saved.2"
	"$PYMEMTOP" record -m rss -p "$TARGET" -d 0.1 -f json -o "$saved.rss"
	refused 1 "do not compare: one is of mode heap, the other of mode rss" diff "$saved.1" "$saved.rss"
}

@test "what recording costs is told while it runs" {
	need_probes
	local saved=$BATS_TEST_TMPDIR/saved
	"$DEBIAN" -c '
while True:
    [bytes(5000) for _ in range(100)]' 3>&- &
	TARGET=$!
	"$PYMEMTOP" record -p "$TARGET" -d 4 -f json -o "$saved"
	# Each block takes two traps at least: its allocation, and where it is freed.
	"$DEBIAN" -c '
import json, sys
profile = json.load(open(sys.argv[1]))
cost, process = profile["cost"], profile["processes"][0]
blocks = process["allocated_count"] / profile["duration_seconds"]
print(cost, blocks)
assert 0.3 < cost["cpu_share"] <= 1 and 0.3 < cost["cpu_share_now"] <= 1
assert 1.5 < cost["traps_per_second"] / blocks < 4
assert cost["runs_per_second"] >= cost["traps_per_second"]' "$saved"
	"$PYMEMTOP" report "$saved" | grep -qE '^  Cost         about [0-9.]+ % of the recorded'
	"$PYMEMTOP" report -f json "$saved" | cmp - "$saved"
	# Nothing goes on counting.
	[ "$(cat /proc/sys/kernel/bpf_stats_enabled)" = 0 ]
}

@test "of all processes only those of a name, a user or a control group" {
	need_probes
	cat > "$BATS_TEST_TMPDIR/wanted_app.py" <<-'PYTHON'
		import time
		kept = []
		while True:
		    kept.append(bytearray(5000))
		    time.sleep(0.01)
	PYTHON
	cp "$BATS_TEST_TMPDIR/wanted_app.py" "$BATS_TEST_TMPDIR/other_app.py"
	start() { "$DEBIAN" "$BATS_TEST_TMPDIR/$1_app.py" 3>&- & TARGET=$!; until_asleep "$TARGET"; }
	pids() { "$PYMEMTOP" record "$@" -d 1 -f json | "$DEBIAN" -c '
import json, sys
print(*sorted(process["pid"] for process in json.load(sys.stdin)["processes"]))'; }
	start wanted; wanted=$TARGET
	start other; other=$TARGET
	[ "$(pids --name "$BATS_TEST_TMPDIR/wanted_[a-z]+")" = "$wanted" ]
	[ "$(pids --name "$BATS_TEST_TMPDIR/wanted_" --user nobody)" = "" ]
	[ "$(pids --name "$BATS_TEST_TMPDIR/" --user root)" = "$(printf '%s\n' "$wanted" "$other" | sort | xargs)" ]
	# One that starts later.
	"$PYMEMTOP" record -v --name "$BATS_TEST_TMPDIR/wanted_" -d 600 -f json -o "$BATS_TEST_TMPDIR/late" \
		2> "$BATS_TEST_TMPDIR/said" 3>&- &
	local recorder=$!
	until_has "$BATS_TEST_TMPDIR/said" 'pymemtop: recording'
	start other; local late_other=$TARGET
	start wanted; local late=$TARGET
	until_has "$BATS_TEST_TMPDIR/said" "process $late is recorded"
	kill -INT "$recorder"
	wait "$recorder"
	grep -q "\"pid\": *$late\b" "$BATS_TEST_TMPDIR/late"
	! grep -q "\"pid\": *$late_other\b" "$BATS_TEST_TMPDIR/late"
	kill "$late" "$late_other"
	# A container's control group.
	local group=/sys/fs/cgroup id
	[ -e "$group/cgroup.procs" ] || group=$group/unified
	id=$(printf '%064d' "$wanted")
	if mkdir -p "$group/pymemtop_test/docker-$id.scope" && echo "$wanted" > "$group/pymemtop_test/docker-$id.scope/cgroup.procs"; then
		[ "$(pids --container "$id")" = "$wanted" ]
		[ "$(pids --cgroup /pymemtop_test)" = "$wanted" ]
		"$PYMEMTOP" record --container "$id" -d 1 | grep -q "^  Runs in      container ${id:0:12}$"
		kill "$wanted"
		wait "$wanted" || :
		rmdir "$group/pymemtop_test/docker-$id.scope" "$group/pymemtop_test"
	else
		kill "$wanted"
	fi
	kill "$other"
}

@test "a server's workers that run already are recorded with it" {
	need_probes
	cat > "$BATS_TEST_TMPDIR/server.py" <<-'PYTHON'
		import os, time
		kept = []
		def work():
		    while True:
		        kept.append(bytearray(5000))
		        time.sleep(0.01)
		workers = []
		for _ in range(2):
		    pid = os.fork()
		    if not pid:
		        work()
		    workers.append(pid)
		print(*workers, flush=True)
		time.sleep(600)
	PYTHON
	"$DEBIAN" "$BATS_TEST_TMPDIR/server.py" > "$BATS_TEST_TMPDIR/workers" 3>&- &
	TARGET=$!
	until_has "$BATS_TEST_TMPDIR/workers" ' '
	read -r first second < "$BATS_TEST_TMPDIR/workers"
	count() { "$PYMEMTOP" record -p "$TARGET" -d 1 "$@" | grep -cE "^Process ($TARGET|$first|$second)\b"; }
	[ "$(count)" = 3 ]
	[ "$(count --no-children)" = 1 ]
	[ "$(count --no-follow)" = 1 ]
	kill "$first" "$second"
}
