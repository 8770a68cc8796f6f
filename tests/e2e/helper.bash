# SPDX-License-Identifier: BSD-2-Clause
# Shared by the end-to-end tests.
cd "$BATS_TEST_DIRNAME" || exit 1
PYMEMTOP=$BATS_TEST_DIRNAME/../../pymemtop
DEBIAN=/usr/bin/python3.11	# built with dtrace: has frames and markers

# Skips the test unless it can probe: that takes root, BTF, and the interpreter.
need_probes() {
	[ "$(id -u)" = 0 ] || skip "needs root"
	[ -r /sys/kernel/btf/vmlinux ] || skip "needs a kernel with BTF"
	[ -x "$DEBIAN" ] || skip "needs Debian 12's $DEBIAN"
}

# Sets PYTHON to an interpreter of that version, installed or from pyenv.
need_python() {
	local candidate
	for candidate in "/usr/bin/python$1" "/usr/local/bin/python$1" \
		"${PYENV_ROOT:-$HOME/.pyenv}/versions/$1."*"/bin/python$1"; do
		if [ -x "$candidate" ]; then
			PYTHON=$candidate
			return
		fi
	done
	skip "needs CPython $1"
}

need_module() {
	"$DEBIAN" -c "import $1" 2>/dev/null || skip "needs $1 for $DEBIAN"
}

# Sets PYTHON to an interpreter that has that package of PyPI.
need_pypi() {
	local venv=${XDG_CACHE_HOME:-$HOME/.cache}/pymemtop-tests/venv
	PYTHON=$venv/bin/python
	[ -x "$PYTHON" ] || "$DEBIAN" -m venv "$venv"
	"$PYTHON" -c "import $1" 2>/dev/null || "$PYTHON" -m pip install -q "$1" >/dev/null 2>&1 ||
		skip "needs $1 from PyPI"
}

# Runs a check of this folder, which prints what is wrong, or nothing.
check() {
	timeout 120 "$DEBIAN" -u "$@"
}

# Starts a target that waits, with its pid in TARGET; teardown() ends it.
start_target() {
	"${PYTHON:-$DEBIAN}" ../programs/idle.py >/dev/null 3>&- &
	TARGET=$!
	until_asleep "$TARGET"
}

# Waits until the process is in time.sleep(): Python is up, and runs its program. Also returns if
# the process is gone.
until_asleep() {
	local try
	for try in {1..300}; do
		# nanosleep, select, pselect6, clock_nanosleep on x86-64, then on arm64 (no select).
		! grep -qsE '^(35|23|270|230|101|72|115) ' "/proc/$1/syscall" || return 0
		[ -d "/proc/$1" ] || return 0
		sleep 0.1
	done
	echo "process $1 does not sleep"
	return 1
}

teardown() {
	if [ -n "${TARGET:-}" ]; then
		kill "$TARGET" 2>/dev/null || :
		wait "$TARGET" 2>/dev/null || :
	fi
}

# Waits until the file contains the text.
until_has() {
	local try
	for try in {1..300}; do
		! grep -aqs -- "$2" "$1" || return 0
		sleep 0.1
	done
	return 1
}

# Waits until a pymemtop -v whose stderr goes to the file has attached.
until_recording() {
	until_has "$1" '^pymemtop: recording' || { cat "$1"; return 1; }
}

# Records with these arguments; makes the file "go" for the target once it has attached.
record_from_go() {
	local pid
	rm -f "$BATS_TEST_TMPDIR/said"	# from an earlier call
	"$PYMEMTOP" record -v "$@" 2>"$BATS_TEST_TMPDIR/said" 3>&- &
	pid=$!
	until_recording "$BATS_TEST_TMPDIR/said"
	touch "$BATS_TEST_TMPDIR/go"
	wait "$pid" || { grep '^pymemtop: ' "$BATS_TEST_TMPDIR/said"; return 1; }
	rm "$BATS_TEST_TMPDIR/go"
}

# Runs pymemtop. Its status must be the first argument, and its stderr one line that contains the
# second.
refused() {
	local status=$1 text=$2 got=0
	shift 2
	"$PYMEMTOP" "$@" >/dev/null 2>"$BATS_TEST_TMPDIR/stderr" || got=$?
	cat "$BATS_TEST_TMPDIR/stderr"
	[ "$got" = "$status" ] || { echo "status $got"; return 1; }
	[ "$(wc -l < "$BATS_TEST_TMPDIR/stderr")" = 1 ]
	grep -q '^pymemtop: ' "$BATS_TEST_TMPDIR/stderr"
	grep -qF -- "$text" "$BATS_TEST_TMPDIR/stderr"
}

# Lists the BPF programs of pymemtop, unless one runs: a program does not show whose it is.
left_programs() {
	pgrep -x pymemtop >/dev/null ||
		/usr/sbin/bpftool prog show | grep -E 'name pymemtop_' || :
}

# Lists pymemtops that are gone but whose event definitions are left.
left_events() {
	local pid tracefs=$BATS_TEST_TMPDIR/tracefs
	mkdir -p "$tracefs"
	mount -t tracefs tracefs "$tracefs"
	for pid in $(sed -nE 's/^.:pymemtop_([0-9]+).*/\1/p' "$tracefs/uprobe_events" | sort -u); do
		[ -d "/proc/$pid" ] || echo "pymemtop_$pid"
	done
	umount "$tracefs"
}

# Checks that a pymemtop that has ended left nothing in the kernel.
nothing_left() {
	local left try
	# The kernel frees programs some time after they were detached.
	for try in {1..50}; do
		left="$(left_programs)$(left_events)"
		[ -n "$left" ] || return 0
		sleep 0.1
	done
	echo "left: $left"
	return 1
}
