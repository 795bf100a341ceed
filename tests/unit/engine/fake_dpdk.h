/* SPDX-License-Identifier: BSD-2-Clause */
/* The other end of dataplane/dpdk/protocol.h, without packets: a thread that answers, and remembers what it was asked. */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include "dataplane/dpdk/protocol.h"
#include "dataplane/snapshot/snapshot.h"

enum { FAKE_ASKED = 256, FAKE_CONNECTIONS = 16 };

/* What is wrong with answers to one kind of question. */
enum fake_fault {
	FAKE_FINE,
	FAKE_REFUSES, /* with `refusal` */
	FAKE_SHORT,   /* a byte of what belongs to it is missing */
	FAKE_LONG,
	FAKE_OTHER_KIND,
	FAKE_POSITIVE, /* rc */
	FAKE_CLOSES,
	FAKE_SILENT,
	FAKE_MANY_FILES,
};

struct fake_asked {
	uint32_t kind, bank;
	uint64_t after;
	/* Of its file. */
	uint64_t generation;
	uint32_t n_rings, n_chunks, n_guard, guard_first;
	uint32_t n_routes;
	uint32_t first; /* of changes */
	struct l4_capture_filter filter;
};

struct fake_dpdk {
	/* Set before fake_start(). */
	struct protocol_hello hello; /* generation and bank change with those published */
	enum fake_fault fault;
	uint32_t fault_kind;
	unsigned faults; /* so many answers; then all is fine */
	int32_t refusal;
	struct protocol_traced traced;
	uint64_t capture_lost;
	struct protocol_changes
		changes[2]; /* the first part of the list, and the other one if there is more */
	/* Its own. */
	pthread_t thread;
	pthread_mutex_t lock;
	int listener, stop[2];
	int connections[FAKE_CONNECTIONS];
	unsigned n_connections;
	int told; /* the connection that is told, or -1 */
	int generation_file,
		rings_file; /* outlive fake_stop(), as an engine goes on while control planes come and go */
	struct l4_chunk *rings;
	struct fake_asked asked[FAKE_ASKED];
	unsigned n_asked;
};

void fake_init(struct fake_dpdk *f);
void fake_free(struct fake_dpdk *f);

/* Listens at RUN_DIR/dpdk/socket, and answers until it is stopped, which ends its connections. */
void fake_start(struct fake_dpdk *f, const char *run_dir);
void fake_stop(struct fake_dpdk *f);

/* Forgets generations, as a process that has just begun. */
void fake_forget(struct fake_dpdk *f);

/* From now on. */
void fake_set_fault(struct fake_dpdk *f, enum fake_fault fault, uint32_t kind, unsigned n);

/* The i-th question of a kind since fake_clear(). False: there were not so many. */
bool fake_asked(struct fake_dpdk *f, uint32_t kind, unsigned i, struct fake_asked *out);
unsigned fake_count(struct fake_dpdk *f, uint32_t kind);
void fake_clear(struct fake_dpdk *f);

/* Tells the listener; false: there is none. */
bool fake_tell(struct fake_dpdk *f, const struct protocol_told *t, size_t size);
