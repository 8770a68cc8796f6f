// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "target/elf_functions.h"
#include "target/elffile.h"

struct elf_file {
	int fd;
	Elf *elf;
	GElf_Ehdr header;
	unsigned int references;
	/* The names last looked up, and what was found. */
	const char *const *names;
	size_t n;
	struct elf_symbol *symbols;
	/* The functions last asked for, and what was found. */
	bool (*wants)(const char *name);
	struct elf_function *functions;
	size_t nfunctions;
};

struct elf_file *elf_file__new(int fd)
{
	struct elf_file *elf = calloc(1, sizeof(*elf));

	if (!elf || elf_version(EV_CURRENT) == EV_NONE) {
		close(fd);
		free(elf);
		return NULL;
	}
	elf->fd = fd;
	elf->references = 1;
	/* Read, not mapped: truncating a mapped file would kill us with SIGBUS. */
	elf->elf = elf_begin(fd, ELF_C_READ, NULL);
	/* More sections are counted elsewhere, in as many bits as a hostile file likes. */
	if (!elf->elf || elf_kind(elf->elf) != ELF_K_ELF || gelf_getclass(elf->elf) != ELFCLASS64 ||
	    !gelf_getehdr(elf->elf, &elf->header) ||
	    (elf->header.e_shoff && !elf->header.e_shnum)) {
		elf_file__free(elf);
		return NULL;
	}
	return elf;
}

struct elf_file *elf_file__ref(struct elf_file *elf)
{
	if (elf)
		elf->references++;
	return elf;
}

bool elf_file__is_shared(const struct elf_file *elf)
{
	return elf->references > 1;
}

void elf_file__free(struct elf_file *elf)
{
	if (!elf || --elf->references)
		return;
	elf_end(elf->elf);
	close(elf->fd);
	free(elf->symbols);
	elf_functions__free(elf->functions, elf->nfunctions);
	free(elf);
}

int elf_file__fd(const struct elf_file *elf)
{
	return elf->fd;
}

uint64_t elf_file__entry(const struct elf_file *elf)
{
	return elf->header.e_entry;
}

/* Bytes; more than any program's. A hostile file's are not read: it can claim any size, and be
 * sparse. */
#define MOST_SYMBOLS (64 << 20)
#define MOST_NAMES   (256 << 20)
#define MOST_NOTES   (1 << 20)

/* The dynamic ones are read as a whole. */
#define MOST_DYNAMIC (32 << 20)

/* header: set to that of the section. */
static bool has_sane_names(const struct elf_file *elf, size_t section, uint64_t most,
			   GElf_Shdr *header)
{
	Elf_Scn *names = elf_getscn(elf->elf, section);

	return names && gelf_getshdr(names, header) && header->sh_type == SHT_STRTAB &&
	       header->sh_size <= most;
}

static void find_symbols(const struct elf_file *elf, const char *const *names, size_t n,
			 struct elf_symbol *symbols)
{
	Elf_Scn *section = NULL;
	const char *name;
	GElf_Shdr header, names_header;
	Elf_Data *data;
	GElf_Sym sym;
	size_t i, k;

	memset(symbols, 0, n * sizeof(*symbols));
	while ((section = elf_nextscn(elf->elf, section))) {
		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_DYNSYM ||
		    !header.sh_entsize || header.sh_size > MOST_DYNAMIC ||
		    !has_sane_names(elf, header.sh_link, MOST_DYNAMIC, &names_header))
			continue;
		data = elf_getdata(section, NULL);
		for (i = 0; data && i < header.sh_size / header.sh_entsize; i++) {
			if (!gelf_getsym(data, i, &sym) || sym.st_shndx == SHN_UNDEF ||
			    !sym.st_value)
				continue;
			name = elf_strptr(elf->elf, header.sh_link, sym.st_name);
			for (k = 0; name && k < n; k++) {
				if (symbols[k].address || strcmp(name, names[k]))
					continue;
				symbols[k].address = sym.st_value;
				symbols[k].size = sym.st_size;
				symbols[k].function = GELF_ST_TYPE(sym.st_info) == STT_FUNC;
			}
		}
	}
}

void elf_file__dynamic_symbols(struct elf_file *elf, const char *const *names, size_t n,
			       struct elf_symbol *symbols)
{
	if (elf->symbols && elf->names == names && elf->n == n) {
		memcpy(symbols, elf->symbols, n * sizeof(*symbols));
		return;
	}
	find_symbols(elf, names, n, symbols);
	free(elf->symbols);
	elf->symbols = calloc(n, sizeof(*symbols));
	elf->names = names;
	elf->n = n;
	if (elf->symbols)
		memcpy(elf->symbols, symbols, n * sizeof(*symbols));
}

bool elf_file__symbol_table(const struct elf_file *elf, struct elf_symbol_table *table)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header, names;
	bool found = false;

	while ((section = elf_nextscn(elf->elf, section))) {
		if (!gelf_getshdr(section, &header) ||
		    (header.sh_type != SHT_SYMTAB && (found || header.sh_type != SHT_DYNSYM)))
			continue;
		if (!has_sane_names(elf, header.sh_link, MOST_NAMES, &names) ||
		    header.sh_size > MOST_SYMBOLS || header.sh_entsize != sizeof(Elf64_Sym))
			continue;
		*table = (struct elf_symbol_table){header.sh_offset, header.sh_size,
						   names.sh_offset, names.sh_size};
		found = true;
		if (header.sh_type == SHT_SYMTAB)
			break;
	}
	return found;
}

int elf_file__functions(struct elf_file *elf, bool (*wants)(const char *name),
			const struct elf_function **functions, size_t *n)
{
	int err = 0;

	if (elf->wants != wants) {
		elf_functions__free(elf->functions, elf->nfunctions);
		elf->functions = NULL;
		elf->nfunctions = 0;
		err = elf_functions__read(elf, wants, &elf->functions, &elf->nfunctions);
		elf->wants = err ? NULL : wants;
	}
	*functions = elf->functions;
	*n = elf->nfunctions;
	return err;
}

/* Finds the first loaded segment that passes the test. */
static bool find_segment(const struct elf_file *elf, bool (*test)(const GElf_Phdr *, uint64_t),
			 uint64_t wanted, GElf_Phdr *segment)
{
	size_t n, i;

	if (elf_getphdrnum(elf->elf, &n))
		return false;
	for (i = 0; i < n; i++) {
		if (gelf_getphdr(elf->elf, i, segment) && segment->p_type == PT_LOAD &&
		    test(segment, wanted))
			return true;
	}
	return false;
}

static bool has_address(const GElf_Phdr *segment, uint64_t address)
{
	return address >= segment->p_vaddr && address - segment->p_vaddr < segment->p_filesz;
}

/* Two segments can share a page of the file, but only one is executable. */
static bool is_code_at_offset(const GElf_Phdr *segment, uint64_t offset)
{
	uint64_t page = sysconf(_SC_PAGESIZE);

	return (segment->p_flags & PF_X) && (segment->p_offset & ~(page - 1)) <= offset &&
	       offset < segment->p_offset + segment->p_filesz;
}

static bool has_code_address(const GElf_Phdr *segment, uint64_t address)
{
	return (segment->p_flags & PF_X) && has_address(segment, address);
}

bool elf_file__code_offset(const struct elf_file *elf, uint64_t address, uint64_t *offset)
{
	GElf_Phdr segment;

	if (!find_segment(elf, has_code_address, address, &segment))
		return false;
	*offset = address - segment.p_vaddr + segment.p_offset;
	return true;
}

bool elf_file__data_offset(const struct elf_file *elf, uint64_t address, uint64_t *offset)
{
	GElf_Phdr segment;

	if (!find_segment(elf, has_address, address, &segment))
		return false;
	*offset = address - segment.p_vaddr + segment.p_offset;
	return true;
}

/* Larger than any program's code; a hostile file's is not read into memory. */
#define MOST_CODE (256 << 20)

static bool is_code(const GElf_Phdr *segment, uint64_t most)
{
	return (segment->p_flags & PF_X) && segment->p_filesz <= most;
}

bool elf_file__code_range(const struct elf_file *elf, uint64_t *address, size_t *size)
{
	GElf_Phdr segment;

	if (!find_segment(elf, is_code, MOST_CODE, &segment))
		return false;
	*address = segment.p_vaddr;
	*size = segment.p_filesz;
	return true;
}

bool elf_file__bias(const struct elf_file *elf, uint64_t map_start, uint64_t file_offset,
		    uint64_t *bias)
{
	GElf_Phdr segment;

	if (!find_segment(elf, is_code_at_offset, file_offset, &segment))
		return false;
	*bias = map_start - (file_offset - segment.p_offset + segment.p_vaddr);
	return true;
}

size_t elf_file__read(const struct elf_file *elf, uint64_t address, void *to, size_t size)
{
	GElf_Phdr segment;
	ssize_t got;

	if (!find_segment(elf, has_address, address, &segment))
		return 0;
	if (size > segment.p_vaddr + segment.p_filesz - address)
		size = segment.p_vaddr + segment.p_filesz - address;
	got = pread(elf->fd, to, size, address - segment.p_vaddr + segment.p_offset);
	return got < 0 ? 0 : got;
}

/* The string at *from, which must end before end; moves *from past it. */
static const char *take_string(const char **from, const char *end)
{
	const char *string = *from, *nul = memchr(string, '\0', end - string);

	if (!nul)
		return NULL;
	*from = nul + 1;
	return string;
}

bool elf_marker__parse(const void *descriptor, size_t size, uint64_t base,
		       struct elf_marker *marker)
{
	const char *from = descriptor, *end = from + size;
	uint64_t addresses[3]; /* of the marker, of .stapsdt.base when linked, of the semaphore */

	if (size < sizeof(addresses))
		return false;
	memcpy(addresses, from, sizeof(addresses));
	from += sizeof(addresses);
	marker->provider = take_string(&from, end);
	marker->name = marker->provider ? take_string(&from, end) : NULL;
	marker->args = marker->name ? take_string(&from, end) : NULL;
	if (!marker->args)
		return false;
	/* Prelink moves sections, not the notes' contents. */
	if (base) {
		addresses[0] += base - addresses[1];
		if (addresses[2])
			addresses[2] += base - addresses[1];
	}
	marker->address = addresses[0];
	marker->semaphore = addresses[2];
	return true;
}

static uint64_t section_address(const struct elf_file *elf, const char *wanted)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	const char *name;
	size_t names;

	if (elf_getshdrstrndx(elf->elf, &names) ||
	    !has_sane_names(elf, names, MOST_DYNAMIC, &header))
		return 0;
	while ((section = elf_nextscn(elf->elf, section))) {
		if (!gelf_getshdr(section, &header))
			continue;
		name = elf_strptr(elf->elf, names, header.sh_name);
		if (name && !strcmp(name, wanted))
			return header.sh_addr;
	}
	return 0;
}

static int visit_notes(Elf_Data *data, uint64_t base,
		       int (*visit)(const struct elf_marker *, void *), void *context)
{
	size_t at = 0, next, name, descriptor;
	struct elf_marker marker;
	GElf_Nhdr note;
	int err;

	while ((next = gelf_getnote(data, at, &note, &name, &descriptor))) {
		at = next;
		if (note.n_type != 3 || note.n_namesz != sizeof("stapsdt") ||
		    memcmp((char *)data->d_buf + name, "stapsdt", sizeof("stapsdt")) ||
		    !elf_marker__parse((char *)data->d_buf + descriptor, note.n_descsz, base,
				       &marker))
			continue;
		err = visit(&marker, context);
		if (err)
			return err;
	}
	return 0;
}

int elf_file__markers(const struct elf_file *elf,
		      int (*visit)(const struct elf_marker *marker, void *context), void *context)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	Elf_Data *data;
	uint64_t base = section_address(elf, ".stapsdt.base");
	int err;

	while ((section = elf_nextscn(elf->elf, section))) {
		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_NOTE ||
		    header.sh_size > MOST_NOTES)
			continue;
		data = elf_getdata(section, NULL);
		err = data ? visit_notes(data, base, visit, context) : 0;
		if (err)
			return err;
	}
	return 0;
}
