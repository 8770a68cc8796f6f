/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes JSON as it goes: a tree of 10,000 stacks would take ten times as long. */
#ifndef JSON_H
#define JSON_H

#include <stdint.h>
#include <stdio.h>

struct json_writer;

/* The stream outlives the writer. NULL if out of memory. */
struct json_writer *json_writer__new(FILE *out);

/* Writes what is left, and frees the writer. Returns 0 or the first error, -ENOMEM or -EIO. */
int json_writer__end(struct json_writer *writer);

void json__open_map(struct json_writer *writer);
void json__close_map(struct json_writer *writer);
void json__open_array(struct json_writer *writer);
void json__close_array(struct json_writer *writer);

/* The string must be UTF-8; json__text_member() is for bytes that can be anything. */
void json__string(struct json_writer *writer, const char *string);
void json__integer(struct json_writer *writer, int64_t value);

void json__integer_member(struct json_writer *writer, const char *name, int64_t value);
void json__number_member(struct json_writer *writer, const char *name, double value);
void json__string_member(struct json_writer *writer, const char *name, const char *value);
void json__text_member(struct json_writer *writer, const char *name, const char *bytes);

#endif /* JSON_H */
