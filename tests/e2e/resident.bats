# SPDX-License-Identifier: BSD-2-Clause
# Mode rss: resident pages, compared with what the kernel told the targets themselves.
load helper

setup() {
	need_probes
}

resident() {
	check check_resident.py "$@"
}

@test "rss: blocks, small objects, what read() fills, mappings, threads, children: usdt" {
	resident "$DEBIAN" usdt blocks,mappings,threads,trimmed,child
}

@test "rss: a huge page is its one fault's" {
	grep -q '\[madvise\]\|\[always\]' /sys/kernel/mm/transparent_hugepage/enabled ||
		skip "needs transparent huge pages"
	resident "$DEBIAN" frames huge
}

@test "rss: what mlock(), mlockall() and MAP_POPULATE make resident is on its line" {
	resident "$DEBIAN" frames blocks,unseen
}

@test "rss: what was moved, or shared memory" {
	resident "$DEBIAN" frames shared,mappings
}

@test "rss: shared memory, written or read, populated and given back, is on its lines" {
	resident "$DEBIAN" frames common
}

@test "rss: numpy" {
	need_module numpy
	resident "$DEBIAN" frames numpy
}

@test "rss: Arrow's allocator" {
	need_pypi pyarrow
	resident "$PYTHON" frames arrow --max-frames 128
}

@test "rss: jemalloc and native threads, in polars" {
	need_pypi polars
	resident "$PYTHON" frames polars --max-frames 128
}

@test "rss: 10,000 mappings" {
	resident "$DEBIAN" frames many
}

@test "rss: every tenth page, weighted" {
	resident "$DEBIAN" frames blocks --sample 10
}

@test "rss: more regions than there is room for are lost, and the sum still holds" {
	resident "$DEBIAN" frames blocks --max-regions 20
}

@test "rss: at the end of a process, the sum is as it was then" {
	"$PYMEMTOP" record -m rss -f json -o "$BATS_TEST_TMPDIR/json" -- "$DEBIAN" -c '
import os, re
held = bytearray(30_000_000)
print(re.search(r"RssAnon:\s*(\d+)", open("/proc/self/status").read())[1], flush=True)
os._exit(0)' >"$BATS_TEST_TMPDIR/anon"
	check check_json.py ended "$BATS_TEST_TMPDIR/json" "$(cat "$BATS_TEST_TMPDIR/anon")"
}

@test "rss: the folded stacks add up to RssAnon, and shared memory beside it" {
	PYTHON=$DEBIAN
	start_target
	"$PYMEMTOP" record -m rss -d 1 -f folded -p "$TARGET" >"$BATS_TEST_TMPDIR/folded"
	cat "$BATS_TEST_TMPDIR/folded"
	grep -q ';\[before attach\] ' "$BATS_TEST_TMPDIR/folded"
	local anon sum
	anon=$(awk '/^RssAnon/ { print $2 * 1024 }' "/proc/$TARGET/status")
	sum=$(awk '!/;\[shared memory\] / { n += $NF } END { print n }' "$BATS_TEST_TMPDIR/folded")
	[ $((anon - sum)) -le 40960 ] && [ $((sum - anon)) -le 40960 ]
}

@test "rss: without a pagemap it says what is missing, and goes on" {
	start_target
	"$DEBIAN" -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' \
		"$BATS_TEST_TMPDIR/socket"
	# shellcheck disable=SC2016
	unshare --mount sh -c 'mount --bind "$1" "/proc/$2/pagemap" && exec "$3" record -m rss -d 1 -p "$2"' \
		sh "$BATS_TEST_TMPDIR/socket" "$TARGET" "$PYMEMTOP" >"$BATS_TEST_TMPDIR/out" \
		2>"$BATS_TEST_TMPDIR/err"
	cat "$BATS_TEST_TMPDIR"/err "$BATS_TEST_TMPDIR"/out
	grep -q "pagemap cannot be read: .*huge pages" "$BATS_TEST_TMPDIR/err"
	grep -Eq 'RssAnon +[1-9].* = [1-9].* before the attach' "$BATS_TEST_TMPDIR/out"
}

@test "rss: torch" {
	need_module torch
	resident "$DEBIAN" frames torch --max-frames 128
}
