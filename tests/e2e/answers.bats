#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# What people ask of a report, and what it must not hide.
load helper

# Records the target into "report", from when it may go on until it has done its work.
record_until_done() {
	local pid
	"$PYMEMTOP" record -v -p "$TARGET" -o "$BATS_TEST_TMPDIR/report" 2>"$BATS_TEST_TMPDIR/said" 3>&- &
	pid=$!
	until_recording "$BATS_TEST_TMPDIR/said"
	touch "$BATS_TEST_TMPDIR/go"
	until [ -e "$BATS_TEST_TMPDIR/go.done" ]; do sleep 0.1; done
	kill -INT "$pid"
	wait "$pid"
}

@test "what a line maps counts as what it holds: first in the report, and in its text; so does shared memory" {
	need_probes
	local disk
	disk=$(mktemp -p /var/tmp)
	"$DEBIAN" ../programs/maps_much.py "$BATS_TEST_TMPDIR/go" "$disk" 3>&- &
	TARGET=$!
	until_asleep "$TARGET"
	record_until_done
	cat "$BATS_TEST_TMPDIR/report"
	rm "$disk"
	grep -A 1 'Line (function)' "$BATS_TEST_TMPDIR/report" | tail -n 1 | grep -qE '^ +\+64.0 MiB .*maps_much.py:15 '
	grep -A 2 'Line (function)' "$BATS_TEST_TMPDIR/report" | tail -n 1 | grep -qE '^ +\+32.0 MiB .*maps_much.py:16 '
	grep -qE '^ +15 +64.0 MiB +\+64.0 MiB .*mmap' "$BATS_TEST_TMPDIR/report"
	# Pages of a file on a disk are not the process's.
	! grep -q '8.0 MiB .*maps_much.py:17' "$BATS_TEST_TMPDIR/report"
}

@test "a file that has been replaced since is not quoted; one that was only changed is, with a word" {
	need_probes
	cat > "$BATS_TEST_TMPDIR/app.py" <<-'PYTHON'
		import time
		kept = []
		def grow():
		    while True:
		        kept.append(bytearray(1000))
		        time.sleep(0.01)
		grow()
	PYTHON
	"$DEBIAN" "$BATS_TEST_TMPDIR/app.py" 3>&- &
	TARGET=$!
	until_asleep "$TARGET"
	"$PYMEMTOP" record -p "$TARGET" -d 1 -o "$BATS_TEST_TMPDIR/same"
	touch "$BATS_TEST_TMPDIR/app.py"
	"$PYMEMTOP" record -p "$TARGET" -d 1 -o "$BATS_TEST_TMPDIR/touched"
	printf 'import time\n# new\n# text\nkept = []\nprint("another line")\ndef grow():\n    pass\n' \
		> "$BATS_TEST_TMPDIR/app.py"
	"$PYMEMTOP" record -p "$TARGET" -d 1 -o "$BATS_TEST_TMPDIR/other"
	! grep -E 'changed after|another one' "$BATS_TEST_TMPDIR/same"
	grep -q 'kept.append(bytearray(1000))' "$BATS_TEST_TMPDIR/touched"
	grep -q 'was changed after the process began' "$BATS_TEST_TMPDIR/touched"
	grep -q 'another one by now: line 5 is not in grow any more' "$BATS_TEST_TMPDIR/other"
	! grep -q 'another line' "$BATS_TEST_TMPDIR/other"
}

@test "the program's own lines add up: what is further out than was recorded is said" {
	need_probes
	mkdir -p "$BATS_TEST_TMPDIR/site-packages/deeplib"
	printf 'def walk(n, make):\n    return walk(n - 1, make) if n else make(50_000)\n' \
		> "$BATS_TEST_TMPDIR/site-packages/deeplib/__init__.py"
	cat > "$BATS_TEST_TMPDIR/app.py" <<-'PYTHON'
		import os, sys, time
		sys.path.insert(0, os.path.dirname(__file__) + "/site-packages")
		import deeplib
		kept = []
		while not os.path.exists(sys.argv[1]):
		    time.sleep(0.1)
		kept += [deeplib.walk(20, bytearray) for _ in range(100)]
		kept += [deeplib.walk(100, bytearray) for _ in range(100)]
		open(sys.argv[1] + ".done", "w").close()
		time.sleep(600)
	PYTHON
	"$DEBIAN" "$BATS_TEST_TMPDIR/app.py" "$BATS_TEST_TMPDIR/go" 3>&- &
	TARGET=$!
	until_asleep "$TARGET"
	record_until_done
	grep -A 5 "program's own line" "$BATS_TEST_TMPDIR/report"
	grep -qE '^ +\+4.8 MiB +4.8 MiB  .*app.py:7 ' "$BATS_TEST_TMPDIR/report"
	grep -qE '^ +\+4.8 MiB +4.8 MiB  \[further out than what was recorded\]$' "$BATS_TEST_TMPDIR/report"
}

@test "a program that ends as usual: its lines hold what they held when it ended" {
	need_probes
	printf 'kept = []\nfor n in range(300):\n    kept.append(bytearray(100_000))\n' > "$BATS_TEST_TMPDIR/job.py"
	"$PYMEMTOP" record -m heap,rss -f json -o "$BATS_TEST_TMPDIR/profile" -- "$DEBIAN" "$BATS_TEST_TMPDIR/job.py"
	"$DEBIAN" - "$BATS_TEST_TMPDIR"/profile* <<-'PYTHON'
		import json, sys
		found = {}
		for path in sys.argv[1:]:
		    decoder, text = json.JSONDecoder(), open(path).read().strip()
		    while text:
		        profile, end = decoder.raw_decode(text)
		        text = text[end:].strip()
		        for row in profile["processes"][0]["lines"]:
		            if row["file"].endswith("job.py") and row["line"] == 3:
		                found[profile["mode"]] = row
		kept = []
		for n in range(300):
		    kept.append(n)
		# A NUL ends each; and the list has a table.
		table = sys.getsizeof(kept) - sys.getsizeof([])
		assert found["heap"]["outstanding_bytes"] == 300 * 100_001 + table, found["heap"]
		assert found["heap"]["outstanding_count"] == 301, found["heap"]
		assert found["rss"]["resident_bytes"] >= 300 * 96_000, found["rss"]
	PYTHON
}

@test "a command that only starts the Python: it is recorded from its first line on, and its status passed on" {
	need_probes
	printf 'kept = [bytearray(1000) for _ in range(1000)]\n' > "$BATS_TEST_TMPDIR/app.py"
	local run="$DEBIAN $BATS_TEST_TMPDIR/app.py" command status
	for command in "$run; exit 3" "timeout 60 $run; exit 3" "echo $BATS_TEST_TMPDIR/app.py | xargs $DEBIAN; exit 3"; do
		status=0
		"$PYMEMTOP" record -f json -o "$BATS_TEST_TMPDIR/profile" -- sh -c "$command" || status=$?
		[ "$status" = 3 ]
		"$DEBIAN" - "$BATS_TEST_TMPDIR/profile" <<-'PYTHON'
			import json, sys
			process, = json.load(open(sys.argv[1]))["processes"]
			made = sum(row["outstanding_count"] for row in process["lines"] if row["file"].endswith("app.py"))
			assert 1000 <= made <= 1001, made
		PYTHON
	done
	status=0
	"$PYMEMTOP" record -- sh -c 'exit 4' 2> "$BATS_TEST_TMPDIR/said" || status=$?
	[ "$status" = 1 ]
	grep -q 'neither it nor what it started became a CPython' "$BATS_TEST_TMPDIR/said"
	nothing_left
}

@test "hundreds of children that have ended are one sum in the report, but for the last" {
	need_probes
	printf 'import os\nfor n in range(300):\n    pid = os.fork()\n    if not pid:\n        kept = bytearray(100_000)\n        os._exit(0)\n    os.waitpid(pid, 0)\n' \
		> "$BATS_TEST_TMPDIR/app.py"
	"$PYMEMTOP" record -o "$BATS_TEST_TMPDIR/report" -- "$DEBIAN" "$BATS_TEST_TMPDIR/app.py"
	grep -E '^(Process|[0-9,]+ children)' "$BATS_TEST_TMPDIR/report" | tail -n 2
	[ "$(grep -c '^Process' "$BATS_TEST_TMPDIR/report")" -le 17 ]
	# The last sixteen may be children, or fifteen and the program.
	grep -qE '^28[45] children of .* that have ended, together' "$BATS_TEST_TMPDIR/report"
	grep -E -A 20 '^28[45] children' "$BATS_TEST_TMPDIR/report" |
		grep -qE "^ +\+27\.[12] MiB +27\.[12] MiB +0 B +[0-9]+  .*app.py:5 "
}

@test "the report says how much of the resident memory is of files, and shared" {
	need_probes
	"$DEBIAN" -c 'import mmap, time
kept = mmap.mmap(-1, 40 << 20)
kept.write(b"x" * (40 << 20))
time.sleep(600)' 3>&- &
	TARGET=$!
	until_asleep "$TARGET"
	"$PYMEMTOP" record -p "$TARGET" -d 1 > "$BATS_TEST_TMPDIR/report"
	grep RSS "$BATS_TEST_TMPDIR/report"
	grep -qE 'RSS +.* = [0-9.]+ MiB anonymous \+ [0-9.]+ MiB of files \+ 40.0 MiB shared$' "$BATS_TEST_TMPDIR/report"
}

@test "what a native thread allocates is on the line that waits for it, and marked where it is only likely" {
	cat > "$BATS_TEST_TMPDIR/work.c" <<-'C'
		#include <pthread.h>
		#include <stdlib.h>
		static void *run(void *size) { return malloc((size_t)size); }
		/* A thread of its own allocates while the caller waits. */
		void work(size_t size) {
			pthread_t thread;
			if (!pthread_create(&thread, NULL, run, (void *)size)) pthread_join(thread, NULL);
		}
	C
	cat > "$BATS_TEST_TMPDIR/waits.py" <<-'PYTHON'
		import ctypes, sys, threading
		lets_go, keeps = ctypes.CDLL(sys.argv[1]), ctypes.PyDLL(sys.argv[1])
		def waits(n):
		    lets_go.work(n)
		def holds(n):
		    keeps.work(n)
		for i in range(50): waits(ctypes.c_size_t(111_111))
		for i in range(50): holds(ctypes.c_size_t(22_222))
		end = threading.Event()
		other = threading.Thread(target=end.wait)
		other.start()
		for i in range(50): waits(ctypes.c_size_t(3_333))
		for i in range(50): holds(ctypes.c_size_t(4_444))
		end.set()
		other.join()
	PYTHON
	cc -shared -fPIC -o "$BATS_TEST_TMPDIR/work.so" "$BATS_TEST_TMPDIR/work.c" -lpthread
	for python in "$DEBIAN" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.{8,9,10,12,13}.*/bin/python3; do
		[ -x "$python" ] || continue
		"$PYMEMTOP" record -f json -o "$BATS_TEST_TMPDIR/out" -- "$python" "$BATS_TEST_TMPDIR/waits.py" \
			"$BATS_TEST_TMPDIR/work.so"
		"$DEBIAN" - "$BATS_TEST_TMPDIR/out" "$python" <<-'PYTHON'
			import json, sys
			process, = json.load(open(sys.argv[1]))["processes"]
			waits, = [s for s in process["stacks"] if s["outstanding_bytes"] == 50 * 111_111]
			places = [(f["function"], f["line"]) for f in waits["frames"]]
			native, = [s for s in process["stacks"] if s["frames"][0]["file"] == "[native]"]
			print(sys.argv[2], places, native["outstanding_bytes"])
			assert waits["outstanding_count"] == 50
			assert places == [("waits [native thread]", 4), ("<module>", 7)]
			# Another thread could be meant, but had not been running.
			likely, = [s for s in process["stacks"] if s["outstanding_bytes"] == 50 * 3_333]
			places = [(f["function"], f["line"]) for f in likely["frames"]]
			assert places == [("waits [native thread, likely]", 4), ("<module>", 12)]
			# With the GIL held, nobody waits. And what the interpreter takes before it has a thread state.
			assert 0 <= native["outstanding_bytes"] - 50 * (22_222 + 4_444) < 50 * 22_222
			assert not any(process["lost"].values()), process["lost"]
		PYTHON
	done
}

@test "--peak: each line as it was when all held most, to the byte" {
	need_probes
	local python
	for python in "$DEBIAN" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.{8,13}.*/bin/python3; do
		[ ! -x "$python" ] || check check_peak.py "$python" 1
	done
	check check_peak.py "$DEBIAN" 2
	check check_peak.py "$DEBIAN" 3 3
}

@test "a notebook's cell is in no file: its text is the process's own" {
	need_probes
	cat > "$BATS_TEST_TMPDIR/cells.py" <<-'PYTHON'
		import linecache, time
		def run(name, source):
		    linecache.cache[name] = len(source), None, source.splitlines(True), name
		    exec(compile(source, name, "exec"), globals())
		run("/tmp/ipykernel_7/123456789.py", "kept = []\ndef work():\n\tkept.append(bytearray(3000))  # \u00e9\x1b[2J\n")
		run("<ipython-input-3-abc>", "def more():\n    kept.append(bytearray(1000))\n")
		while True:
		    work(), more()
		    time.sleep(0.01)
	PYTHON
	for python in "$DEBIAN" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.{8,9,10,12,13}.*/bin/python3; do
		[ -x "$python" ] || continue
		"$python" "$BATS_TEST_TMPDIR/cells.py" 3>&- &
		TARGET=$!
		until_asleep "$TARGET"
		"$PYMEMTOP" record -p "$TARGET" -d 0.5 -o "$BATS_TEST_TMPDIR/report"
		grep -qE '^ +3 .* KiB .*     kept.append\(bytearray\(3000\)\)  # é\\x1b\[2J$' "$BATS_TEST_TMPDIR/report"
		grep -qE '^ +2 .* KiB .*     kept.append\(bytearray\(1000\)\)$' "$BATS_TEST_TMPDIR/report"
		kill "$TARGET"
	done
}

@test "code that is installed as a package is the program's own where --own says so" {
	local packages=$BATS_TEST_TMPDIR/lib/python3.11/site-packages
	mkdir -p "$packages/shop"
	cat > "$packages/shop/__init__.py" <<-'PYTHON'
		import json
		kept = {}
		def basket(n):
		    kept[n] = json.loads('"%s"' % ("a" * 5_000))
	PYTHON
	cat > "$BATS_TEST_TMPDIR/serve.py" <<-'PYTHON'
		import sys
		sys.path.insert(0, sys.argv[1])
		import shop
		for n in range(1_000): shop.basket(n)
	PYTHON
	"$PYMEMTOP" record -f json -o "$BATS_TEST_TMPDIR/saved" -- \
		"$DEBIAN" "$BATS_TEST_TMPDIR/serve.py" "$packages"
	own() {	# options: prints the first line that is the program's own
		"$PYMEMTOP" report "$@" "$BATS_TEST_TMPDIR/saved" | grep -A1 "The program's own line" | tail -1
	}
	own
	[[ $(own) == *"4."[89]" MiB"*"/serve.py:4 (<module>)" ]]
	# As installed scripts, -m, and servers name it.
	for words in "/venv/bin/shop --port 80" "python3 -m shop" "/venv/bin/gunicorn -w 2 shop.wsgi:app" "x --app=shop"; do
		sed -E "s|\"cmdline\": ?\"[^\"]*\"|\"cmdline\": \"$words\"|" "$BATS_TEST_TMPDIR/saved" > "$BATS_TEST_TMPDIR/named"
		grep -qF "$words" "$BATS_TEST_TMPDIR/named"
		"$PYMEMTOP" report "$BATS_TEST_TMPDIR/named" | grep -A1 "The program's own line" | tail -1 |
			grep -qE '4.[89] MiB .*/shop/__init__.py:4 \(basket\)$'
	done
	sed -E 's|"cmdline": ?"[^"]*"|"cmdline": "workshop shopping"|' "$BATS_TEST_TMPDIR/saved" > "$BATS_TEST_TMPDIR/named"
	"$PYMEMTOP" report "$BATS_TEST_TMPDIR/named" | grep -A1 "The program's own line" | grep -q '/serve.py:4'
	[[ $(own --own '*/shop/*') == *"4."[89]" MiB"*"/shop/__init__.py:4 (basket)" ]]
	[[ $(own --own '*/shop/*' --library __init__.py) == *"4."[89]" MiB"*"/serve.py:4 (<module>)" ]]
	"$PYMEMTOP" record -m lines --own '*/shop/*' -- "$DEBIAN" "$BATS_TEST_TMPDIR/serve.py" "$packages" \
		| grep -q 'kept\[n\] = json'
}

@test "flame graphs in a browser weigh what the stacks do, zoom, search and turn" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	command -v chromium > /dev/null || skip "needs chromium"
	check check_svg.py "$DEBIAN"
}

@test "each line of a module of 30,000 lines" {
	need_probes
	cd "$BATS_TEST_TMPDIR"
	"$DEBIAN" -c '
with open("table.py", "w") as file:
    file.write("rows = []\nadd = rows.append\n")
    for n in range(3, 30_000):
        # Of each thousandth line a size that no other has.
        file.write("add(bytearray(%d))\n" % (5_000_000 + n) if n % 1000 == 0 else "add(%d)\n" % n)'
	echo 'import table' > main.py
	"$PYMEMTOP" record -f json -o saved -- "$DEBIAN" main.py
	"$DEBIAN" -c '
import json
lines = json.load(open("saved"))["processes"][0]["lines"]
found = {line["line"]: line for line in lines if line["file"].endswith("/table.py")}
for n in range(1000, 30_000, 1000):
    held = found[n]["outstanding_bytes"] + found[n]["mapped_bytes"]
    assert 5_000_000 + n <= held <= 5_000_000 + n + 8192, (n, held)
print(len(found), "lines")'
}

@test "within a budget: what is kept is first, and about as much as it is" {
	need_probes
	check check_windows.py "$DEBIAN" heap
	check check_windows.py "$DEBIAN" objects
}

@test "a budget is for modes with probes, and a percentage" {
	refused 2 "goes with --mode heap and objects; rss has --sample" record -p 1 -m rss --max-overhead 1
	refused 2 "give a percentage" record -p 1 --max-overhead 0
	refused 2 "give a percentage" record -p 1 --max-overhead much
	refused 2 "goes with --max-overhead" record -p 1 --min-age 3
	refused 2 "markers must be followed" record -p 1 --max-overhead 1 --attribution usdt
}

@test "allocators inside an extension that is loaded later are followed: Arrow's jemalloc and mimalloc" {
	need_probes
	need_pypi pyarrow
	check check_arrow.py "$PYTHON"
}

@test "a server's workers are one program, with those that have ended" {
	need_probes
	"$DEBIAN" ../programs/prefork.py "$BATS_TEST_TMPDIR/go" "$BATS_TEST_TMPDIR/done" 3>&- &
	TARGET=$!
	until_asleep "$TARGET"
	"$PYMEMTOP" record -v -p "$TARGET" --group program -f json -o "$BATS_TEST_TMPDIR/json" \
		2>"$BATS_TEST_TMPDIR/said" 3>&- &
	local pid=$!
	until_recording "$BATS_TEST_TMPDIR/said"
	touch "$BATS_TEST_TMPDIR/go"
	until [ -e "$BATS_TEST_TMPDIR/done" ]; do sleep 0.1; done
	kill -INT "$pid"
	wait "$pid"
	pkill -P "$TARGET"
	"$DEBIAN" - "$BATS_TEST_TMPDIR/json" <<-'PYTHON'
		import json, sys
		program, = json.load(open(sys.argv[1]))["processes"]
		assert (program["program"], program["members"], program["running"]) == ("prefork.py", 9, 3), program
		line, = [line for line in program["lines"] if line["function"] == "request"]
		assert (line["outstanding_count"], line["outstanding_bytes"]) == (160, 160 * 50_001), line
	PYTHON
	"$PYMEMTOP" report "$BATS_TEST_TMPDIR/json" | grep -q '^Program prefork.py, 9 processes, of which 3 run'
	"$PYMEMTOP" report -f folded "$BATS_TEST_TMPDIR/json" | grep -q '^prefork.py;.*;request '
}

@test "a budget for objects, and pages all the time, at once" {
	need_probes
	sleep 600 3>&- | "$DEBIAN" ../programs/kept.py >/dev/null 3>&- &
	TARGET=$!
	until pgrep -f programs/kept.py >/dev/null; do sleep 0.1; done
	"$PYMEMTOP" record -m rss,objects --max-overhead 10 --min-age 1 -p "$(pgrep -fn programs/kept.py)" -d 12 -f json \
		-o "$BATS_TEST_TMPDIR/json"
	pkill -f programs/kept.py
	pkill -fx "sleep 600"
	"$DEBIAN" - "$BATS_TEST_TMPDIR/json" <<-'PYTHON'
		import json, sys
		text, decoder, profiles, at = open(sys.argv[1]).read(), json.JSONDecoder(), [], 0
		while at < len(text.rstrip()):
		    profile, at = decoder.raw_decode(text, at)
		    profiles.append(profile)
		    at += len(text[at:]) - len(text[at:].lstrip())
		rss, objects = profiles
		pages, kept = rss["processes"][0], objects["processes"][0]
		assert "windows" not in rss and objects["windows"]["count"] > 0, objects.get("windows")
		assert pages["rss_anon_bytes"] == pages["before_attach_bytes"] + pages["resident_bytes"] + \
		    pages["arena_bytes"] + pages["unattributed_bytes"], pages
		assert abs(pages["unattributed_bytes"]) < pages["rss_anon_bytes"] / 50, pages["unattributed_bytes"]
		assert {line["function"] for line in kept["lines"][:2]} <= \
		    {"keep", "keep_block", "Event.__init__"}, kept["lines"][:3]
	PYTHON
}
