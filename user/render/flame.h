/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A flame graph as one SVG file, without anything from elsewhere: boxes above boxes, each as wide
 * as what it weighs. The browser zooms by a click, searches, and turns it upside down.
 */
#ifndef FLAME_H
#define FLAME_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct flame;

enum flame_hue {
	HUE_OWN,     /* the program's own code */
	HUE_LIBRARY, /* warm and cold */
	HUE_OTHER,   /* what is no code: grey */
	HUES,
};

struct flame_box {
	unsigned int depth; /* 0: the lowest, under all others */
	uint64_t start;	    /* where it begins, on the scale of the weights */
	uint64_t weight;
	uint64_t before;    /* in a picture of differences: what it weighed then */
	enum flame_hue hue; /* in others */
	const char *name;   /* UTF-8, any */
	const char *detail; /* what the tooltip says of it beside its weight; "": nothing */
};

/* total: the weight of the whole width. is_bytes: of the weights; else a number of what: "blocks".
 * NULL if memory is short. */
struct flame *flame__new(uint64_t total, bool is_bytes, const char *what);
void flame__free(struct flame *flame);

/* Makes it a picture of differences: red is what has grown, blue what has shrunk. */
void flame__compare(struct flame *flame);

/* Takes a box, with copies of its texts. Returns 1; 0: it is too narrow to be seen, so that what is
 * above it need not be given; or -ENOMEM. */
int flame__add(struct flame *flame, const struct flame_box *box);

/* Writes all. title: what the picture is of; legend: what the colours mean. */
void flame__write(const struct flame *flame, const char *title, const char *legend, FILE *out);

#endif /* FLAME_H */
