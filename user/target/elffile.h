/* SPDX-License-Identifier: BSD-2-Clause */
/* ELF files: symbols, USDT notes, and where their bytes end up in memory. Targets supply them, so
 * nothing in them is trusted. */
#ifndef ELFFILE_H
#define ELFFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_file;

/* Takes over the descriptor, even on failure. NULL if it is no ELF file. */
struct elf_file *elf_file__new(int fd);

/* Takes another reference; NULL is allowed. */
struct elf_file *elf_file__ref(struct elf_file *elf);

/* Whether anyone but the caller has a reference. */
bool elf_file__is_shared(const struct elf_file *elf);

/* Drops a reference, and closes the file with the last. NULL is allowed. */
void elf_file__free(struct elf_file *elf);

/* The descriptor, which the file still owns. */
int elf_file__fd(const struct elf_file *elf);

struct elf_symbol {
	uint64_t address; /* as linked */
	uint64_t size;
	bool function;
};

/* Looks up the defined symbols of n names, in one pass over the dynamic table; address 0 if one is
 * missing. Remembers the last names and their symbols. */
void elf_file__dynamic_symbols(struct elf_file *elf, const char *const *names, size_t n,
			       struct elf_symbol *symbols);

/* Where a file's table of symbols, and the names in it, are in the file: the full one, or if that
 * was stripped, the dynamic one. Checked to be of a sane size, and not to be in the file. False if
 * there is none. */
struct elf_symbol_table {
	uint64_t symbols, size; /* offset, and bytes of Elf64_Sym each */
	uint64_t names, names_size;
};
bool elf_file__symbol_table(const struct elf_file *elf, struct elf_symbol_table *table);

/* A function, by the name that it has in that table. */
struct elf_function {
	char *name;
	uint64_t address; /* as linked */
	uint64_t size;
};

/*
 * Lists the functions whose names are wanted, a few hundred at most: see elf_functions.c. Reads the
 * table once, for whoever asks first with the same function. They are the file's. 0 or -errno.
 */
int elf_file__functions(struct elf_file *elf, bool (*wants)(const char *name),
			const struct elf_function **functions, size_t *n);

/* The file offset of a linked address; false if no executable segment, or no segment at all, has
 * it. */
bool elf_file__code_offset(const struct elf_file *elf, uint64_t address, uint64_t *offset);
bool elf_file__data_offset(const struct elf_file *elf, uint64_t address, uint64_t *offset);

/*
 * What to add to linked addresses, given an executable mapping of the file that starts with the
 * bytes at file_offset. False if no segment fits.
 */
bool elf_file__bias(const struct elf_file *elf, uint64_t map_start, uint64_t file_offset,
		    uint64_t *bias);

/* The linked address and the size of the first executable segment no larger than a sane program's.
 * False if there is none. */
bool elf_file__code_range(const struct elf_file *elf, uint64_t *address, size_t *size);

uint64_t elf_file__entry(const struct elf_file *elf);

/* Reads at most size bytes at a linked address, as far as they are in the file. Returns how
 * many. */
size_t elf_file__read(const struct elf_file *elf, uint64_t address, void *to, size_t size);

/* A USDT marker: note type 3 of "stapsdt" (sys/sdt.h of SystemTap). */
struct elf_marker {
	const char *provider, *name, *args; /* in the file's own memory */
	uint64_t address;		    /* as linked, with prelink undone */
	uint64_t semaphore;		    /* as linked; 0: none */
};

/* Calls visit for each marker until it returns non-zero, and returns that; 0 if all were visited,
 * or there are none. */
int elf_file__markers(const struct elf_file *elf,
		      int (*visit)(const struct elf_marker *marker, void *context), void *context);

/* Parses one marker from a note's descriptor; base is the linked address of .stapsdt.base. False if
 * the note is malformed. */
bool elf_marker__parse(const void *descriptor, size_t size, uint64_t base,
		       struct elf_marker *marker);

#endif /* ELFFILE_H */
