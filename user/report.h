/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines by increment, and the text around them. */
#ifndef REPORT_H
#define REPORT_H

#include "render.h"

extern const struct renderer report_renderer;

#endif /* REPORT_H */
