#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# With whose rights pymemtop reads targets' files.

load helper

setup() {
	need_probes
}

@test "source lines are shown of files that their process can read, also once it has ended" {
	check check_rights.py "$DEBIAN" own
}

@test "what the process cannot read itself, is not shown" {
	check check_rights.py "$DEBIAN" other
}

@test "root's files are not shown of a process that has given up root's rights" {
	check check_rights.py "$DEBIAN" dropped
}

@test "nor of one that executes a setuid program" {
	[ -u /usr/bin/su ] || skip "needs a setuid su"
	check check_rights.py "$DEBIAN" setuid
}

@test "nor where root has a process with the id of one that has ended" {
	check check_rights.py "$DEBIAN" reused
}

@test "a file system that never answers holds nothing up" {
	run check check_rights.py "$DEBIAN" silent
	[ "$status" = 0 ]
	[[ $output != skip* ]] || skip "${output#skip: }"
}

@test "what is written with -o is for its owner only" {
	start_target
	umask 0
	"$PYMEMTOP" record -p "$TARGET" -d 0.1 -o "$BATS_TEST_TMPDIR/report"
	[ "$(stat -c %a "$BATS_TEST_TMPDIR/report")" = 600 ]
}

# Runs a command as nobody, with these capabilities only, where tracefs is mounted.
with_capabilities() {
	local set="-all$(printf ',+%s' $1)"
	shift
	unshare -m bash -c 'mount -t tracefs tracefs /sys/kernel/tracing && exec "$@"' - \
		setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps="$set" \
		--ambient-caps="$set" --bounding-set="$set" -- "$@"
}

@test "four capabilities are enough, and each is needed; two more show source lines" {
	local all="bpf perfmon sys_ptrace dac_override" one few
	cat > "$BATS_TEST_TMPDIR/grows.py" <<-'PYTHON'
		import time
		kept = []
		while True:
		    kept.append((bytes(2_000), str(len(kept))))
		    time.sleep(0.001)
	PYTHON
	cp "$PYMEMTOP" "$BATS_TEST_TMPDIR"
	chmod 755 "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/*
	setpriv --reuid=65533 --regid=65533 --clear-groups "$DEBIAN" "$BATS_TEST_TMPDIR/grows.py" \
		>/dev/null 3>&- &
	TARGET=$!
	until_asleep "$TARGET"
	for mode in heap rss objects lines; do
		with_capabilities "$all" "$BATS_TEST_TMPDIR/pymemtop" record -m "$mode" -p "$TARGET" -d 0.5 \
			>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/stderr"
		grep -q 'grows.py:4\|^ *4 .*MiB' "$BATS_TEST_TMPDIR/out"
		grep -q 'no source lines.*CAP_SETUID and CAP_SETGID' "$BATS_TEST_TMPDIR/stderr"
	done
	with_capabilities "$all setuid setgid" "$BATS_TEST_TMPDIR/pymemtop" record -p "$TARGET" -d 0.5 \
		>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/stderr"
	cat "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/stderr"
	grep -q '^Line #' "$BATS_TEST_TMPDIR/out"
	[ ! -s "$BATS_TEST_TMPDIR/stderr" ]
	for one in $all; do
		few=${all/$one/}
		! with_capabilities "$few" "$BATS_TEST_TMPDIR/pymemtop" record -p "$TARGET" -d 0.1 \
			2>"$BATS_TEST_TMPDIR/stderr"
		grep -qi "lacks CAP_$one" "$BATS_TEST_TMPDIR/stderr"
	done
}

@test "processes made to hurt do not keep a host from being recorded" {
	need_probes
	check check_hosts.py
}
