/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERSION_H
#define VERSION_H

#define PYMEMTOP_VERSION "0.1.0"

#endif /* VERSION_H */
