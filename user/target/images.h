/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF files that targets map. Each is opened and parsed once, however many processes map it. A few
 * hundred that no target maps any more are kept for the next one that does.
 */
#ifndef IMAGES_H
#define IMAGES_H

#include "target/elffile.h"

struct images;

/* NULL if memory is short. */
struct images *images__new(void);
void images__free(struct images *images);

/*
 * The file open at fd, which is taken over: a reference that the caller owns. A file that has
 * changed since it was last seen is another one. images may be NULL. NULL if it is no ELF file.
 */
struct elf_file *images__open(struct images *images, int fd);

#endif /* IMAGES_H */
