/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving up rights, for what runs long. */
#ifndef RIGHTS_H
#define RIGHTS_H

/*
 * Gives up all capabilities but those that recording takes, for good, and for whatever is executed
 * (capabilities(7), no_new_privs); call it while there is one thread. CAP_SYS_ADMIN stays where
 * tracefs has to be mounted for each attach; without it, what recording costs the targets is not
 * known. 0 or -errno, having said why.
 */
int rights__keep_recording(void);

#endif /* RIGHTS_H */
