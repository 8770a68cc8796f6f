# SPDX-License-Identifier: BSD-2-Clause
# CPython built in different ways, in different places, at different moments of its life.
load helper

setup() {
	need_probes
}

# Starts the command in the arguments; line 7 of idle.py must be in its report.
recorded() {
	"$@" >/dev/null 3>&- &
	TARGET=$!
	until_asleep "$TARGET"
	report_has 'idle.py:7'
}

report_has() {
	"$PYMEMTOP" record -p "$TARGET" -d 1 > "$BATS_TEST_TMPDIR/out"
	cat "$BATS_TEST_TMPDIR/out"
	grep -q -- "$1" "$BATS_TEST_TMPDIR/out"
}

@test "an interpreter whose file was replaced while it runs" {
	cp "$DEBIAN" "$BATS_TEST_TMPDIR/python3"
	"$BATS_TEST_TMPDIR/python3" ../programs/idle.py 3>&- &
	TARGET=$!
	until_asleep "$TARGET"
	rm "$BATS_TEST_TMPDIR/python3"
	cp /bin/true "$BATS_TEST_TMPDIR/python3"
	report_has 'idle.py:7'
}

@test "an interpreter that is in no file system: memfd" {
	recorded "$DEBIAN" -c "
import os
fd = os.memfd_create('anything', 0)
with open('$DEBIAN', 'rb') as file:
    os.write(fd, file.read())
os.execv('/proc/self/fd/%d' % fd, ['python3', '../programs/idle.py'])"
}

@test "a venv's python" {
	"$DEBIAN" -m venv --without-pip "$BATS_TEST_TMPDIR/venv" ||
		"$DEBIAN" -m venv --symlinks --without-pip "$BATS_TEST_TMPDIR/venv"
	recorded "$BATS_TEST_TMPDIR/venv/bin/python" ../programs/idle.py
}

@test "on an overlay file system, in a mount namespace of its own" {
	local d=$BATS_TEST_TMPDIR
	mkdir "$d/lower" "$d/upper" "$d/work" "$d/merged"
	cp "$DEBIAN" "$d/lower/python3"
	unshare --mount sh -c "
		mount -t tmpfs tmpfs $d/upper && mkdir $d/upper/upper $d/upper/work &&
		mount -t overlay overlay -o lowerdir=$d/lower,upperdir=$d/upper/upper,workdir=$d/upper/work $d/merged &&
		exec $d/merged/python3 ../programs/idle.py" 3>&- &
	TARGET=$!
	until_asleep "$TARGET"
	[ -e "/proc/$TARGET/root$d/merged/python3" ] || skip "needs overlayfs"
	report_has 'idle.py:7'
}

@test "embedded in a C program, with a name that says nothing" {
	command -v python3.11-config >/dev/null || skip "needs python3-dev"
	cat > "$BATS_TEST_TMPDIR/embed.c" <<-'C'
		#include <Python.h>
		/* Its code objects are then of a type that is in the program. */
		void *volatile named = &PyCode_Type;
		int main(int argc, char **argv) { return Py_BytesMain(argc, argv); }
	C
	cc -o "$BATS_TEST_TMPDIR/server" "$BATS_TEST_TMPDIR/embed.c" \
		$(python3.11-config --embed --cflags --ldflags)
	recorded "$BATS_TEST_TMPDIR/server" ../programs/idle.py
}

@test "without pymalloc every object is a block, and a debugging allocator adds its own" {
	cat > "$BATS_TEST_TMPDIR/small.py" <<-'PYTHON'
		import os, sys, time
		kept = [None] * 1000
		while not os.path.exists(sys.argv[1]): time.sleep(0.1)
		for i in range(1000):
		    x = bytes(100)
		    kept[i] = x
		time.sleep(30)
	PYTHON
	# bytes(100) takes 133 bytes; the hooks of malloc_debug add three words.
	local allocator size
	for allocator in malloc=133000 malloc_debug=157000; do
		PYTHONMALLOC=${allocator%=*} "$DEBIAN" "$BATS_TEST_TMPDIR/small.py" \
			"$BATS_TEST_TMPDIR/go" 3>&- &
		TARGET=$!
		until_asleep "$TARGET"
		size=${allocator#*=}
		record_from_go -p "$TARGET" -d 5 -f json > "$BATS_TEST_TMPDIR/out"
		kill "$TARGET"
		"$DEBIAN" - "$BATS_TEST_TMPDIR/out" "$size" <<-'PYTHON'
			import json, sys
			process, = json.load(open(sys.argv[1]))["processes"]
			line, = [l for l in process["lines"] if l["file"].endswith("small.py") and l["line"] == 5]
			got = line["outstanding_bytes"], line["outstanding_count"]
			assert got == (int(sys.argv[2]), 1000), got
		PYTHON
	done
}

@test "while the interpreter starts" {
	local delay status
	for delay in 0 0.005 0.01 0.015 0.02 0.03 0.05 0.1; do
		"$DEBIAN" -c 'import time; time.sleep(3)' 3>&- &
		TARGET=$!
		sleep "$delay"
		status=0
		"$PYMEMTOP" record -p "$TARGET" > "$BATS_TEST_TMPDIR/out" 2> "$BATS_TEST_TMPDIR/err" || status=$?
		wait "$TARGET"	# whatever happened, the target must end normally
		echo "after $delay s: status $status"
		cat "$BATS_TEST_TMPDIR/err"
		# Before its exec it is no Python yet; on a slow machine it may have ended by then.
		[ "$status" = 0 ] || grep -qiE 'is not CPython|no (such )?process' "$BATS_TEST_TMPDIR/err"
	done
	TARGET=
}

@test "while the interpreter ends" {
	cat > "$BATS_TEST_TMPDIR/ends.py" <<-'PYTHON'
		import os, sys, time
		class Late:
		    def __del__(self, stat=os.stat, flag=sys.argv[1], sleep=time.sleep, error=OSError):
		        while not hasattr(self, "x"):
		            try:
		                stat(flag)
		                self.x = bytearray(80000)
		            except error:
		                sleep(0.05)
		        sleep(0.2)
		sys.late = Late()
	PYTHON
	"$DEBIAN" "$BATS_TEST_TMPDIR/ends.py" "$BATS_TEST_TMPDIR/go" 3>&- &
	TARGET=$!
	until_asleep "$TARGET"
	record_from_go -p "$TARGET" > "$BATS_TEST_TMPDIR/out"
	wait "$TARGET"
	TARGET=
	cat "$BATS_TEST_TMPDIR/out"
	grep -q 'ends.py:7 (Late.__del__)' "$BATS_TEST_TMPDIR/out"
}

@test "a wheel installs with pip, needs nothing, and is the same each time" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	cd ../..
	make --no-print-directory wheel
	local wheel=(dist/pymemtop-*.whl)
	[ "${#wheel[@]}" = 1 ]
	cp "${wheel[0]}" "$BATS_TEST_TMPDIR/first"
	rm "${wheel[0]}"
	make --no-print-directory wheel
	cmp "${wheel[0]}" "$BATS_TEST_TMPDIR/first"
	[ "$(stat -c %s "${wheel[0]}")" -lt 5000000 ]
	! readelf -d build/static/pymemtop | grep NEEDED
	wheel=$PWD/${wheel[0]}
	cd tests/e2e
	check check_wheel.py "$wheel"
}

@test "from Python: a recording, and pytest's limits" {
	need_probes
	need_pypi pytest
	check check_pytest.py "$PYTHON"
}
