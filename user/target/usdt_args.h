/* SPDX-License-Identifier: BSD-2-Clause */
/* The arguments of USDT markers, as the assembler wrote them into the notes. */
#ifndef USDT_ARGS_H
#define USDT_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#include "pymemtop.h"

/*
 * Parses n arguments: "8@%rbp -4@112(%rsp) 4@$3" on x86-64, "8@x0 -4@[sp, 12] 4@3" on arm64. False
 * if one is missing or has an unknown form.
 */
bool usdt_args__parse(const char *text, struct marker_arg *args, size_t n);

#endif /* USDT_ARGS_H */
