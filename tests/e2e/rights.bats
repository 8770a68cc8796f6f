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
