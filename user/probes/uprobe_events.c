// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/procfs.h"
#include "probes/keeper.h"
#include "probes/perf_event.h"
#include "probes/uprobe_events.h"

/* uapi/linux/mount.h of 5.2; only glibc 2.36 and later have it */
#define FSCONFIG_CMD_CREATE 6

#define GROUP_PREFIX "pymemtop_"

struct place {
	dev_t device;
	ino_t inode;
	uint64_t offset;
};

struct probe {
	char name[32];
	unsigned long id; /* of the event */
	struct bpf_link *link;
	struct place *places;
	size_t nplaces;
};

/* An open perf event, which tasks of the image inherit. */
struct event {
	int fd;
	__u32 image;
};

struct uprobe_events {
	int tracefs;	 /* in a mount that only we see */
	int definitions; /* uprobe_events */
	char group[64];
	struct probe *probes;
	size_t nprobes;
	struct event *events;
	size_t nevents, event_room;
	struct keeper *keeper;
};

/*
 * Opens a mount of tracefs that is attached nowhere: it needs no /sys/kernel/tracing, which
 * containers lack, and leaves nothing behind. Before Linux 5.2, opens the usual place.
 */
static int open_tracefs(void)
{
	int context = syscall(SYS_fsopen, "tracefs", 1 /* FSOPEN_CLOEXEC */);
	int mount = -1;

	if (context >= 0) {
		if (!syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
			mount = syscall(SYS_fsmount, context, 1 /* FSMOUNT_CLOEXEC */, 0);
		close(context);
	}
	if (mount < 0)
		mount = open("/sys/kernel/tracing", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return mount;
}

static int define(struct uprobe_events *probes, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Writes one line to uprobe_events. */
static int define(struct uprobe_events *probes, const char *format, ...)
{
	char line[256];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (length >= (int)sizeof(line))
		return -ENAMETOOLONG;
	return write(probes->definitions, line, length) == length ? 0 : -errno;
}

/* Removes the definitions of a killed pymemtop: they do nothing any more, but are still listed. */
static void remove_stale(struct uprobe_events *probes)
{
	int fd = openat(probes->tracefs, "uprobe_events", O_RDONLY | O_CLOEXEC), pid;
	auto_fclose FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char line[512], group[64], name[32];

	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*c:%63[^/]/%31s", group, name) == 2 &&
		    sscanf(group, GROUP_PREFIX "%d", &pid) == 1 && !proc_exists(pid))
			define(probes, "-:%s/%s", group, name);
	}
}

int uprobe_events__new(const char *name, struct keeper *keeper, struct uprobe_events **result)
{
	struct uprobe_events *probes = calloc(1, sizeof(*probes));

	if (!probes)
		return -ENOMEM;
	probes->keeper = keeper;
	probes->definitions = -1;
	probes->tracefs = open_tracefs();
	if (probes->tracefs >= 0)
		probes->definitions =
			openat(probes->tracefs, "uprobe_events", O_WRONLY | O_APPEND | O_CLOEXEC);
	if (probes->definitions < 0) {
		int err = -errno;

		log_error("tracefs has no uprobe_events: %s; the kernel needs "
			  "CONFIG_UPROBE_EVENTS, and pymemtop CAP_SYS_ADMIN where tracefs is not "
			  "mounted: mount -t tracefs tracefs /sys/kernel/tracing",
			  strerror(-err));
		uprobe_events__free(probes);
		return err;
	}
	snprintf(probes->group, sizeof(probes->group), GROUP_PREFIX "%d_%s", getpid(), name);
	remove_stale(probes);
	*result = probes;
	return 0;
}

static void *detach(void *link)
{
	bpf_link__destroy(link);
	return NULL;
}

/* Each detach takes the kernel a tenth of a second, to wait for programs that may still run; so do
 * all at once. */
static void detach_all(struct uprobe_events *probes)
{
	pthread_t threads[probes->nprobes + 1];
	bool running[probes->nprobes + 1];
	size_t i;

	for (i = 0; i < probes->nprobes; i++) {
		running[i] = !pthread_create(&threads[i], NULL, detach, probes->probes[i].link);
		if (!running[i])
			detach(probes->probes[i].link);
	}
	for (i = 0; i < probes->nprobes; i++) {
		if (running[i])
			pthread_join(threads[i], NULL);
	}
}

void uprobe_events__pause(struct uprobe_events *probes)
{
	size_t i;

	for (i = 0; i < probes->nprobes; i++)
		keeper__remove(probes->keeper, probes->probes[i].id);
	/* Returns were opened first, and are closed last: a call that is seen to begin also ends.
	 */
	while (probes->nevents)
		close(probes->events[--probes->nevents].fd);
}

void uprobe_events__free(struct uprobe_events *probes)
{
	size_t i;

	if (!probes)
		return;
	uprobe_events__pause(probes);
	detach_all(probes);
	for (i = 0; i < probes->nprobes; i++) {
		if (define(probes, "-:%s/%s", probes->group, probes->probes[i].name))
			log_detail("the definition of %s/%s stays: %s", probes->group,
				   probes->probes[i].name, strerror(errno));
		free(probes->probes[i].places);
	}
	free(probes->events);
	free(probes->probes);
	if (probes->definitions >= 0)
		close(probes->definitions);
	if (probes->tracefs >= 0)
		close(probes->tracefs);
	free(probes);
}

static struct probe *find_probe(const struct uprobe_events *probes, const char *name)
{
	size_t i;

	for (i = 0; i < probes->nprobes; i++) {
		if (!strcmp(probes->probes[i].name, name))
			return &probes->probes[i];
	}
	return NULL;
}

static int read_event_id(struct uprobe_events *probes, struct probe *probe)
{
	auto_fclose FILE *file = NULL;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "events/%s/%s/id", probes->group, probe->name);
	fd = openat(probes->tracefs, path, O_RDONLY | O_CLOEXEC);
	file = fd < 0 ? NULL : fdopen(fd, "r");
	if (!file)
		return -errno;
	return fscanf(file, "%lu", &probe->id) == 1 ? 0 : -EIO;
}

static struct probe *add_probe(struct uprobe_events *probes, const char *name)
{
	struct probe *more = reallocarray(probes->probes, probes->nprobes + 1, sizeof(*more));

	if (!more)
		return NULL;
	probes->probes = more;
	more += probes->nprobes++;
	memset(more, 0, sizeof(*more));
	snprintf(more->name, sizeof(more->name), "%s", name);
	return more;
}

static bool has_place(const struct probe *probe, const struct place *place)
{
	size_t i;

	for (i = 0; i < probe->nplaces; i++) {
		if (probe->places[i].device == place->device &&
		    probe->places[i].inode == place->inode &&
		    probe->places[i].offset == place->offset)
			return true;
	}
	return false;
}

/* Remembers the place. 1 if it is new, 0 if not, or -ENOMEM. */
static int note_place(struct probe *probe, const struct place *place)
{
	struct place *more;

	if (has_place(probe, place))
		return 0;
	more = reallocarray(probe->places, probe->nplaces + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	probe->places = more;
	more[probe->nplaces++] = *place;
	return 1;
}

/* Identifies a place. 0 or -errno. */
static int place_of(int fd, uint64_t offset, struct place *place)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	*place = (struct place){.device = st.st_dev, .inode = st.st_ino, .offset = offset};
	return 0;
}

bool uprobe_events__has(const struct uprobe_events *probes, const char *name, int fd,
			uint64_t offset)
{
	const struct probe *probe = find_probe(probes, name);
	struct place place = {0};

	return probe && !place_of(fd, offset, &place) && has_place(probe, &place);
}

int uprobe_events__add(struct uprobe_events *probes, const char *name, bool is_return, int fd,
		       uint64_t offset, uint64_t semaphore)
{
	char counter[32] = "";
	struct place place = {0};
	struct probe *probe;
	int err = place_of(fd, offset, &place);

	if (err)
		return err;
	probe = find_probe(probes, name);
	if (!probe)
		probe = add_probe(probes, name);
	if (!probe)
		return -ENOMEM;
	err = note_place(probe, &place);
	if (err <= 0)
		return err;
	if (semaphore)
		snprintf(counter, sizeof(counter), "(0x%" PRIx64 ")", semaphore);
	/* By descriptor, as a path could hold blanks, or name another file by now. */
	err = define(probes, "%c:%s/%s /proc/self/fd/%d:0x%" PRIx64 "%s", is_return ? 'r' : 'p',
		     probes->group, name, fd, offset, counter);
	if (!err && probe->nplaces == 1)
		err = read_event_id(probes, probe);
	if (err) {
		log_error("no uprobe can be put at offset 0x%" PRIx64 " for %s: %s", offset, name,
			  strerror(-err));
		probe->nplaces--;
	}
	return err;
}

int uprobe_events__attach(struct uprobe_events *probes, const char *name,
			  const struct bpf_program *program, pid_t pid)
{
	struct probe *probe = find_probe(probes, name);
	int anchor, err;

	if (!probe || !probe->nplaces)
		return 0;
	anchor = perf_event__open_own(probe->id, pid);
	if (anchor < 0) {
		log_error("the probe %s cannot be opened on process %d: %s", name, pid,
			  strerror(-anchor));
		return anchor;
	}
	probe->link = bpf_program__attach_perf_event(program, anchor);
	err = libbpf_get_error(probe->link);
	if (err) {
		probe->link = NULL;
		close(anchor);
		log_error("the BPF program for %s cannot be attached: %s", name, strerror(-err));
	}
	return err;
}

static int keep_event(struct uprobe_events *probes, int fd, __u32 image)
{
	struct event *more;

	if (probes->nevents == probes->event_room) {
		more = reallocarray(probes->events, probes->nevents + 64, sizeof(*more));
		if (!more) {
			close(fd);
			return -ENOMEM;
		}
		probes->events = more;
		probes->event_room = probes->nevents + 64;
	}
	probes->events[probes->nevents++] = (struct event){fd, image};
	return 0;
}

static int watch_thread(struct uprobe_events *probes, pid_t thread, __u32 image, bool follow)
{
	size_t i;
	int fd, err;

	for (i = 0; i < probes->nprobes; i++) {
		if (!probes->probes[i].link)
			continue;
		fd = perf_event__open_inherited(probes->probes[i].id, thread, follow);
		if (fd < 0)
			return fd;
		err = keep_event(probes, fd, image);
		if (err)
			return err;
	}
	return 0;
}

static bool is_in(const pid_t *threads, size_t n, pid_t thread)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (threads[i] == thread)
			return true;
	}
	return false;
}

void uprobe_events__forget(struct uprobe_events *probes, __u32 image)
{
	size_t i, n = 0;

	for (i = 0; i < probes->nevents; i++) {
		if (probes->events[i].image == image)
			close(probes->events[i].fd);
		else
			probes->events[n++] = probes->events[i];
	}
	probes->nevents = n;
}

/*
 * Threads come and go meanwhile. One whose maker was not watched yet shows up in the next listing,
 * so repeat until a listing brings nothing new.
 */
int uprobe_events__watch(struct uprobe_events *probes, pid_t pid, __u32 process, __u32 image,
			 bool follow)
{
	pid_t *seen = NULL, *threads;
	size_t nseen = 0, n, i;
	bool any;
	int err;

	do {
		any = false;
		threads = proc_threads(pid, &n);
		err = threads ? 0 : -errno;
		for (i = 0; threads && !err && i < n; i++) {
			if (is_in(seen, nseen, threads[i]))
				continue;
			any = true;
			err = watch_thread(probes, threads[i], image, follow);
			if (err == -ESRCH)
				err = 0; /* the thread has ended */
		}
		free(seen);
		seen = threads;
		nseen = n;
	} while (!err && any);
	free(seen);
	for (i = 0; !err && i < probes->nprobes; i++) {
		if (probes->probes[i].link)
			err = keeper__hold(probes->keeper, pid, process, probes->probes[i].id);
	}
	if (err)
		log_error("process %d cannot be watched: %s%s", pid, strerror(-err),
			  err == -EMFILE ? "; it has too many threads for the limit on open files"
					 : "");
	return err;
}
