# SPDX-License-Identifier: BSD-2-Clause
# The command line: what it takes, what it refuses, what it leaves behind.
load helper

@test "help and version" {
	"$PYMEMTOP" --help | grep -q -- '--attribution'
	"$PYMEMTOP" record --help | grep -q -- '--format'
	"$PYMEMTOP" --usage | grep -q -- '--pid'
	"$PYMEMTOP" --version | grep -qE '^pymemtop [0-9]+\.[0-9]+\.[0-9]+$'
	! "$PYMEMTOP" --help | grep -E '.{81}'
}

@test "bash completes commands, options, and what options take" {
	"$PYMEMTOP" completion bash > "$BATS_TEST_TMPDIR/completion"
	completed() {	# expected completions, then the words
		local expected=$1
		shift
		# shellcheck disable=SC2016
		[ "$(bash -c 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pymemtop
			echo "${COMPREPLY[@]}"' "$BATS_TEST_TMPDIR/completion" "$@")" = "$expected" ]
	}
	completed "record report" pymemtop re
	completed "--max-overhead --max-frames --max-blocks --max-sites --max-regions --max-pools" pymemtop record --max
	completed "heap objects rss lines" pymemtop -m ""
	completed "json" pymemtop record --format = js
	completed "" pymemtop record -- rep
	"$PYMEMTOP" completion zsh | grep -q bashcompinit
	"$PYMEMTOP" completion fish | grep -q -- "-l mode -s 'm' -r -f -a 'heap objects rss lines'"
	refused 2 "bash, zsh or fish" completion tcsh
}

@test "the man page knows every option" {
	local option
	for option in $("$PYMEMTOP" record --help | grep -oE -- '--[a-z-]+' | sort -u); do
		case $option in --own-flags) continue ;; esac
		grep -qF -- "${option//-/\\-}" ../../build/pymemtop.8 || { echo "$option"; return 1; }
	done
}

@test "usage errors: one line, status 2" {
	refused 2 "-p PID"
	refused 2 "-- COMMAND" record
	refused 2 "--nonsense" --nonsense
	refused 2 "'p'" record -p
	refused 2 "--pid abc" -p abc
	refused 2 "--pid" -p 1,,2
	refused 2 "--pid -5" -p -5
	refused 2 "--pid 99999999999" -p 99999999999
	refused 2 "--duration 0" record -p 1 -d 0
	refused 2 "--duration -1" record -p 1 -d -1
	refused 2 "--duration 1e99" record -p 1 -d 1e99
	refused 2 "--duration nan" record -p 1 -d nan
	refused 2 "--duration 5x" record -p 1 -d 5x
	refused 2 "--interval 0" record -p 1 -i 0
	refused 2 "--interval" record -p 1 -i 5 -d 1
	refused 2 "--interval" record -p 1 -i 5 -f folded
	refused 2 "--format xml" record -p 1 -f xml
	refused 2 "--format dot is only for inspect" record -p 1 -f dot
	refused 2 "--mode disk" record -p 1 -m disk
	refused 2 "--attribution magic" record -p 1 --attribution magic
	refused 2 "--max-frames 129" record -p 1 --max-frames 129
	refused 2 "--max-blocks 0" record -p 1 --max-blocks 0
	refused 2 "--max-regions 0" record -p 1 -m rss --max-regions 0
	refused 2 "--sample 0" record -p 1 -m rss --sample 0
	refused 2 "--top 0" record -p 1 --top 0
	refused 2 "not both" record -p 1 -- true
	refused 2 "no such command" trace -p 1
}

@test "where the probes would sit is explained, and nothing attached" {
	need_probes
	start_target
	"$PYMEMTOP" --explain-probes -p "$TARGET" > "$BATS_TEST_TMPDIR/out"
	cat "$BATS_TEST_TMPDIR/out"
	local function
	for function in malloc calloc realloc free code_dealloc; do
		grep -qE "^$function +0x[0-9a-f]+ +\\+[0-9]+ +emulated " "$BATS_TEST_TMPDIR/out"
	done
	"$PYMEMTOP" --explain-probes -p "$TARGET" --attribution usdt | grep -q '^function__entry '
	refused 2 "-p PID" record --explain-probes -- true
	nothing_left
}

@test "targets that are none: one line, status 1" {
	need_probes
	refused 1 "no process 4194305" -p 4194305
	refused 1 "is not CPython" record -p $$
	refused 1 "is not CPython" record -p 2
	refused 1 "cannot be started" record -- /no/such/program
	refused 1 "neither it nor what it started became a CPython" record -- true
	nothing_left
}

@test "an interpreter that is not known is named" {
	need_probes
	need_python 3.7
	start_target
	refused 1 "CPython 3.7, whose frames pymemtop does not know: it knows 3.8 to" record -p "$TARGET"
	refused 1 "USDT" record -p "$TARGET" --attribution usdt
	nothing_left
}

@test "usdt on an interpreter without markers" {
	need_probes
	need_python 3.12
	start_target
	refused 1 "without the USDT markers" record -p "$TARGET" --attribution usdt
}

@test "without root: the missing capabilities are named" {
	need_probes
	command -v setpriv >/dev/null || skip "needs setpriv"
	local saved=$PYMEMTOP
	cp "$PYMEMTOP" "$BATS_TEST_TMPDIR/pymemtop"
	chmod 755 "$BATS_TEST_TMPDIR/pymemtop"
	cat > "$BATS_TEST_TMPDIR/as_nobody" <<-SCRIPT
		#!/bin/sh
		exec setpriv --reuid=65534 --clear-groups --bounding-set=-all --inh-caps=-all \
			$BATS_TEST_TMPDIR/pymemtop "\$@"
	SCRIPT
	chmod 755 "$BATS_TEST_TMPDIR/as_nobody" "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR" \
		"$(dirname "$BATS_TEST_TMPDIR")"
	PYMEMTOP=$BATS_TEST_TMPDIR/as_nobody
	refused 1 "CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE, CAP_DAC_OVERRIDE" -p 1
	PYMEMTOP=$saved
}

@test "output that cannot be written is refused before the work" {
	need_probes
	start_target
	refused 1 "cannot be written" record -p "$TARGET" -d 100 -o /no/such/directory/out
	refused 1 "cannot be written" record -p "$TARGET" -d 100 -o /tmp
	nothing_left
}

@test "stdout that is full or closed: status 1, nothing stays attached" {
	need_probes
	start_target
	local got=0
	"$PYMEMTOP" record -p "$TARGET" -d 0.2 > /dev/full 2> "$BATS_TEST_TMPDIR/err" || got=$?
	[ "$got" = 1 ]
	grep -q 'cannot be written' "$BATS_TEST_TMPDIR/err"
	{ got=0; "$PYMEMTOP" record -p "$TARGET" -d 0.5 -i 0.1 2> "$BATS_TEST_TMPDIR/err" || got=$?
	  echo "$got" > "$BATS_TEST_TMPDIR/status"; } | head -n 1 > /dev/null
	[ "$(cat "$BATS_TEST_TMPDIR/status")" = 1 ]
	grep -q 'closed it early' "$BATS_TEST_TMPDIR/err"
	nothing_left
}

@test "a signal ends the recording, and the report is still printed" {
	need_probes
	start_target
	local signal pid
	for signal in INT TERM HUP; do
		"$PYMEMTOP" record -v -p "$TARGET" -o "$BATS_TEST_TMPDIR/$signal" \
			2>"$BATS_TEST_TMPDIR/$signal.said" 3>&- &
		pid=$!
		until_recording "$BATS_TEST_TMPDIR/$signal.said"
		sleep 1
		kill -"$signal" "$pid"
		wait "$pid"
		grep -q 'idle.py:7' "$BATS_TEST_TMPDIR/$signal"
	done
	nothing_left
}

@test "a signal at any moment leaves nothing attached, and no file by halves" {
	need_probes
	start_target
	local delay
	for delay in 0.02 0.05 0.1 0.15 0.2 0.25 0.3 0.4 0.5 0.6; do
		timeout -s INT "$delay" "$PYMEMTOP" record -p "$TARGET" -o "$BATS_TEST_TMPDIR/out" \
			2>/dev/null || :
	done
	[ "$(ls "$BATS_TEST_TMPDIR" | grep -c 'out\.')" = 0 ]
	nothing_left
}

@test "reports at intervals, each with the increment since the last" {
	need_probes
	"$DEBIAN" -c 'import time
x = []
while True:
    x.append(bytearray(10000)); time.sleep(0.02)' 3>&- &
	TARGET=$!
	until_asleep "$TARGET"
	"$PYMEMTOP" record -p "$TARGET" -d 1.5 -i 0.5 > "$BATS_TEST_TMPDIR/out"
	[ "$(grep -c '^Process' "$BATS_TEST_TMPDIR/out")" = 3 ]
	"$PYMEMTOP" record -p "$TARGET" -d 1.5 -i 0.5 -f json > "$BATS_TEST_TMPDIR/json"
	"$DEBIAN" - "$BATS_TEST_TMPDIR/json" <<-'PYTHON'
		import json, sys
		text, decoder, total, held = open(sys.argv[1]).read(), json.JSONDecoder(), 0, []
		while text.strip():
		    profile, end = decoder.raw_decode(text.lstrip())
		    text = text.lstrip()[end:]
		    line, = [l for l in profile["processes"][0]["lines"] if l["line"] == 4]
		    total += line["increment_bytes"]
		    held.append(line["outstanding_bytes"])
		    assert total == line["outstanding_bytes"], (total, line)
		assert len(held) == 3 and held == sorted(held), held
	PYTHON
}

@test "--fail-if tells by its status that a limit was exceeded, and by which line" {
	need_probes
	local got=0 program='import os, sys; x = bytearray(3 << 20); os._exit(int(sys.argv[1]))'
	"$PYMEMTOP" record -o "$BATS_TEST_TMPDIR/out" --fail-if 'held > 2MiB' --fail-if 'held > 1GiB' -- \
		"$DEBIAN" -c "$program" 0 2>"$BATS_TEST_TMPDIR/said" || got=$?
	cat "$BATS_TEST_TMPDIR/said"
	[ "$got" = 3 ]
	[ "$(grep -c 'it is' "$BATS_TEST_TMPDIR/said")" = 1 ]
	grep -q 'held > 2MiB: it is [0-9.]* MiB$' "$BATS_TEST_TMPDIR/said"
	grep -q '3.0 MiB <string>:1' "$BATS_TEST_TMPDIR/said"
	"$PYMEMTOP" record -o "$BATS_TEST_TMPDIR/out" --fail-if 'held > 1GiB' -- "$DEBIAN" -c "$program" 0
	got=0
	"$PYMEMTOP" record -o "$BATS_TEST_TMPDIR/out" --fail-if 'held > 2MiB' -- "$DEBIAN" -c "$program" 7 || got=$?
	[ "$got" = 7 ]
	refused 2 "fail-if 'held': give a limit like" record --fail-if held -p 1
}

@test "a command is recorded from its first line on, and its status passed on" {
	need_probes
	local got=0
	"$PYMEMTOP" record -f json -o "$BATS_TEST_TMPDIR/out" -- "$DEBIAN" -c \
		'import sys; x = bytearray(12345); print(sys.argv); sys.stdout.flush(); __import__("os")._exit(7)' \
		--its-own -f lags > "$BATS_TEST_TMPDIR/stdout" || got=$?
	[ "$got" = 7 ]
	[ "$(cat "$BATS_TEST_TMPDIR/stdout")" = "['-c', '--its-own', '-f', 'lags']" ]
	"$DEBIAN" - "$BATS_TEST_TMPDIR/out" <<-'PYTHON'
		import json, sys
		process, = json.load(open(sys.argv[1]))["processes"]
		stack, = [s for s in process["stacks"] if s["outstanding_bytes"] == 12346]
		assert [(f["file"], f["line"]) for f in stack["frames"]] == [("<string>", 1)], stack
		# Lines that Python runs before the program are there, too.
		assert any(l["file"].startswith("<frozen importlib") for l in process["lines"])
	PYTHON
	nothing_left
}

@test "a command by way of a script and an exec; one that a signal ends" {
	need_probes
	cat > "$BATS_TEST_TMPDIR/wrapper" <<-SCRIPT
		#!/bin/sh
		true
		exec env A=b $DEBIAN "\$@"
	SCRIPT
	chmod +x "$BATS_TEST_TMPDIR/wrapper"
	"$PYMEMTOP" record -f folded -- "$BATS_TEST_TMPDIR/wrapper" -c 'x = 1' | grep -q '<module>'
	local got=0
	"$PYMEMTOP" record -o /dev/null -- "$DEBIAN" -c 'import os; os.kill(os.getpid(), 9)' || got=$?
	[ "$got" = 137 ]
}

@test "a command with usdt knows its whole stack" {
	need_probes
	"$PYMEMTOP" record --attribution usdt -f folded -o "$BATS_TEST_TMPDIR/out" -- "$DEBIAN" -c '
def f():
    return bytearray(54320)
x = f()
__import__("os")._exit(0)'
	cat "$BATS_TEST_TMPDIR/out" | cut -c 1-200
	grep -qE '^python3.11 [0-9]+;<module> \(<string>:4\);f \(<string>:3\) 54321$' "$BATS_TEST_TMPDIR/out"
}

@test "folded stacks are what flamegraph.pl reads" {
	need_probes
	start_target
	"$PYMEMTOP" record -p "$TARGET" -d 1 -f folded > "$BATS_TEST_TMPDIR/out"
	[ -s "$BATS_TEST_TMPDIR/out" ]
	# flamegraph.pl's own pattern is /^(.*)\s+?(\d+(?:\.\d*)?)$/; and no stack comes twice.
	! grep -vP '^.+(;.+)+ \d+$' "$BATS_TEST_TMPDIR/out"
	[ "$(sed 's/ [0-9]*$//' "$BATS_TEST_TMPDIR/out" | sort | uniq -d | wc -l)" = 0 ]
}

@test "not on a terminal, top is one report" {
	need_probes
	start_target
	"$PYMEMTOP" -p "$TARGET" -d 1 > "$BATS_TEST_TMPDIR/out"
	grep -q 'idle.py:7' "$BATS_TEST_TMPDIR/out"
	! grep -q $'\033' "$BATS_TEST_TMPDIR/out"
}

@test "on a terminal, top is a table until q" {
	need_probes
	need_module pyte
	start_target
	check check_view.py table "$TARGET"
	nothing_left
}

@test "on a terminal, m changes the mode" {
	need_probes
	need_module pyte
	start_target
	check check_view.py mode "$TARGET"
	nothing_left
}

@test "all processes that run CPython, by resident pages" {
	need_probes
	"$DEBIAN" ../programs/idle.py 3>&- &
	local other=$!
	until_asleep "$other"
	start_target
	"$PYMEMTOP" record -a -d 1 -f json -o "$BATS_TEST_TMPDIR/all"
	kill "$other"
	check check_json.py everyone "$BATS_TEST_TMPDIR/all" "$TARGET" "$other"
}

@test "it compiles for arm64" {
	local status=0
	../tools/cross > "$BATS_TEST_TMPDIR/out" 2>&1 || status=$?
	[ "$status" != 77 ] || skip "$(tail -n 1 "$BATS_TEST_TMPDIR/out")"
	cat "$BATS_TEST_TMPDIR/out"
	[ "$status" = 0 ]
}

@test "doctor tells what works here, and what each program costs to verify" {
	need_probes
	run "$DEBIAN" check_doctor.py
	[ "$status" = 0 ]
	[[ $output == *"All modes can be used here."* ]]
	[[ $output == *"task storage in uprobes"* ]]
}

@test "doctor takes no arguments" {
	refused 2 "doctor takes no arguments" doctor 1
}

@test "without root's rights, doctor says what is missing" {
	[ "$(id -u)" = 0 ] || skip "needs root, to give it up"
	cp "$PYMEMTOP" "$BATS_TEST_TMPDIR/pymemtop"
	chmod 755 "$BATS_TEST_TMPDIR"
	run setpriv --reuid=65534 --regid=65534 --clear-groups "$BATS_TEST_TMPDIR/pymemtop" doctor
	[ "$status" = 1 ]
	[[ $output == *"NO   capabilities"*"run it with sudo: it lacks CAP_BPF"* ]]
}

@test "with stdout closed, the report goes nowhere, and that is said" {
	need_probes
	start_target
	run bash -c '"$1" record -p "$2" -d 0.1 >&-' - "$PYMEMTOP" "$TARGET"
	[ "$status" = 1 ]
	[[ $output == *"stdout cannot be written: Bad file descriptor"* ]]
	bash -c '"$1" record -p "$2" -d 0.1 -o "$3" <&- >&- 2>&-' - "$PYMEMTOP" "$TARGET" "$BATS_TEST_TMPDIR/out"
	grep -q "^Process $TARGET" "$BATS_TEST_TMPDIR/out"
}
