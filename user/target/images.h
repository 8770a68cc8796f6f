/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF files that targets map: each is opened and parsed once, however many processes map it.
 * Some hundred that no target maps any more are kept for the next that does.
 */
#ifndef IMAGES_H
#define IMAGES_H

#include "target/elffile.h"

struct images;

/* NULL where memory is short. */
struct images *images__new(void);
void images__free(struct images *images);

/*
 * The file that is open at fd, which is taken over: a reference of the caller's own. A file that
 * has changed since it was met is another. images may be NULL. NULL where it is no ELF file.
 */
struct elf_file *images__open(struct images *images, int fd);

#endif /* IMAGES_H */
