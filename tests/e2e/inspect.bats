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

@test "what grows is shown with its change" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	"$DEBIAN" ../programs/grows.py "$BATS_TEST_TMPDIR/go" "$BATS_TEST_TMPDIR/made" 3>&- &
	TARGET=$!
	until_asleep "$TARGET"
	"$PYMEMTOP" inspect -v -p "$TARGET" -i 600 --top 3 > "$BATS_TEST_TMPDIR/out" \
		2> "$BATS_TEST_TMPDIR/said" 3>&- &
	local pid=$!
	until_has "$BATS_TEST_TMPDIR/said" ' objects$'
	touch "$BATS_TEST_TMPDIR/go"
	until_has "$BATS_TEST_TMPDIR/made" made
	kill -INT "$pid"
	wait "$pid"
	cat "$BATS_TEST_TMPDIR/out"
	grep -qE '^ +21,000 +\+20,000 +.* Grown$' "$BATS_TEST_TMPDIR/out"
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
