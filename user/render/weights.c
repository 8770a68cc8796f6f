// SPDX-License-Identifier: BSD-2-Clause
#include "render/weights.h"

int64_t weight__of(const struct schema *schema, const struct values *values, enum weight weight)
{
	switch (weight) {
	case WEIGHT_COUNT:
		return values__get(schema, values, ROLE_INUSE_COUNT) +
		       values__get(schema, values, ROLE_MAPPED_COUNT);
	case WEIGHT_ALLOCATED:
		return values__get(schema, values, ROLE_ALLOC_BYTES);
	default:
		return values__held(schema, values);
	}
}

int64_t weight__of_rest(const struct profile_rest *rest, enum weight weight)
{
	switch (weight) {
	case WEIGHT_COUNT:
		return rest->bytes >> PAGE_SHIFT;
	case WEIGHT_ALLOCATED:
		return 0;
	default:
		return rest->bytes;
	}
}
