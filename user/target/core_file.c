// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/utf8.h"
#include "target/arch.h"
#include "target/core_file.h"
#include "target/core_notes.h"

#define PAGE 4096

/* vm.max_map_count is 65,530 as a rule; and of all notes, which tell each thread's registers. */
#define MOST_SEGMENTS 1000000
#define MOST_NOTES    (64 << 20)

struct segment {
	uint64_t start, end; /* addresses */
	uint64_t offset, n;  /* what the core has of it */
	unsigned int flags;
	const struct mapped_file *file; /* NULL: none */
};

struct core_file {
	int fd;
	const char *root;
	uint64_t size;
	struct segment *segments; /* by address */
	size_t nsegments;
	struct core_notes notes;
	uint64_t dumped, missing;
};

static bool read_exactly(int fd, void *to, size_t size, uint64_t offset)
{
	size_t done = 0;
	ssize_t got;

	if (offset > INT64_MAX - size)
		return false;
	while (done < size) {
		got = pread(fd, (char *)to + done, size - done, offset + done);
		if (got <= 0)
			return false;
		done += got;
	}
	return true;
}

static int compare_segments(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Takes a loaded segment, and what the file has of it. */
static void add_segment(struct core_file *core, const Elf64_Phdr *head)
{
	struct segment *segment = &core->segments[core->nsegments];
	uint64_t there;

	if (head->p_type != PT_LOAD || !head->p_memsz || head->p_filesz > head->p_memsz ||
	    head->p_vaddr > UINT64_MAX - head->p_memsz || head->p_vaddr % PAGE)
		return;
	there = head->p_offset < core->size ? core->size - head->p_offset : 0;
	*segment = (struct segment){
		.start = head->p_vaddr,
		.end = head->p_vaddr + head->p_memsz,
		.offset = head->p_offset,
		.n = head->p_filesz < there ? head->p_filesz : there,
		.flags = head->p_flags,
	};
	core->missing += head->p_filesz - segment->n;
	core->nsegments++;
}

/* Reads the program headers: the notes, and the segments. A core of more than 65,534 keeps their
 * number in the first section's sh_info (PN_XNUM, elf(5)). */
static int read_segments(struct core_file *core, const Elf64_Ehdr *head)
{
	auto_free Elf64_Phdr *all = NULL;
	const Elf64_Phdr *notes = NULL;
	Elf64_Shdr section = {.sh_info = head->e_phnum};
	size_t i;

	if (head->e_phnum == PN_XNUM &&
	    !read_exactly(core->fd, &section, sizeof(section), head->e_shoff))
		return -ENODATA;
	if (!section.sh_info || section.sh_info > MOST_SEGMENTS)
		return -EINVAL;
	all = calloc(section.sh_info, sizeof(*all));
	core->segments = calloc(section.sh_info, sizeof(*core->segments));
	if (!all || !core->segments)
		return -ENOMEM;
	if (!read_exactly(core->fd, all, section.sh_info * sizeof(*all), head->e_phoff))
		return -ENODATA;
	for (i = 0; i < section.sh_info; i++) {
		add_segment(core, &all[i]);
		if (all[i].p_type == PT_NOTE && !notes)
			notes = &all[i];
	}
	if (!notes || notes->p_filesz > MOST_NOTES)
		return -EINVAL;
	core->notes.size = notes->p_filesz;
	/* One more, which ends the last name. */
	core->notes.bytes = calloc(1, core->notes.size + 1);
	if (!core->notes.bytes)
		return -ENOMEM;
	return read_exactly(core->fd, core->notes.bytes, core->notes.size, notes->p_offset)
		       ? 0
		       : -ENODATA;
}

static const struct segment *segment_from(const struct core_file *core, uint64_t address)
{
	size_t low = 0, high = core->nsegments, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (address >= core->segments[middle].end)
			low = middle + 1;
		else
			high = middle;
	}
	return low < core->nsegments ? &core->segments[low] : NULL;
}

bool core_file__next_data(const struct core_file *core, uint64_t *address, uint64_t *end)
{
	const struct segment *segment = segment_from(core, *address);
	uint64_t from, dumped, limit = *end;
	off_t data, hole;

	for (; segment && segment < core->segments + core->nsegments && segment->start < limit;
	     segment++) {
		from = *address > segment->start ? *address - segment->start : 0;
		if (from >= segment->n)
			continue;
		/* A file system without holes has data everywhere. */
		data = lseek(core->fd, segment->offset + from, SEEK_DATA);
		dumped = segment->offset + segment->n;
		if (data < 0 || (uint64_t)data >= dumped)
			continue;
		hole = lseek(core->fd, data, SEEK_HOLE);
		*address = segment->start + (data - segment->offset);
		if (*address >= limit)
			return false;
		if (hole > data && (uint64_t)hole < dumped)
			dumped = hole;
		*end = segment->start + (dumped - segment->offset);
		*end = *end < limit ? *end : limit;
		return true;
	}
	return false;
}

/* Finds the mapping of a file that an address is in, NULL: none. *at is the number of the first
 * that may be it, as addresses ascend. */
static const struct mapped_file *file_at(const struct core_file *core, size_t *at, uint64_t address)
{
	while (*at < core->notes.nfiles && core->notes.files[*at].end <= address)
		(*at)++;
	return *at < core->notes.nfiles && core->notes.files[*at].start <= address
		       ? &core->notes.files[*at]
		       : NULL;
}

/* Sorts the segments, drops what overlaps, and finds each one's file. */
static void order_segments(struct core_file *core)
{
	size_t i, n = 0, file = 0;
	struct segment *segment;

	qsort(core->segments, core->nsegments, sizeof(*core->segments), compare_segments);
	for (i = 0; i < core->nsegments; i++) {
		segment = &core->segments[i];
		if (n && segment->start < core->segments[n - 1].end)
			continue;
		segment->file = file_at(core, &file, segment->start);
		core->segments[n++] = *segment;
	}
	core->nsegments = n;
}

/* Whether the file still begins as the core has it, which includes its build id; true if the core
 * does not have its beginning. */
static bool is_same(const struct core_file *core, const struct mapped_file *file, int fd)
{
	const struct mapped_file *first = file;
	const struct segment *segment;
	uint8_t then[PAGE], now[PAGE];
	size_t n = sizeof(now);

	while (first > core->notes.files && first->offset && first[-1].number == file->number)
		first--;
	segment = segment_from(core, first->start);
	if (first->offset || !segment || segment->start != first->start || segment->n < n ||
	    segment->flags & PF_W)
		return true;
	return read_exactly(core->fd, then, n, segment->offset) && read_exactly(fd, now, n, 0) &&
	       !memcmp(then, now, n);
}

static int open_mapped(const struct core_file *core, const struct mapped_file *file)
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	if (file->name[0] != '/' ||
	    snprintf(path, sizeof(path), "%s%s", core->root, file->name) >= (int)sizeof(path))
		return -ENOENT;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && is_same(core, file, fd))
		return fd;
	close(fd);
	return -ESTALE;
}

/* The rights of a mapping as its file's program headers give them. */
static unsigned int flags_of(const struct core_file *core, const struct mapped_file *file)
{
	auto_close int fd = open_mapped(core, file);
	unsigned int flags = PF_R;
	Elf64_Ehdr head;
	Elf64_Phdr segment;
	size_t i;

	if (fd < 0 || !read_exactly(fd, &head, sizeof(head), 0) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
		return flags;
	for (i = 0; i < head.e_phnum; i++) {
		if (!read_exactly(fd, &segment, sizeof(segment),
				  head.e_phoff + i * sizeof(segment)))
			break;
		if (segment.p_type == PT_LOAD && file->offset / PAGE == segment.p_offset / PAGE)
			flags |= segment.p_flags;
	}
	return flags & ~PF_W;
}

/* gcore leaves out what was never written to: only the list of files has it. */
static int add_undumped_files(struct core_file *core)
{
	struct segment *more =
		reallocarray(core->segments, core->nsegments + core->notes.nfiles, sizeof(*more));
	const struct mapped_file *file;
	const struct segment *next;
	size_t i, n = 0;

	if (!more)
		return core->notes.nfiles ? -ENOMEM : 0;
	core->segments = more;
	for (i = 0; i < core->notes.nfiles; i++) {
		file = &core->notes.files[i];
		next = segment_from(core, file->start);
		if (next && next->start < file->end)
			continue;
		if (file->start >= file->end)
			continue;
		more[core->nsegments + n++] = (struct segment){
			.start = file->start,
			.end = file->end,
			.flags = flags_of(core, file),
		};
	}
	core->nsegments += n;
	order_segments(core);
	return 0;
}

static void measure(struct core_file *core)
{
	uint64_t address = 0, end = UINT64_MAX;

	while (core_file__next_data(core, &address, &end)) {
		core->dumped += end - address;
		address = end;
		end = UINT64_MAX;
	}
}

static int check_head(const char *path, const Elf64_Ehdr *head)
{
	if (memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_type != ET_CORE) {
		log_error(
			"%s is no core file%s", path,
			memcmp(head->e_ident, ELFMAG, SELFMAG) != 0
				? "; if it is compressed, take it out with coredumpctl dump, zstd "
				  "-d or lz4 -d"
				: "");
		return -ENOEXEC;
	}
	if (head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_machine != ARCH_ELF_MACHINE ||
	    head->e_phentsize != sizeof(Elf64_Phdr)) {
		log_error("%s is a core file of another architecture (ELF machine %u)", path,
			  head->e_machine);
		return -ENOEXEC;
	}
	return 0;
}

static int read_core(struct core_file *core, const char *path)
{
	Elf64_Ehdr head;
	struct stat st;
	int err;

	/* O_NONBLOCK: it could be a FIFO. */
	core->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (core->fd < 0 || fstat(core->fd, &st)) {
		err = -errno;
		log_error("%s: %s", path, strerror(errno));
		return err;
	}
	core->size = st.st_size;
	if (!S_ISREG(st.st_mode) || !read_exactly(core->fd, &head, sizeof(head), 0)) {
		log_error("%s is no core file", path);
		return -ENOEXEC;
	}
	err = check_head(path, &head);
	if (err)
		return err;
	err = read_segments(core, &head);
	if (!err)
		err = core_notes__read(&core->notes);
	if (err) {
		log_error("%s cannot be read as a core file: %s", path,
			  err == -ENODATA  ? "it is cut off within its headers"
			  : err == -EINVAL ? "its headers are damaged"
					   : strerror(-err));
		return err;
	}
	order_segments(core);
	err = add_undumped_files(core);
	if (!err)
		measure(core);
	return err;
}

int core_file__new(const char *path, const char *root, struct core_file **result)
{
	struct core_file *core = calloc(1, sizeof(*core));
	int err;

	if (!core)
		return -ENOMEM;
	core->fd = -1;
	core->root = root;
	err = read_core(core, path);
	if (err) {
		core_file__free(core);
		return err;
	}
	*result = core;
	return 0;
}

void core_file__free(struct core_file *core)
{
	if (!core)
		return;
	core_notes__clear(&core->notes);
	if (core->fd >= 0)
		close(core->fd);
	free(core->segments);
	free(core);
}

pid_t core_file__pid(const struct core_file *core)
{
	return core->notes.pid;
}

const char *core_file__comm(const struct core_file *core)
{
	return core->notes.comm;
}

const char *core_file__cmdline(const struct core_file *core)
{
	return core->notes.cmdline;
}

uint64_t core_file__dumped_bytes(const struct core_file *core)
{
	return core->dumped;
}

uint64_t core_file__missing_bytes(const struct core_file *core)
{
	return core->missing;
}

int core_file__open_file(struct core_file *core, const struct proc_map *map)
{
	const struct segment *segment = segment_from(core, map->start);

	return segment && segment->start <= map->start && segment->file
		       ? open_mapped(core, segment->file)
		       : -ENOENT;
}

static void say_missing(const char *name, int err)
{
	auto_free char *printable = utf8_from_str((const uint8_t *)name, strlen(name), 0);

	log_error("the core file needs %s, which %s; --root DIR says where its files are",
		  printable ?: "a file",
		  err == -ESTALE ? "is another file than the one that ran" : "cannot be opened");
}

void core_file__say_why_no_python(struct core_file *core)
{
	const struct segment *segment;
	int fd = -ENOENT;
	size_t i;

	for (i = 0; i < core->nsegments; i++) {
		segment = &core->segments[i];
		if (!segment->file || !(segment->flags & PF_X) ||
		    !strstr(segment->file->name, "python"))
			continue;
		fd = open_mapped(core, segment->file);
		if (fd < 0) {
			say_missing(segment->file->name, fd);
			return;
		}
		close(fd);
	}
	log_error("the core file is not of CPython 3.7 or later: none of its %zu mapped files "
		  "exports _PyRuntime%s",
		  core->notes.nfiles, core->notes.nfiles ? "" : " (it does not list any)");
}

/* Reads what was not dumped, as it was only mapped. */
static int read_mapped(const struct core_file *core, const struct segment *segment,
		       uint64_t address, void *to, size_t size)
{
	struct mapped_file *file;

	if (!segment->file)
		return -EFAULT;
	file = &core->notes.files[segment->file - core->notes.files];
	if (file->fd < 0 && !file->err) {
		file->fd = open_mapped(core, file);
		file->err = file->fd < 0 ? file->fd : 0;
	}
	return file->fd >= 0 && read_exactly(file->fd, to, size,
					     file->offset + (address - file->start))
		       ? 0
		       : -EFAULT;
}

/* The part that lies in one segment, dumped or not. Returns its size, 0: not there. */
static size_t read_part(const struct core_file *core, uint64_t address, void *to, size_t size)
{
	const struct segment *segment = segment_from(core, address);
	uint64_t at, n = size;

	if (!segment || segment->start > address)
		return 0;
	at = address - segment->start;
	if (n > segment->end - address)
		n = segment->end - address;
	if (at >= segment->n)
		return read_mapped(core, segment, address, to, n) ? 0 : n;
	if (n > segment->n - at)
		n = segment->n - at;
	return read_exactly(core->fd, to, n, segment->offset + at) ? n : 0;
}

int core_file__read(struct core_file *core, uint64_t address, void *to, size_t size)
{
	size_t n;

	while (size) {
		n = read_part(core, address, to, size);
		if (!n)
			return -EFAULT;
		address += n;
		to = (char *)to + n;
		size -= n;
	}
	return 0;
}

bool core_file__map(const struct core_file *core, size_t i, struct proc_map *map)
{
	const struct segment *segment = &core->segments[i];

	if (i >= core->nsegments)
		return false;
	*map = (struct proc_map){
		.start = segment->start,
		.end = segment->end,
		.executable = segment->flags & PF_X,
		.is_writable = segment->flags & PF_W,
		.is_private = true,
		.is_accessible = segment->flags & (PF_R | PF_W | PF_X),
	};
	if (segment->file) {
		map->inode = segment->file->number;
		map->offset = segment->file->offset + (segment->start - segment->file->start);
		snprintf(map->path, sizeof(map->path), "%s", segment->file->name);
	} else if (core->notes.stack >= segment->start && core->notes.stack < segment->end) {
		snprintf(map->path, sizeof(map->path), "[stack]");
	}
	return true;
}
