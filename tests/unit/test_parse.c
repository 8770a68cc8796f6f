// SPDX-License-Identifier: BSD-2-Clause
/* Parsers: maps, ELF notes and symbols, markers' arguments, line tables. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <asm/ptrace.h>
#include <cmocka.h>

#include "base/procfs.h"
#include "symbols/linetable.h"
#include "target/cgroup.h"
#include "target/elffile.h"
#include "target/usdt_args.h"

static void maps_lines(void **state)
{
	struct proc_map map;

	(void)state;
	assert_true(proc_map__parse("7f0a1c000000-7f0a1c021000 r-xp 0002a000 fe:01 1234567    "
				    "   /usr/lib/x86_64-linux-gnu/libc.so.6\n",
				    &map));
	assert_int_equal(map.start, 0x7f0a1c000000);
	assert_int_equal(map.end, 0x7f0a1c021000);
	assert_int_equal(map.offset, 0x2a000);
	assert_int_equal(map.dev_major, 0xfe);
	assert_int_equal(map.dev_minor, 1);
	assert_int_equal(map.inode, 1234567);
	assert_true(map.executable);
	assert_string_equal(map.path, "/usr/lib/x86_64-linux-gnu/libc.so.6");

	/* Anonymous; with blanks in its name; deleted; named as if it were deleted. */
	assert_true(proc_map__parse("00400000-00401000 rw-p 00000000 00:00 0 \n", &map));
	assert_false(map.executable);
	assert_string_equal(map.path, "");
	assert_true(proc_map__parse("1000-2000 r--p 00000000 00:1f 9 /a b/c  d\n", &map));
	assert_string_equal(map.path, "/a b/c  d");
	assert_true(proc_map__parse("1000-2000 r-xp 00000000 00:1f 9 /lib/x.so (deleted)\n", &map));
	assert_string_equal(map.path, "/lib/x.so");
	assert_true(proc_map__parse("1000-2000 r-xp 00000000 00:1f 9 (deleted)\n", &map));
	assert_string_equal(map.path, "(deleted)");

	assert_false(proc_map__parse("", &map));
	assert_false(proc_map__parse("hello\n", &map));
	assert_false(proc_map__parse("2000-1000 r-xp 00000000 00:1f 9 /x\n", &map));
	assert_false(proc_map__parse("1000-2000 r-xp 00000000\n", &map));
}

static void own_maps(void **state)
{
	FILE *maps = proc_maps__open(getpid());
	struct proc_map map;
	bool here = false;
	int fd;

	(void)state;
	assert_non_null(maps);
	while (proc_maps__next(maps, &map)) {
		if ((uintptr_t)own_maps < map.start || (uintptr_t)own_maps >= map.end)
			continue;
		here = map.executable;
		fd = proc_map__open_file(getpid(), &map);
		assert_true(fd >= 0);
		close(fd);
	}
	fclose(maps);
	assert_true(here);
	assert_null(proc_maps__open(0x7fffffff));
}

/* A note's descriptor: three addresses and three strings. */
static size_t make_note(char *to, uint64_t address, uint64_t base, uint64_t semaphore)
{
	static const char strings[] = "python\0line\0"
				      "8@%r14 8@%rax -4@%ebp";
	uint64_t addresses[] = {address, base, semaphore};

	memcpy(to, addresses, sizeof(addresses));
	memcpy(to + sizeof(addresses), strings, sizeof(strings));
	return sizeof(addresses) + sizeof(strings);
}

static void notes(void **state)
{
	struct elf_marker marker;
	char note[128];
	size_t size = make_note(note, 0x1234, 0x9000, 0xa000), cut;

	(void)state;
	assert_true(elf_marker__parse(note, size, 0x9000, &marker));
	assert_string_equal(marker.provider, "python");
	assert_string_equal(marker.name, "line");
	assert_string_equal(marker.args, "8@%r14 8@%rax -4@%ebp");
	assert_int_equal(marker.address, 0x1234);
	assert_int_equal(marker.semaphore, 0xa000);

	/* Prelinked: everything has moved by 0x100. */
	assert_true(elf_marker__parse(note, size, 0x9100, &marker));
	assert_int_equal(marker.address, 0x1334);
	assert_int_equal(marker.semaphore, 0xa100);
	make_note(note, 0x1234, 0x9000, 0);
	assert_true(elf_marker__parse(note, size, 0x9100, &marker));
	assert_int_equal(marker.semaphore, 0);

	/* Wherever it is cut: never read past the end, never accepted as whole. */
	for (cut = 1; cut <= size; cut++)
		assert_false(elf_marker__parse(note, size - cut, 0, &marker));
}

static int count_marker(const struct elf_marker *marker, void *context)
{
	if (!strcmp(marker->provider, "pymemtop_test") && !strcmp(marker->name, "here"))
		++*(int *)context;
	return 0;
}

/* A function of our own, to be found in our own file. */
__attribute__((noinline, used)) int a_function_to_find(int x);
int a_function_to_find(int x)
{
	/* A USDT note as sys/sdt.h writes it. */
	__asm__ volatile("990: nop\n"
			 ".pushsection .note.stapsdt,\"\",\"note\"\n.balign 4\n"
			 ".4byte 992f-991f, 994f-993f, 3\n"
			 "991: .asciz \"stapsdt\"\n992: .balign 4\n"
			 "993: .8byte 990b\n.8byte 0\n.8byte 0\n"
			 ".asciz \"pymemtop_test\"\n.asciz \"here\"\n.asciz \"-4@%%eax\"\n"
			 "994: .balign 4\n.popsection\n");
	return x + 1;
}

static void symbols(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY), markers = 0;
	struct elf_file *elf = elf_file__new(fd);
	static const char *const own[] = {"a_function_to_find"};
	static const char *const names[] = {"malloc", "no_such_function"};
	struct elf_symbol symbol, found[2];
	unsigned char code[8];
	uint64_t offset;

	(void)state;
	assert_non_null(elf);
	elf_file__dynamic_symbols(elf, own, 1, &symbol);
	assert_true(symbol.address);
	assert_true(symbol.function);
	assert_true(elf_file__code_offset(elf, symbol.address, &offset));
	assert_int_equal(elf_file__read(elf, symbol.address, code, sizeof(code)), sizeof(code));
	assert_memory_equal(code, (void *)a_function_to_find, sizeof(code));
	assert_false(elf_file__code_offset(elf, ~0ULL, &offset));
	/* Imported, not defined here. */
	elf_file__dynamic_symbols(elf, names, 2, found);
	assert_int_equal(found[0].address, 0);
	assert_int_equal(found[1].address, 0);
	assert_int_equal(elf_file__markers(elf, count_marker, &markers), 0);
	assert_int_equal(markers, 1);
	elf_file__free(elf);

	assert_null(elf_file__new(open("/proc/self/maps", O_RDONLY)));
	assert_null(elf_file__new(open("/dev/null", O_RDONLY)));
}

/* Any byte of an ELF file may be wrong: nothing may crash. */
static void broken_elf(void **state)
{
	static const char *const names[] = {"malloc"};
	char path[] = "/tmp/pymemtop-test-XXXXXX";
	int fd = mkstemp(path), in = open("/proc/self/exe", O_RDONLY), i, n = 0;
	unsigned char data[65536];
	struct elf_symbol symbol;
	struct elf_file *elf;
	ssize_t size;
	uint64_t bias;

	(void)state;
	unlink(path);
	size = read(in, data, sizeof(data));
	assert_true(size > 4096);
	close(in);
	srand(1);
	for (i = 0; i < 2000; i++) {
		unsigned char before[16];
		size_t at[16], k;

		for (k = 0; k < 16; k++) {
			at[k] = rand() % (k < 12 ? 1024 : size);
			before[k] = data[at[k]];
			data[at[k]] = rand();
		}
		assert_int_equal(pwrite(fd, data, size, 0), size);
		elf = elf_file__new(dup(fd));
		if (elf) {
			elf_file__dynamic_symbols(elf, names, 1, &symbol);
			elf_file__bias(elf, 0x1000, 0, &bias);
			elf_file__markers(elf, count_marker, &n);
			elf_file__free(elf);
		}
		for (k = 16; k-- > 0;)
			data[at[k]] = before[k];
	}
	close(fd);
}

static void arguments(void **state)
{
	struct marker_arg args[3];

	(void)state;
#if defined(__x86_64__)
	assert_true(usdt_args__parse("8@%rbp 8@%r12 -4@%eax", args, 3));
	assert_int_equal(args[0].kind, ARG_REGISTER);
	assert_int_equal(args[0].size, 8);
	assert_int_equal(args[0].reg, offsetof(struct pt_regs, rbp));
	assert_int_equal(args[1].reg, offsetof(struct pt_regs, r12));
	assert_int_equal(args[2].reg, offsetof(struct pt_regs, rax));
	assert_int_equal(args[2].size, -4);

	assert_true(usdt_args__parse("-4@112(%rsp) 8@-8(%rbp) 4@$-3", args, 3));
	assert_int_equal(args[0].kind, ARG_MEMORY);
	assert_int_equal(args[0].offset, 112);
	assert_int_equal(args[0].reg, offsetof(struct pt_regs, rsp));
	assert_int_equal(args[1].offset, -8);
	assert_int_equal(args[2].kind, ARG_CONSTANT);
	assert_int_equal(args[2].offset, -3);

	assert_true(usdt_args__parse("8@(%rdi) 1@%r8b 2@%sp", args, 3));
	assert_int_equal(args[0].kind, ARG_MEMORY);
	assert_int_equal(args[0].offset, 0);
	assert_int_equal(args[1].reg, offsetof(struct pt_regs, r8));

	assert_false(usdt_args__parse("8@%rbp 8@%r12", args, 3));
	assert_false(usdt_args__parse("8@%xmm0", args, 1));
	assert_false(usdt_args__parse("8@8(%rax,%rbx,4)", args, 1));
	assert_false(usdt_args__parse("3@%rax", args, 1));
	assert_false(usdt_args__parse("8@%", args, 1));
	assert_false(usdt_args__parse("8@", args, 1));
	assert_false(usdt_args__parse("", args, 1));
	/* The number begins behind blanks, outside the argument. */
	assert_false(usdt_args__parse(" 8@\f -2", args, 1));
	assert_false(usdt_args__parse("8@8(%rax", args, 1));
#else
	assert_true(usdt_args__parse("8@x0 -4@[sp, 12] 4@3", args, 3));
	assert_int_equal(args[1].kind, ARG_MEMORY);
	assert_int_equal(args[1].offset, 12);
	assert_int_equal(args[2].kind, ARG_CONSTANT);
#endif
}

static int line_of(enum line_table type, const uint8_t *table, size_t size, int first, int offset)
{
	return line_table__line(type, table, size, first, offset, &(struct line_cursor){0});
}

/* Checks one code object of a file that tests/programs/linetables.py wrote: the kind of its table,
 * first line, table, and the line of each instruction. Returns the number of instructions. */
static size_t check_line_table(char *text)
{
	static const struct {
		const char *name;
		enum line_table type;
	} types[] = {{"lnotab", LINES_LNOTAB},
		     {"pep626", LINES_PEP626},
		     {"locations", LINES_LOCATIONS}};
	const char *name = strtok(text, " "), *hex;
	size_t n, type = 0, count = 0;
	struct line_cursor cursor = {0};
	uint8_t table[65536];
	int first, offset, unit;
	char *line;

	while (strcmp(types[type].name, name))
		assert_true(++type < 3);
	unit = types[type].type == LINES_PEP626 ? 1 : 2;
	first = atoi(strtok(NULL, " "));
	hex = strtok(NULL, " \n");
	for (n = 0; hex[2 * n] && *hex != '-'; n++)
		assert_int_equal(sscanf(hex + 2 * n, "%2hhx", &table[n]), 1);
	for (offset = 0; (line = strtok(NULL, " \n")); offset += unit, count++) {
		assert_int_equal(line_of(types[type].type, table, n, first, offset), atoi(line));
		/* On from where the last search ended, and back from further on. */
		assert_int_equal(line_table__line(types[type].type, table, n, first, offset,
						  &cursor),
				 atoi(line));
		if (count % 5 == 4)
			line_table__line(types[type].type, table, n, first,
					 offset + unit * (int)(count % 50), &cursor);
	}
	/* Before the first instruction and, if the table says where it ends, behind the last. */
	assert_int_equal(line_of(types[type].type, table, n, first, -2), first);
	if (types[type].type != LINES_LNOTAB)
		assert_int_equal(line_of(types[type].type, table, n, first, offset), 0);
	return count;
}

/* Each instruction of each version's standard library, compared with that Python itself. */
static void line_tables(void **state)
{
	const char *folder = getenv("LINE_TABLES");
	char *text = NULL, path[4096];
	size_t size = 0, lines = 0;
	struct dirent *entry;
	DIR *dir = folder ? opendir(folder) : NULL;
	FILE *file;

	(void)state;
	if (!dir) {
		skip();
		return;
	}
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] == '.' || !(file = fopen(path, "r")))
			continue;
		for (lines = 0; getline(&text, &size, file) > 0;)
			lines += check_line_table(text);
		fclose(file);
		print_message("# %s: %zu instructions\n", entry->d_name, lines);
		assert_true(lines > 100000);
	}
	free(text);
	closedir(dir);
	assert_true(lines);
}

/* Tables that are cut short, or are no tables. */
static void broken_line_tables(void **state)
{
	uint8_t table[64];
	int i, k;

	(void)state;
	assert_int_equal(line_of(LINES_LOCATIONS, NULL, 0, 1, 0), 0);
	assert_int_equal(line_of(LINES_PEP626, NULL, 0, 1, 0), 0);
	assert_int_equal(line_of(LINES_LNOTAB, NULL, 0, 7, 0), 7);
	/* A long form whose number does not end; half a pair; an unknown kind of table. */
	assert_int_equal(line_of(LINES_LOCATIONS, (uint8_t[]){0xf0, 0xff, 0xff}, 3, 1, 0), 0);
	assert_int_equal(line_of(LINES_PEP626, (uint8_t[]){2}, 1, 1, 0), 0);
	assert_int_equal(line_of(LINE_TABLES, NULL, 0, 1, 5), 5);
	srand(1);
	for (i = 0; i < 20000; i++) {
		for (k = 0; k < 64; k++)
			table[k] = rand();
		line_of(LINES_LNOTAB + i % 3, table, rand() % 65, 1, rand() % 256);
	}
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* As systemd, Docker, Podman, containerd and CRI-O name them. */
static void cgroups(void **state)
{
	static const struct {
		const char *path, *unit, *container, *pod;
	} cases[] = {
		{"/system.slice/gunicorn.service", "gunicorn.service", "", ""},
		{"/user.slice/user-1000.slice/user@1000.service/app.slice/run-r1.scope",
		 "user@1000.service", "", ""},
		{"/user.slice/user-0.slice/session-3.scope", "session-3.scope", "", ""},
		{"/system.slice/docker-" ID ".scope", "", ID, ""},
		{"/docker/" ID, "", ID, ""},
		{"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID
		 ".scope/container",
		 "user@1000.service", ID, ""},
		{"/kubepods.slice/kubepods-burstable.slice/"
		 "kubepods-burstable-pod11223344_5566_7788_99aa_bbccddeeff00.slice/cri-containerd-" ID
		 ".scope",
		 "", ID, "11223344-5566-7788-99aa-bbccddeeff00"},
		{"/kubepods/besteffort/pod11223344-5566-7788-99aa-bbccddeeff00/" ID, "", ID,
		 "11223344-5566-7788-99aa-bbccddeeff00"},
		{"/machine.slice/systemd-nspawn@web.service/payload", "", "web", ""},
		{"/machine.slice/machine-web.scope", "", "web", ""},
		{"/", "", "", ""},
		{"/pod1/x" ID "0", "", "", ""},
	};
	struct cgroup cgroup;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&cgroup, 0, sizeof(cgroup));
		strcpy(cgroup.path, cases[i].path);
		cgroup__parse(&cgroup);
		assert_string_equal(cgroup.unit, cases[i].unit);
		assert_string_equal(cgroup.container, cases[i].container);
		assert_string_equal(cgroup.pod, cases[i].pod);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cgroups),
		cmocka_unit_test(maps_lines),
		cmocka_unit_test(own_maps),
		cmocka_unit_test(notes),
		cmocka_unit_test(symbols),
		cmocka_unit_test(broken_elf),
		cmocka_unit_test(arguments),
		cmocka_unit_test(line_tables),
		cmocka_unit_test(broken_line_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
