/* SPDX-License-Identifier: BSD-2-Clause */
/* Mode lines: how much did each executed line add? */
#ifndef LINES_H
#define LINES_H

#include "source.h"

extern const struct source_type lines_source;

#endif /* LINES_H */
