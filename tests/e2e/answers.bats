#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# What people ask of a report, and what it must not hide.
load helper

@test "what a line maps counts as what it holds: first in the report, and in its text" {
	need_probes
	local go=$BATS_TEST_TMPDIR/go line='maps_much.py:12'
	"$DEBIAN" ../programs/maps_much.py "$go" 3>&- &
	TARGET=$!
	until_asleep "$TARGET"
	"$PYMEMTOP" record -v -p "$TARGET" -o "$BATS_TEST_TMPDIR/report" 2>"$BATS_TEST_TMPDIR/said" 3>&- &
	local report=$!
	until_recording "$BATS_TEST_TMPDIR/said"
	touch "$go"
	until [ -e "$go.done" ]; do sleep 0.1; done
	kill -INT "$report"
	wait "$report"
	cat "$BATS_TEST_TMPDIR/report"
	grep -A 1 'Line (function)' "$BATS_TEST_TMPDIR/report" | tail -n 1 | grep -qE "^ +\+64.0 MiB .*$line"
	grep -qE '^ +12 +64.0 MiB +\+64.0 MiB .*mmap' "$BATS_TEST_TMPDIR/report"
}
