# SPDX-License-Identifier: BSD-2-Clause
# Targets notice nothing.
load helper

setup() {
	need_probes
}

@test "the target is as before: frames" {
	check check_untouched.py "$DEBIAN" frames
}

@test "the target is as before: usdt" {
	check check_untouched.py "$DEBIAN" usdt
}

@test "the target is as before when pymemtop is killed: frames" {
	check check_untouched.py "$DEBIAN" frames kill
}

@test "the target is as before when pymemtop is killed: usdt" {
	check check_untouched.py "$DEBIAN" usdt kill
}

@test "what a killed pymemtop left defined, the next one removes" {
	start_target
	"$PYMEMTOP" record -v -p "$TARGET" >/dev/null 2>"$BATS_TEST_TMPDIR/said" 3>&- &
	local pid=$!
	until_recording "$BATS_TEST_TMPDIR/said"
	kill -KILL "$pid"
	wait "$pid" || :
	"$PYMEMTOP" record -p "$TARGET" -d 0.1 >/dev/null
	nothing_left
}

@test "a target that exits is reported as it was" {
	"$DEBIAN" -c 'import os, sys, time
while not os.path.exists(sys.argv[1]): time.sleep(0.1)
x = bytearray(50000); os._exit(0)' "$BATS_TEST_TMPDIR/go" 3>&- &
	TARGET=$!
	until_asleep "$TARGET"
	record_from_go -p "$TARGET" > "$BATS_TEST_TMPDIR/out"
	cat "$BATS_TEST_TMPDIR/out"
	grep -q 'has exited' "$BATS_TEST_TMPDIR/out"
	grep -q '<string>:3 (<module>)' "$BATS_TEST_TMPDIR/out"
	nothing_left
}

@test "several targets at once, given in both ways" {
	start_target
	local first=$TARGET
	"$DEBIAN" ../programs/idle.py 3>&- &
	local second=$!
	"$DEBIAN" ../programs/idle.py 3>&- &
	local third=$!
	until_asleep "$second"
	until_asleep "$third"
	"$PYMEMTOP" record -p "$first,$second" -p "$third" -d 1 -f json > "$BATS_TEST_TMPDIR/out"
	kill "$second" "$third"
	"$DEBIAN" - "$BATS_TEST_TMPDIR/out" "$first" "$second" "$third" <<-'PYTHON'
		import json, sys
		profile = json.load(open(sys.argv[1]))
		assert [p["pid"] for p in profile["processes"]] == list(map(int, sys.argv[2:]))
		for process in profile["processes"]:
		    lines = {line["line"] for line in process["lines"] if line["file"].endswith("/idle.py")}
		    assert 7 in lines, process
	PYTHON
	nothing_left
}

@test "without --no-follow children are there, with it they are not" {
	cat > "$BATS_TEST_TMPDIR/forks.py" <<-'PYTHON'
		import os, sys, time
		while not os.path.exists(sys.argv[1]): time.sleep(0.1)
		kept = bytearray(70000)
		if not os.fork():
		    x = bytearray(50000)
		    time.sleep(1)
		    os._exit(0)
		os.wait()
	PYTHON
	for option in "" --no-follow; do
		"$DEBIAN" "$BATS_TEST_TMPDIR/forks.py" "$BATS_TEST_TMPDIR/go" 3>&- &
		TARGET=$!
		until_asleep "$TARGET"
		record_from_go -p "$TARGET" $option > "$BATS_TEST_TMPDIR/out$option"
	done
	# The child's source is quoted: the child has ended, but its parent ran the same file.
	sed -n '/child of/,$p' "$BATS_TEST_TMPDIR/out" | grep -q "x = bytearray(50000)"
	! grep -q "child of" "$BATS_TEST_TMPDIR/out--no-follow"
}

@test "a target in other namespaces, its files under another root" {
	command -v unshare >/dev/null || skip "needs unshare"
	local root=$BATS_TEST_TMPDIR/root
	mkdir -p "$root"
	# The same files below another root, with a program that exists only there.
	unshare --mount --pid --fork sh -c "
		mount --rbind / '$root' && mount -t tmpfs tmpfs '$root/srv' &&
		cp ../programs/idle.py '$root/srv/only-here.py' &&
		exec chroot '$root' $DEBIAN /srv/only-here.py" 3>&- &
	local shell=$!
	local pid try
	for try in {1..100}; do
		! pid=$(pgrep -f "^$DEBIAN /srv/only-here.py") || break
		sleep 0.1
	done
	until_asleep "$pid"
	"$PYMEMTOP" record -p "$pid" -d 1 > "$BATS_TEST_TMPDIR/out"
	# The init process of a pid namespace ignores every other signal.
	kill -KILL "$pid"
	wait "$shell" || :
	cat "$BATS_TEST_TMPDIR/out"
	grep -q '/srv/only-here.py:7' "$BATS_TEST_TMPDIR/out"
	# The text of the line also comes from there.
	grep -q 'kept.append(bytearray(1000))' "$BATS_TEST_TMPDIR/out"
}

@test "a report quotes no file that the target could not read itself" {
	command -v setpriv >/dev/null || skip "needs setpriv"
	echo "the secret" > "$BATS_TEST_TMPDIR/secret"
	chmod 640 "$BATS_TEST_TMPDIR/secret"
	echo "the open text" > "$BATS_TEST_TMPDIR/open"
	chmod 644 "$BATS_TEST_TMPDIR/open"
	ln -s secret "$BATS_TEST_TMPDIR/link"
	chmod 755 "$BATS_TEST_TMPDIR" "$(dirname "$BATS_TEST_TMPDIR")" "$BATS_RUN_TMPDIR"
	cat > "$BATS_TEST_TMPDIR/names.py" <<-'PYTHON'
		import os, sys, time
		while not os.path.exists(sys.argv[1] + "/go"): time.sleep(0.1)
		kept = []
		for name in "secret", "open", "link", "fifo":
		    exec(compile("kept.append(bytearray(5000))", sys.argv[1] + "/" + name, "exec"))
		time.sleep(30)
	PYTHON
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	chmod 644 "$BATS_TEST_TMPDIR/fifo"
	setpriv --reuid=65534 --regid=65534 --clear-groups "$DEBIAN" "$BATS_TEST_TMPDIR/names.py" \
		"$BATS_TEST_TMPDIR" 3>&- &
	TARGET=$!
	until_asleep "$TARGET"
	record_from_go -p "$TARGET" -d 5 > "$BATS_TEST_TMPDIR/out"
	cat "$BATS_TEST_TMPDIR/out"
	grep -q "/link:1" "$BATS_TEST_TMPDIR/out"
	grep -q "the open text" "$BATS_TEST_TMPDIR/out"
	! grep -q "the secret" "$BATS_TEST_TMPDIR/out"
}
