/* SPDX-License-Identifier: BSD-2-Clause */
/* Secrets in files. */
#ifndef TOKEN_H
#define TOKEN_H

/* Reads --token-file: one line, which only its owner may see. 0 and the token, which the caller
 * frees, or -errno, having said why. */
int token__read(const char *path, char **token);

#endif /* TOKEN_H */
