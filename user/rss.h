/* SPDX-License-Identifier: BSD-2-Clause */
/* Mode rss: which line made the process resident-bigger? */
#ifndef RSS_H
#define RSS_H

#include "source.h"

extern const struct source_type rss_source;

#endif /* RSS_H */
