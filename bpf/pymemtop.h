/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Everything that the BPF programs and user space share. Includes nothing of either side: the
 * includer provides __u8 .. __u64 (vmlinux.h in BPF, <linux/types.h> in user space).
 */
#ifndef PYMEMTOP_H
#define PYMEMTOP_H

#define MAX_FRAMES	 128	       /* of one stack: the most that --max-frames accepts */
#define MAX_PROCESSES	 4096	       /* at one time, with dead ones whose counts are kept */
#define MAX_IMAGES	 MAX_PROCESSES /* address spaces that are not their parent's */
#define MAX_LAYOUTS	 64	       /* different interpreters in one recording */
#define MAX_CPUS	 1024	       /* whose parts of a per-CPU counter are added up */
#define CODE_GENERATIONS 4096	       /* a power of two; 16 KiB, stays in the L1/L2 cache */
#define CODE_SLOT(code)	 (((code)*0x9e3779b97f4a7c15ULL >> 40) & (CODE_GENERATIONS - 1))
#define COMM_LEN	 16 /* TASK_COMM_LEN */

/* Where the process's id begins in a key: above an address of at most 52 bits, or above the number
 * of a 2 MiB region. MAX_PROCESSES fits in the rest. */
#define PROCESS_KEY_SHIFT 52
#define REGION_KEY_SHIFT  40
_Static_assert(MAX_PROCESSES <= 1 << (64 - PROCESS_KEY_SHIFT), "a process id fits into a key");

/* Above all site numbers: blocks and pages keep a site in 20 bits. */
#define MOST_SITES (1 << 20)

/* Distinct sets of argument places of markers, over all interpreters of a recording. A byte in
 * struct probe_table holds their index. */
#define MAX_MARKERS 256

#define PAGE_SHIFT   12
#define REGION_SHIFT 21
#define REGION_PAGES (1 << (REGION_SHIFT - PAGE_SHIFT))

/* More than is read of a thread state or a frame. */
#define SCRATCH_SIZE 256

/* A field that the version does not have. */
#define NO_FIELD 0xffff

/*
 * Where one CPython version keeps what a frame walk needs: byte offsets, unless noted otherwise.
 * Their origin is in user/target/layouts.h. All are __u16.
 */
struct py_layout {
	/* _PyRuntimeState */
	__u16 runtime_interpreters_head;
	__u16 runtime_interpreters_main;
	__u16 runtime_tstate_current; /* NO_FIELD if the GIL's holder is not kept here */
	__u16 runtime_last_holder;    /* of the GIL, likewise */
	/* PyInterpreterState */
	__u16 interp_gil;      /* points to its GIL: from 3.12 on */
	__u16 gil_last_holder; /* in that */
	__u16 interp_modules;  /* sys.modules */
	__u16 interp_next;
	__u16 interp_threads_head;
	__u16 interp_threads_unique; /* grows with every thread state made */
	/* PyThreadState */
	__u16 tstate_interp;
	__u16 tstate_next;
	__u16 tstate_thread_id;
	__u16 tstate_status;	    /* 32 bits; NO_FIELD before 3.12 */
	__u16 status_bound_shift;   /* the bit that says that the thread ran in it last */
	__u16 status_active_shift;  /* ... that it runs in it now, with the GIL */
	__u16 tstate_frame;	    /* points to the frame, or to the _PyCFrame with it */
	__u16 tstate_size;	    /* bytes from its start that hold all of the above */
	__u16 cframe_current_frame; /* NO_FIELD if the thread state points at the frame */
	/* _PyInterpreterFrame, before 3.11 PyFrameObject */
	__u16 frame_code;
	__u16 frame_previous;
	__u16 frame_instr;	/* a pointer into the bytecode, or an index */
	__u16 frame_owner;	/* 8 bits */
	__u16 frame_size;	/* bytes from its start that hold all of the above */
	__u16 frame_neighbours; /* a caller's frame is rarely further below; 0: anywhere */
	__u16 frame_tags;	/* tag bits in the pointer to the code */
	__u16 instr_is_pointer; /* 1 or 0 */
	__u16 owner_generator;	/* FRAME_OWNED_BY_GENERATOR; NO_FIELD: frames have no owner */
	__u16 owner_skipped;	/* with this owner or above: no Python function's frame */
	__u16 frame_locals;	/* variables, by their index */
	/* PyCodeObject */
	__u16 code_bytecode;	    /* the first instruction */
	__u16 code_first_traceable; /* NO_FIELD: all are */
	__u16 code_first_line;
	__u16 code_filename;
	__u16 code_qualname; /* co_name before 3.11 */
	__u16 code_linetable;
	__u16 line_table;	/* enum line_table */
	__u16 code_local_names; /* co_localsplusnames; before 3.11 co_varnames: no cells */
	/* PyObject, PyBytesObject, PyUnicodeObject */
	__u16 object_type;
	__u16 bytes_size;
	__u16 bytes_data;
	__u16 str_length;
	__u16 str_state;
	__u16 str_kind_shift; /* bits in the state: kind is 3 wide */
	__u16 str_compact_shift;
	__u16 str_ascii_shift;
	__u16 str_ascii_data;	/* characters of a compact ASCII string */
	__u16 str_compact_data; /* ... of any other compact string */
	/* PyTypeObject, and PyHeapTypeObject */
	__u16 type_name;
	__u16 type_cached_keys; /* of its instances' dicts */
	__u16 type_dealloc;
};

/* How a code object encodes its instructions' lines. */
enum line_table {
	LINES_ARE_POSITIONS, /* no table: a frame's position is its line */
	LINES_LNOTAB,	     /* co_lnotab of 3.8 and 3.9 */
	LINES_PEP626,	     /* co_linetable of 3.10, where positions count instructions */
	LINES_LOCATIONS,     /* co_linetable of 3.11 and later */
	LINE_TABLES,
};

enum attribution {
	ATTRIBUTION_FRAMES = 1,
	ATTRIBUTION_USDT = 2,
};

/* Set before the programs are loaded; constants for the verifier. */
struct config {
	__u32 max_frames;
	__u32 max_walk;		 /* frames that a walk passes: a few, on the C stack (3.12 and
				  * later), lie between Python's; the verifier follows each step */
	__u32 cpus;		 /* possible CPUs */
	__u32 sample;		 /* rss: one new page in so many is recorded, for all of them */
	__u32 block_buckets;	 /* in block_table; 0: there is none */
	__u8 has_task_storage;	 /* usable in uprobes, from Linux 5.12 on */
	__u8 has_marker_storage; /* ... and for elements as large as struct marker_stack */
	__u8 use_markers;	 /* some target is attributed by markers */
	__u8 follow_children;
	__u8 follow_execs; /* report what targets and their children execute */
	__u8 watch_execs;  /* ... and what all other processes execute */
	__u8 tell_forks;   /* fork_ring has a reader */
	__u8 is_second;	   /* another mode's programs keep track of the processes */
	__u8 peak;	   /* what sites hold at their process's peak is asked for */
	__u8 idle;	   /* programs return at once, to measure what the probes alone cost */
	__u8 never;	   /* always false, but the compiler cannot know */
};

/* A live heap block; key: process_key(), 0 if the slot is free. Its value has the site in the upper
 * bits, and its size in as many lower ones. */
#define BLOCK_SIZE_BITS 44
struct block_slot {
	__u64 key;
	__u64 block;
};

/* Where a block can be: two neighbouring cache lines. */
#define BUCKET_SLOTS 8
struct block_bucket {
	struct block_slot slots[BUCKET_SLOTS];
};

/* A recorded process: the value for its tgid. */
struct process {
	__u32 id;     /* from 1; all other keys hold this, not the pid. Reused once all of its
		       * counts are folded */
	__u32 parent; /* id of the process that forked it; 0: attached, not forked */
	__u32 image;  /* index of its address space's probe_table, which forked children share */
	__u32 layout; /* index into the layouts, for ATTRIBUTION_FRAMES */
	__u32 attribution;
	__u32 thread_size; /* how far pthread_self() lies below the thread pointer */
	__u64 runtime;	   /* address of _PyRuntime */
	__u64 code_type;   /* of PyCode_Type */
	__u64 attached_ns; /* CLOCK_BOOTTIME; older threads have frames entered before */
};

/* What a probe sits on: allocator functions, by their arguments; CPython's own code_dealloc(); its
 * markers. */
enum probe_kind {
	PROBE_NONE,
	PROBE_FREE,	      /* free, cfree */
	PROBE_MALLOC,	      /* malloc, valloc, pvalloc: (size) */
	PROBE_MEMALIGN,	      /* memalign, aligned_alloc: (alignment, size) */
	PROBE_CALLOC,	      /* (count, size) */
	PROBE_REALLOC,	      /* (old, size) */
	PROBE_REALLOCARRAY,   /* (old, count, size) */
	PROBE_POSIX_MEMALIGN, /* (result, alignment, size) */
	PROBE_MMAP,
	PROBE_MUNMAP,
	PROBE_MREMAP,
	PROBE_MADVISE,
	PROBE_MLOCK,
	PROBE_MLOCK2, /* (address, length, flags) */
	PROBE_BRK,
	PROBE_CODE_DEALLOC,
	PROBE_FINALIZE, /* Py_FinalizeEx: the program has ended */
	PROBE_SWAP,	/* PyThreadState_Swap: the thread runs another interpreter */
	PROBE_LOADED,	/* the dynamic loader has loaded files */
	PROBE_POOL,	/* pymalloc hands out a slot: has a program and a table of its own */
	PROBE_MARKER_ENTRY,
	PROBE_MARKER_RETURN,
	PROBE_MARKER_LINE,
};

/*
 * All entries share one program: each event costs a grace period when the kernel detaches it, and a
 * perf event for each thread of a target. The program finds its probe by address, in a hash that
 * user space makes free of collisions for each address space: slot = address * multiplier >> 54.
 */
#define PROBE_SLOTS			1024
#define PROBE_SLOT(address, multiplier) ((__u64)(address) * (multiplier) >> 54)

struct probe_slots {
	__u64 multiplier;
	__u8 kind[PROBE_SLOTS];	  /* enum probe_kind */
	__u8 marker[PROBE_SLOTS]; /* index of the marker's marker_site */
};

/* While one is in use, user space can make the other, with more probes. */
struct probe_table {
	__u64 current; /* 0 or 1 */
	struct probe_slots of[2];
};

enum lost_cause {
	LOST_BLOCK,   /* more live blocks than --max-blocks */
	LOST_SITE,    /* more sites than --max-sites */
	LOST_CODE,    /* more code objects than their map holds */
	LOST_THREAD,  /* no memory for a thread's state */
	LOST_MAPPING, /* more direct mappings than their maps hold */
	LOST_UNMAP,   /* munmap() failed after its pages were removed from the counts */
	LOST_CALL,    /* a call that never returned (longjmp) */
	LOST_FRAME,   /* a frame or code object that could not be read */
	LOST_NAME,    /* a name or line table that was too long, and was cut */
	LOST_RING,    /* user space did not empty the ring in time */
	LOST_MARKER,  /* a marker whose arguments could not be read */
	LOST_PROCESS, /* more processes than MAX_PROCESSES */
	LOST_PAGE,    /* more regions than --max-regions */
	LOST_POOL,    /* small objects in more pages than --max-pools */
	LOST_RUN,     /* program runs that the kernel skipped, by its own count */
	LOST_CAUSES,
};

enum process_state {
	PROCESS_RUNNING,
	PROCESS_EXITED,
	PROCESS_EXECED,
};

/* The counters of one process, by its id; id 0 means "no process". */
struct process_counters {
	__u32 pid;
	__u32 parent;	     /* id of the process that started it; 0: none recorded */
	__u32 state;	     /* enum process_state */
	char comm[COMM_LEN]; /* at the fork */
	__u32 uid, gid;	     /* effective ones at its end */
	__u32 pad;
	__u64 capabilities;	   /* effective ones at its end */
	__u64 before_bytes;	   /* rss: still resident of what was resident at the first look */
	__u64 shared_before_bytes; /* rss: the same of shared mappings */
	__u64 shared_bytes;	   /* rss: resident in shared mappings, by user space */
	__u64 anon_bytes;	   /* rss: RssAnon at its end */
	/* objects: taken slots, filled in by user space. */
	__u64 small_bytes, small_before_bytes, small_unattributed_bytes;
	__u64 small_seen_ns; /* when they were last seen; 0: never */
	__u64 small_arenas, small_arena_size;
	__u64 populates_begun; /* rss: calls that make pages resident without a fault */
	__u64 populates_ended; /* ... and that have ended */
	/* --peak: what all sites hold, the most of it and when that was, and how often it was more
	 * than ever before. */
	__u64 held_bytes, peak_bytes, peak_ns, peaks;
	__u64 lost[LOST_CAUSES];
};

/* --peak: what a site held before it changed for the first time since a peak of its process. */
struct site_peak {
	__u64 epoch; /* the process's peaks by then, and 1; 0: it has never changed */
	__u64 bytes, count, mapped_bytes, mapped_count;
	__u32 process;
	__u32 pad;
};

/* What one site did since the attach. Read freed before allocated, so that their difference is
 * never negative. */
struct site_counters {
	__u64 freed_bytes;
	__u64 freed_count;
	__u64 unmapped_bytes;
	__u64 unmapped_count;
	__u64 allocated_bytes;
	__u64 allocated_count;
	__u64 mapped_bytes; /* rss: pages of shared mappings */
	__u64 mapped_count;
	__u64 arena_bytes; /* by user space: arenas' part of mapped or resident bytes */
};

/*
 * rss: who first touched each page of a region: a site or PAGE_BEFORE, and flags; or 0 if the page
 * is not known to be resident.
 */
struct page_region {
	__u32 owner[REGION_PAGES];
	__u32 faults; /* so far: shows whether the region has changed meanwhile */
	__u32 pad;
};

#define PAGE_BEFORE MOST_SITES /* resident before its process was recorded; above all sites */
/* Flags. No more than one is set. */
#define PAGE_AWAY   (1u << 31) /* swapped out; its owner gets it back when it is swapped in */
#define PAGE_SHARED (1u << 30) /* of a shared mapping, and counted with those */
#define PAGE_READ \
	(1u << 29) /* its owner has only read it: it counts once it is seen to be shared */
#define PAGE_FLAGS (PAGE_AWAY | PAGE_SHARED | PAGE_READ)

/* Tells the program that reconciles a region what is resident. */
struct page_correction {
	__u64 key;    /* region_key() */
	__u64 faults; /* that the region had when it was read; if it has more, no page is removed */
	__u64 owner;  /* 0: the pages are gone; else they get these flags, and this owner if they
		       * have none */
	__u64 pages[REGION_PAGES / 64];
	__u64 done;  /* set by the program: whether it corrected the region */
	__u64 owned; /* set by the program: pages that then have an owner */
};

/* A pool's header: struct pool_header of CPython's Objects/obmalloc.c (3.8 to 3.11), since then of
 * Include/internal/pycore_obmalloc.h. The slots follow it. */
struct pool_header {
	__u32 count; /* of taken slots */
	__u32 pad;
	__u64 freeblock; /* the first free slot, which points to the next; 0: none */
	__u64 nextpool;
	__u64 prevpool;
	__u32 arena;
	__u32 size_class; /* in steps of 16 bytes, from 0 on */
	__u32 nextoffset; /* of the first slot that was never taken */
	__u32 maxnextoffset;
};

#define MAX_POOL_SIZE 16384 /* 4096 up to 3.9 */
#define SMALLEST_SLOT 16
#define POOL_CLASSES  32 /* up to 512 bytes */

/* objects: the site that last took each slot of a page of pools, by the slot's address; or 0. */
#define POOL_PAGE_SLOTS (4096 / SMALLEST_SLOT)

struct pool_page {
	__u32 site[POOL_PAGE_SLOTS];
};

/* objects: the slots that a site took from pools. */
struct pool_counters {
	__u64 bytes;
	__u64 count;
};

/*
 * Where pymalloc hands out slots in an address space. Like struct probe_table, but larger, as there
 * are some 200 places.
 */
#define POOL_SLOTS		       32768
#define POOL_SLOT(address, multiplier) ((__u64)(address) * (multiplier) >> 49)
/* A place: the words of struct pt_regs that hold the pool's address and the size class that it
 * gets, and an enum pymalloc_step. */
#define MOST_WORD		     31
#define POOL_PLACE(pool, size, step) ((pool) | (size) << 5 | (step) << 10)
#define POOL_WORD(place)	     ((place)&MOST_WORD)
#define SIZE_WORD(place)	     ((place) >> 5 & MOST_WORD)
#define POOL_STEP(place)	     ((place) >> 10 & 7)
#define POOL_TAKEN		     (1 << 15) /* there is a place under that slot */

/*
 * Where a place is in pymalloc_alloc() or allocate_from_new_pool(), Objects/obmalloc.c (3.8 to
 * 3.15). ZF is the flag that the branch tests.
 */
enum pymalloc_step {
	/*
	 * "if (pool != pool->nextpool)": without ZF, pool->freeblock is handed out. With ZF no pool
	 * has a free block, and another step follows.
	 */
	PYMALLOC_TAKES,
	/*
	 * "if (pool->szidx == size)": with ZF, pool->freeblock is handed out, else the pool's first
	 * block.
	 */
	PYMALLOC_OPENS,
	/* A jump instead of that branch, or the instruction that sets the pool's count, for a pool
	 * that never had a size: its first block is handed out. */
	PYMALLOC_OPENS_NEW,
	/*
	 * An object from one of CPython's own free lists is reused, unseen by pymalloc: if its
	 * reference count is 0; if it is a float, which has no GC head in its slot; if it is from
	 * a linked list. Of the latter two, NULL is no object.
	 */
	PYMALLOC_REUSES,
	PYMALLOC_REUSES_FLOAT,
	PYMALLOC_REUSES_LINKED,
};

struct pool_table {
	__u64 multiplier;
	__u64 pool_size; /* bytes */
	__u16 place[POOL_SLOTS];
};

/* What one call of mmap() or mremap() mapped. */
struct mapping {
	__u64 bytes; /* still mapped; the mapping counts until it is 0 */
	__u32 site;
	__u32 process;
};

/*
 * frames: code is the PyCodeObject's address, position the byte offset of the instruction (with
 * LINES_PEP626 its index); generation tells apart objects that lived at the same address.
 * usdt: code is the hash of file and function name, position the line.
 */
struct frame {
	__u64 code;
	__s32 position;
	__u32 generation; /* and the flag FRAME_GENERATOR */
};

#define FRAME_GENERATOR 0x80000000u /* owned by a generator: complete from the start */

enum stack_end {
	STACK_WHOLE,
	STACK_CUT,	  /* deeper than --max-frames */
	STACK_UNREADABLE, /* a frame's memory could not be read */
	STACK_OF_WAITER,  /* a thread without Python, while this is the stack of the one that waits
			   */
	STACK_OF_LIKELY_WAITER, /* ... of which only that is likely: it had the GIL last */
	STACK_BEFORE_ATTACH, /* usdt: outer frames from before the attach, or past MARKER_DEPTH */
};

/* record -- COMMAND: where a process is held. */
enum held_at {
	HELD_AT_EXEC,
	HELD_AT_ENTRY,
};

struct held_record {
	__u32 pid;
	__u32 where; /* enum held_at */
};

enum record_type {
	RECORD_SITE,
	RECORD_CODE,
	RECORD_CODE_PART,
	RECORD_INHERITED_CODE,
	RECORD_LONG_TABLE,
	RECORD_PROCESS,
};

struct record {
	__u32 type;
	__u32 process;
};

enum process_event {
	PROCESS_HAS_FORKED,   /* record.process is the child */
	PROCESS_HAS_ENDED,    /* or executed something else */
	PROCESS_HAS_LOADED,   /* libraries */
	PROCESS_HAS_EXECUTED, /* any process; record.process is the target that it was or that made
			       * it, 0 if none */
};

/* What happened to a process; its counters tell more. */
struct process_record {
	struct record record;
	__u32 pid;
	__u32 event;  /* enum process_event */
	__u32 parent; /* id of the process that forked it, if that is the event */
};

/* A stack seen for the first time. */
struct site_record {
	struct record record;
	__u32 site;
	__u32 namer; /* process whose code objects the frames name; 0: names that hold in all */
	__u16 nframes;
	__u16 end; /* enum stack_end */
	__u32 pad;
	__u64 hash;			 /* its key in the map of sites */
	struct frame frames[MAX_FRAMES]; /* leaf first, nframes of them */
};

/* A code object seen for the first time. Its parts were sent before it. */
struct code_record {
	struct record record;
	__u64 code;
	__u32 generation;
	__s32 first_line;
	__s32 first_traceable; /* byte offset */
	__u32 line_table;      /* enum line_table */
};

/* A forked child's code object that is the same as its parent's. */
struct inherited_code {
	struct record record;
	__u64 code;
	__u32 generation;
	__u32 parent;
};

enum code_part_of {
	PART_FILENAME,
	PART_FUNCTION,
	PART_LINETABLE,
	CODE_PARTS,
};

#define CODE_PART_SIZE	1024
#define CODE_PART_LIMIT (64 * CODE_PART_SIZE) /* of a line table that is sent */
#define CODE_NAME_LIMIT (8 * CODE_PART_SIZE)  /* of a name: PATH_MAX in two-byte characters */

struct code_part {
	struct record record;
	__u64 code;
	__u32 generation;
	__u32 part;   /* enum code_part_of */
	__u32 kind;   /* bytes per character: 1, 2, 4; 0 for UTF-8 and bytes */
	__u32 total;  /* bytes of the whole */
	__u32 offset; /* of this part */
	__u32 size;
	__u8 data[CODE_PART_SIZE];
};

/* A line table that is too long to be sent: user space reads it. Comes in the place of its parts.
 */
struct long_table {
	struct record record;
	__u64 code;
	__u64 address;	    /* of its first byte */
	__u64 size_address; /* of its size, which tells that it is still there */
	__u32 generation;
	__u32 size;
};

/* Where a marker's argument is, from its ELF note. */
enum marker_arg_kind {
	ARG_CONSTANT,
	ARG_REGISTER,
	ARG_MEMORY, /* at register + offset */
};

struct marker_arg {
	__s64 offset; /* or the constant */
	__u16 reg;    /* byte offset in struct pt_regs */
	__u8 kind;    /* enum marker_arg_kind */
	__s8 size;    /* bytes, negative if signed */
	__u32 pad;
};

/* Where a marker's arguments are. */
struct marker_site {
	struct marker_arg file;
	struct marker_arg function;
	struct marker_arg line;
};

#endif /* PYMEMTOP_H */
