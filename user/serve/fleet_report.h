/* SPDX-License-Identifier: BSD-2-Clause */
/* What fleet has found, for people and as json. */
#ifndef FLEET_REPORT_H
#define FLEET_REPORT_H

#include "serve/fleet.h"

/* 0 or -ENOMEM; the caller checks the stream. */
int fleet_report__text(const struct fleet *fleet, FILE *out);
int fleet_report__json(const struct fleet *fleet, FILE *out);

/* The same of what is different between two times; top: how many. */
int fleet_report__changes_text(const struct fleet_changes *changes, size_t top, FILE *out);
int fleet_report__changes_json(const struct fleet_changes *changes, size_t top, FILE *out);

#endif /* FLEET_REPORT_H */
