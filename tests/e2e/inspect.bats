# SPDX-License-Identifier: BSD-2-Clause
# What is alive in a process, from its memory alone.
load helper

setup() {
	[ -x "$DEBIAN" ] || skip "needs Debian 12's $DEBIAN"
}

@test "what a program makes is counted, by type and size" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	check check_inspect.py "$DEBIAN"
}

@test "what a name keeps alive is what the process loses with it" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	check check_retained.py "$DEBIAN"
}

@test "a core file tells what its process would, and damaged ones do no harm" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	check check_core.py "$DEBIAN"
}

@test "where the resident memory is, what of malloc's heaps is free, and what it would give back" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	check check_residence.py "$DEBIAN"
}

# Looks at grows.py before and after it grows; what is found is in out.
inspect_growth() {
	"$DEBIAN" ../programs/grows.py "$BATS_TEST_TMPDIR/go" "$BATS_TEST_TMPDIR/made" 3>&- &
	TARGET=$!
	until_asleep "$TARGET"
	"$PYMEMTOP" inspect -v -p "$TARGET" -i 600 "$@" > "$BATS_TEST_TMPDIR/out" \
		2> "$BATS_TEST_TMPDIR/said" 3>&- &
	local pid=$!
	until_has "$BATS_TEST_TMPDIR/said" ' objects$'
	touch "$BATS_TEST_TMPDIR/go"
	until_has "$BATS_TEST_TMPDIR/made" made
	kill -INT "$pid"
	wait "$pid"
	cat "$BATS_TEST_TMPDIR/out"
}

@test "what grows is shown with its change, and what holds it first" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	inspect_growth --top 3
	grep -qE '^ +21,000 +\+20,000 +.* Grown  .*/grows.py:9$' "$BATS_TEST_TMPDIR/out"
	grep -A 1 'keep alive' "$BATS_TEST_TMPDIR/out" | tail -n 1 |
		grep -qE "\+.* 21,000  __main__.registry.entries\['kept'\]\[\*\]  Grown$"
}

@test "record --types tells what has grown, whatever line made it" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	cd "$BATS_TEST_TMPDIR"
	"$DEBIAN" "$OLDPWD/../programs/grows.py" go made 3>&- &
	TARGET=$!
	until_asleep "$TARGET"
	"$PYMEMTOP" record -v -p "$TARGET" -m rss --types -f json > out 2> said 3>&- &
	local pid=$!
	until_has said ' objects$'
	touch go
	until_has made made
	kill -INT "$pid"
	wait "$pid"
	"$DEBIAN" -c '
import json
alive = json.load(open("out"))["processes"][0]["alive"]
grown = [row for row in alive["types"] if row["type"] == "Grown"][0]
assert (grown["count"], grown["count_change"]) == (21000, 20000), grown
assert grown["file"].endswith("grows.py") and grown["line"] == 9, grown
assert alive["types"].index(grown) < 2, [row["type"] for row in alive["types"][:4]]
for name in "count", "bytes", "count_change", "bytes_change":
    assert alive[name] == sum(row[name] for row in alive["types"]), name'
	"$PYMEMTOP" report -f json out | cmp - out
	"$PYMEMTOP" report out | grep -qE '^ +21,000 +\+20,000 +.* Grown  .*/grows.py:9$'
}

@test "the live view shows the types that grow" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	"$DEBIAN" ../programs/grows.py "$BATS_TEST_TMPDIR/go" "$BATS_TEST_TMPDIR/made" 3>&- &
	TARGET=$!
	until_asleep "$TARGET"
	check check_view.py types "$TARGET" "$BATS_TEST_TMPDIR/go"
}

@test "a list and a dict that grow meanwhile hold what is in them" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	cat > "$BATS_TEST_TMPDIR/growing.py" <<-'PYTHON'
		import sys, time
		class InList: pass
		class InDict: pass
		log, table, n = [InList() for _ in range(60_000)], {}, 0
		print("ready", flush=True)
		while True:
		    n += 1
		    log.append(InList())
		    table[n] = InDict()
		    if n % 20 == 0:
		        time.sleep(0.001)
	PYTHON
	coproc growing { exec "$DEBIAN" "$BATS_TEST_TMPDIR/growing.py" 3>&-; }
	TARGET=$growing_PID
	read -r -u "${growing[0]}" _
	for look in 1 2 3 4 5; do
		"$PYMEMTOP" inspect -p "$TARGET" -f json > "$BATS_TEST_TMPDIR/out"
		"$DEBIAN" -c '
import json, sys
process = json.load(open(sys.argv[1]))["processes"][0]
for name, path in ("InList", "__main__.log[*]"), ("InDict", "__main__.table{*}"):
    count = sum(row["count"] for row in process["types"] if row["type"] == name)
    held = sum(row["count"] for row in process["holders"] if row["path"] == path and row["type"] == name)
    print(name, count, held)
    # But for what came while it was read: 20,000 a second.
    assert held > 0.8 * count > 0 or count < 2000, (name, count, held)' "$BATS_TEST_TMPDIR/out"
	done
}

@test "objects of a type: what leads to them, and how many more there are" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	inspect_growth --type Grown
	grep -qE "^ +21,000 +\+20,000 .*  __main__.registry.entries\['kept'\]\[\*\]$" "$BATS_TEST_TMPDIR/out"
	grep -qE '^    number=[0-9]+\.5$' "$BATS_TEST_TMPDIR/out"
}

@test "what was saved is shown again as it was, and compared" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	cd "$BATS_TEST_TMPDIR"
	(cd "$OLDPWD" && inspect_growth -f json > /dev/null)
	"$PYMEMTOP" report -f json out | cmp - out
	"$PYMEMTOP" report out > report
	grep -qE '^ +21,000 +\+20,000 +.* Grown  .*/grows.py:[0-9]+$' report
	# The same in two files, as each look alone would have saved it.
	"$DEBIAN" -c '
import json, sys
saved = json.load(open("out"))
for process in saved["processes"]:
    for row in process["types"] + process["holders"]:
        for name in ("count", "bytes", "retained_bytes"):
            change = row.pop(name + "_change", 0)
            if sys.argv[1] == "before" and name in row:
                row[name] -= change
    process["types"] = [row for row in process["types"] if row["count"]]
json.dump(saved, open(sys.argv[1], "w"))' before
	"$DEBIAN" -c 'import json
saved = json.load(open("out"))
json.dump(saved, open("now", "w"))'
	"$PYMEMTOP" diff before now > diff
	grep -qE '^ +21,000 +\+20,000 +.* Grown  .*/grows.py:[0-9]+$' diff
	grep -A 1 'keep alive' diff | tail -n 1 | grep -qE "21,000  __main__.registry.entries\['kept'\]\[\*\]  Grown$"
	head -c 5000 out > cut
	refused 1 "is no file that inspect -f json has saved" report cut
	refused 1 "report, json, folded, svg and dot" report -f pprof out > /dev/null
	refused 1 "--group is for profiles" diff --group file out out
	echo '{"schema": "pymemtop.objects/9", "processes": []}' > later
	refused 1 "its schema is not pymemtop.objects/1" report later
}

@test "folded holders add up to what is alive" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	start_target
	cd "$BATS_TEST_TMPDIR"
	# One look: between two, the target may have made something.
	"$PYMEMTOP" inspect -p "$TARGET" -f json > saved
	"$PYMEMTOP" report -f folded saved > folded
	"$PYMEMTOP" inspect -p "$TARGET" -f folded > live
	! grep -vE '^[^;]+ [0-9]+(;[^;]+)+ [0-9]+$' folded live
	"$DEBIAN" -c '
import json
folded = sum(int(line.rsplit(" ", 1)[1]) for line in open("folded"))
alive = json.load(open("saved"))["processes"][0]["retained_bytes"]
assert folded == alive, (folded, alive)'
}

@test "another program between two looks is said to be one" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	"$DEBIAN" -c 'import os, sys, time
while not os.path.exists(sys.argv[1]): time.sleep(0.1)
os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(60)"])' "$BATS_TEST_TMPDIR/go" 3>&- &
	TARGET=$!
	until_asleep "$TARGET"
	"$PYMEMTOP" inspect -v -p "$TARGET" -i 600 2> "$BATS_TEST_TMPDIR/said" 3>&- &
	local pid=$! status=0
	until_has "$BATS_TEST_TMPDIR/said" ' objects$'
	touch "$BATS_TEST_TMPDIR/go"
	for try in {1..100}; do
		tr '\0' ' ' < "/proc/$TARGET/cmdline" | grep -q -- '-c import os' || break
		sleep 0.1
	done
	kill -INT "$pid"
	wait "$pid" || status=$?
	[ "$status" = 1 ]
	grep -q 'runs another program now' "$BATS_TEST_TMPDIR/said"
}

@test "the owner may inspect without any capability, others are told what it takes" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	[ "$(cat /proc/sys/kernel/yama/ptrace_scope 2>/dev/null || echo 0)" = 0 ] || skip "needs yama at 0"
	cp "$PYMEMTOP" "$BATS_TEST_TMPDIR/pymemtop"
	chmod 755 "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/pymemtop"
	setpriv --reuid=65534 --clear-groups "$DEBIAN" -c 'import time; kept = ["x" * 99 + str(i) for i in range(7777)]; time.sleep(60)' 3>&- &
	TARGET=$!
	until_asleep "$TARGET"
	cp "$PYMEMTOP" /tmp/pymemtop.$$
	setpriv --reuid=65534 --clear-groups /tmp/pymemtop.$$ inspect -p "$TARGET" > "$BATS_TEST_TMPDIR/out"
	! setpriv --reuid=65533 --clear-groups /tmp/pymemtop.$$ inspect -p "$TARGET" 2> "$BATS_TEST_TMPDIR/err"
	rm /tmp/pymemtop.$$
	cat "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/err"
	grep -qE '^ +[0-9],?[0-9]{3} .* str$|^ +1[0-9],[0-9]{3} .* str$' "$BATS_TEST_TMPDIR/out"
	grep -qE '^pymemtop: ' "$BATS_TEST_TMPDIR/err"
}

@test "wrong arguments, and what is no Python, are refused with the reason" {
	refused 2 "which process?" inspect
	refused 2 "--format xml" inspect -p 1 -f xml
	refused 2 "in place of -p" inspect -p 1 --core x
	refused 2 "does not change" inspect --core x -i 1
	refused 2 "goes with --core" inspect -p 1 --root /
	refused 1 "No such file" inspect --core "$BATS_TEST_TMPDIR/none"
	sleep 60 3>&- &
	TARGET=$!
	refused 1 "is not CPython" inspect -p "$TARGET"
	refused 1 "no process" inspect -p 4194303
}

@test "garbage for pointers, sizes and counts ends in no crash" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	"$DEBIAN" ../programs/garbage.py 3>&- &
	TARGET=$!
	until_asleep "$TARGET"
	timeout 60 "$PYMEMTOP" inspect -p "$TARGET" -f json > "$BATS_TEST_TMPDIR/out"
	"$DEBIAN" -c 'import json, sys; p, = json.load(open(sys.argv[1]))["processes"]; assert 10000 < p["objects"] < 10**6 and p["bytes"] < 10**9, p["bytes"]' "$BATS_TEST_TMPDIR/out"
}
