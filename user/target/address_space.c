// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>

#include "base/cleanup.h"
#include "target/address_space.h"
#include "target/core_file.h"

int address_space__read(struct address_space space, uint64_t address, void *to, size_t size)
{
	return space.core ? core_file__read(space.core, address, to, size)
			  : proc_read(space.pid, address, to, size);
}

/* Reads one remote piece into the local ones, from where *used of them are filled. */
static int read_piece(struct core_file *core, const struct iovec *remote,
		      const struct iovec **local, size_t *used)
{
	uint64_t address = (uintptr_t)remote->iov_base;
	size_t left = remote->iov_len, n;
	int err = 0;

	while (!err && left) {
		n = (*local)->iov_len - *used;
		n = left < n ? left : n;
		err = core_file__read(core, address, (char *)(*local)->iov_base + *used, n);
		address += n;
		left -= n;
		*used += n;
		if (*used == (*local)->iov_len) {
			(*local)++;
			*used = 0;
		}
	}
	return err;
}

ssize_t address_space__readv(struct address_space space, const struct iovec *local, size_t nlocal,
			     const struct iovec *remote, size_t nremote)
{
	ssize_t total = 0;
	size_t used = 0, i;

	if (!space.core)
		return process_vm_readv(space.pid, local, nlocal, remote, nremote, 0);
	for (i = 0; i < nremote; i++) {
		if (read_piece(space.core, &remote[i], &local, &used))
			break;
		total += remote[i].iov_len;
	}
	if (!total && nremote) {
		errno = EFAULT;
		return -1;
	}
	return total;
}

int address_space__read_pieces(struct address_space space, const struct iovec *local,
			       const struct iovec *remote, size_t n, bool *done)
{
	size_t at = 0, left;
	ssize_t got;

	while (at < n) {
		got = address_space__readv(space, local + at, n - at, remote + at, n - at);
		if (got < 0 && errno != EFAULT)
			return -errno;
		left = got < 0 ? 0 : got;
		while (at < n && left >= remote[at].iov_len) {
			left -= remote[at].iov_len;
			done[at++] = true;
		}
		if (at < n)
			done[at++] = false;
	}
	return 0;
}

int address_space__visit_maps(struct address_space space,
			      int (*visit)(void *context, const struct proc_map *map),
			      void *context)
{
	auto_fclose FILE *maps = NULL;
	struct proc_map map;
	size_t i;
	int err = 0;

	if (space.core) {
		for (i = 0; !err && core_file__map(space.core, i, &map); i++)
			err = visit(context, &map);
		return err;
	}
	maps = proc_maps__open(space.pid);
	if (!maps)
		return -errno;
	while (!err && proc_maps__next(maps, &map))
		err = visit(context, &map);
	return err;
}

int address_space__open_file(struct address_space space, const struct proc_map *map)
{
	return space.core ? core_file__open_file(space.core, map)
			  : proc_map__open_file(space.pid, map);
}
