/* SPDX-License-Identifier: BSD-2-Clause */
/* What inspect has saved as json (render/objects_json.c). */
#ifndef INSPECT_SAVED_H
#define INSPECT_SAVED_H

#include "base/json_source.h"
#include "inspect/inspected.h"

#define OBJECTS_SCHEMA "pymemtop.objects/1"

/*
 * Loads n processes, which the caller clears and frees. Returns 0, -ENOMEM, -EIO, or -EINVAL with
 * the reason in why, which has size bytes. Instances of a type are left out.
 */
int inspected__load(struct json_source *source, struct inspected **all, size_t *n, char *why,
		    size_t size);

#endif /* INSPECT_SAVED_H */
