/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything, for programs: schema pymemtop.profile/1, in doc/profile.md. */
#ifndef JSON_H
#define JSON_H

#include "render.h"

extern const struct renderer json_renderer;

#endif /* JSON_H */
