/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads the XDP program with its maps, and swaps it in.
 *
 * Every process builds its own tables aside and fills them; what packets use is decided by the program that an
 * interface's pinned link holds, and that is exchanged last. Only counters go from one process' set of maps
 * to the next (and, by value, the neighbours). So a start, a restart and an upgrade are one path, and
 * until its end packets flow by what was there before.
 *
 * Pins, below the bpffs at RUN_DIR/bpf: links (bpf/links.h), and v<L4_TABLES_VERSION>/<map>. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bpf/links.h"
#include "dataplane/l4/tables.h"

struct tandem_bpf;
struct loader;

enum {
	LOADER_MIN_RECORDS = 1024,
	LOADER_MIN_SOURCES = 1024,
	LOADER_MIN_DATAGRAMS = 64,
	LOADER_MIN_PROXIED = 64,
};

struct loader_sizes {
	uint32_t addresses, services, servers; /* the highest ids */
	uint32_t routes, neighbours;
	uint32_t image_lines, ring_chunks;
	uint32_t guard_lines; /* 0: the engine has no lists of sources */
	uint32_t records;     /* rounded up to a power of two, LOADER_MIN_RECORDS or more */
	uint32_t sources;     /* whose rates are known; likewise, LOADER_MIN_SOURCES or more */
	uint32_t datagrams;   /* in fragments, at a time; likewise, LOADER_MIN_DATAGRAMS or more */
	uint32_t
		proxied; /* connections begun by SYN cookies; likewise, LOADER_MIN_PROXIED or more */
};

/* What the process before left, as far as it can be read. */
struct loader_past {
	unsigned links;	     /* interfaces that still run its program, and are served by it */
	uint64_t generation; /* of its last image; 0: unknown */
	bool counters;	     /* its counters are carried on */
	bool other_layout;   /* it used another layout of maps: its counters cannot be carried on */
	struct l4_neighbour *neighbours; /* a copy of its table, or NULL; the loader's */
	uint32_t n_neighbours;
	/* Its last image and the rings that this names, for snapshot_slots_read(); or NULL. */
	struct l4_line *image;
	uint32_t image_lines;
	const struct l4_chunk *rings;
	uint32_t n_chunks;
	/* Its table of records, or of connections begun by SYN cookies, holds some and has another size than asked for: it
	 * is used on as it is. */
	bool records_kept, proxied_kept;
};

/* Whether a kernel of this release ("6.1.0-18-amd64") is one that the program is made for: Linux 6.1 or later. */
bool loader_kernel_is_known(const char *release);

/* Mounts the bpffs, loads program and maps. trace: see bpf/tandem.bpf.c. run_dir NULL: nothing is read, mounted
 * or pinned (for tests and benchmarks). Returns 0; -EPERM; -ENOENT (no bpffs in this kernel); -EOPNOTSUPP (the
 * kernel is too old, or refuses the program); another negative errno. */
int loader_open(
	struct loader **out, const char *run_dir, const struct loader_sizes *sizes, bool trace);
void loader_close(struct loader *l);

const struct loader_past *loader_past(const struct loader *l);
/* Maps and program, for the owner of the tables. */
struct tandem_bpf *loader_bpf(const struct loader *l);

/* The program that packets are traced by (bpf/tandem.bpf.c: tandem_trace), loaded when it is asked for first, over the
 * maps of the attached one; only `traced` is its own. It stays the loader's. Returns 0 or a negative errno. */
int loader_trace(struct loader *l, struct tandem_bpf **out);

/* Bytes of the way from the capturing program to the control plane: some thousands of frames. */
enum { LOADER_CAPTURE_BYTES = 8 << 20 };

struct l4_capture_filter;

/* Exchanges the program of all interfaces for one over the same maps that captures as well, until loader_capture_end();
 * *out has its maps and stays the loader's. Should the process die in between, the capturing program goes on taking
 * packets until the next loader_attach(). Without run_dir it is loaded only. Returns 0; -EBUSY (there is a capture
 * already); another negative errno, and then all is as it was. */
int loader_capture(
	struct loader *l, const struct l4_capture_filter *filter, struct tandem_bpf **out);
/* Puts the program itself back; *out of loader_capture() is gone. Returns 0, or the negative errno of an interface that
 * still captures, for nobody. */
int loader_capture_end(struct loader *l);

/* Makes the image, `lines` lines long, the published generation. When it returns no packet uses the former
 * one. */
int loader_publish(struct loader *l, const struct l4_line *image, uint32_t lines);

/* Enters the interfaces that packets may leave by; loader_attach() does so itself. */
int loader_set_ports(struct loader *l, const uint32_t *ifindexes, unsigned n);

/* Runs the program on these interfaces and no others (see bpf/links.h), then moves the pins. On error every
 * interface is as it was. */
int loader_attach(struct loader *l, const uint32_t *ifindexes, unsigned n, enum links_mode mode,
	struct links_report *report);

/* Has packets pass to whoever stands behind the program, and returns when none is under way in it, until loader_resume(): generations
 * that are published meanwhile wait for that. */
int loader_yield(struct loader *l);
int loader_resume(struct loader *l);
/* Until then whoever stands behind can have the program take packets again when this process has ended (serving_take_back()). Returns 0 or a
 * negative errno. */
int loader_cede(const struct loader *l);

/* How many interfaces run a program of any process below run_dir, or a negative errno. */
int loader_links(const char *run_dir);

/* Removes links, maps and the bpffs below run_dir. Returns how many interfaces were freed, or a negative
 * errno. */
int loader_detach(const char *run_dir);
