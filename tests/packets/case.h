/* SPDX-License-Identifier: BSD-2-Clause */
/* Packet cases (README.md): frames in, what must become of them, and what must have been counted. */
#pragma once
#include "dataplane/l4/trace.h"
#include "tests/packets/frame.h"
#include "tests/packets/world.h"

/* A record of a flow, as it is put into the engine's table or expected there. */
struct case_record {
	unsigned line;
	uint8_t state; /* enum l4_record_state */
	bool agrees;
	bool any_seq;	       /* what is expected: `seq` tells nothing */
	unsigned pool, server; /* indices */
	uint16_t time;
	uint32_t seq;
	struct frame flow; /* its hash, 8 bytes, the highest first */
};

enum { CASE_NONE = -1, CASE_SETTLED = -2 };

/* The state of a pool's slots: of all, or of the one that a flow has. */
struct case_slots {
	unsigned pool;
	int owner, base;   /* of the server, CASE_NONE; base: or CASE_SETTLED */
	struct frame flow; /* no bytes: all slots */
};

enum case_step_kind { CASE_FRAME, CASE_NOW, CASE_SLOTS, CASE_RECORD };

struct case_step {
	enum case_step_kind kind;
	unsigned line;
	uint16_t now;		   /* CASE_NOW: coarse time from here on */
	struct case_slots slots;   /* CASE_SLOTS */
	struct case_record record; /* CASE_RECORD */
	/* CASE_FRAME */
	uint32_t in_ifindex;
	struct frame in;
	enum l4_verdict verdict;
	uint32_t out_ifindex; /* 0 unless the verdict sends */
	struct frame out;     /* as `in` unless the verdict sends */
	unsigned n_way;	      /* the stages that tracing is to tell; 0: whichever */
	enum l4_step_kind way[L4_WAY_STEPS];
};

enum case_counter_kind { CASE_SERVICE, CASE_SERVER, CASE_DROPS, CASE_SERVICE_DROPS, CASE_PLACES };

/* A difference over the case. What is not listed must not have changed. */
struct case_counter {
	enum case_counter_kind kind;
	/* Of the service, the server, the address (world_address()), or enum l4_record_place. */
	unsigned index;
	enum l4_verdict reason; /* CASE_DROPS, CASE_SERVICE_DROPS */
	uint64_t packets, bytes;
};

struct packet_case {
	char *name, *source;
	unsigned line;
	struct case_step *steps;
	struct case_counter *counters;
	struct case_record *records; /* that the table holds in the end, and no others */
	unsigned n_steps, n_counters, n_records;
};

struct case_file {
	char *path;
	struct world_file *world;
	struct packet_case *cases;
	unsigned n_cases;
};

/* Returns 0, or a negative errno and a sentence that begins with PATH:LINE. */
int cases_open(struct case_file **out, const char *path, struct err *e);
void cases_close(struct case_file *f);

const char *verdict_name(enum l4_verdict v);
enum l4_action verdict_action(enum l4_verdict v);
/* The name of a stage that tracing tells. */
const char *stage_name(enum l4_step_kind stage);
/* L4_V_COUNT when there is no such verdict. */
enum l4_verdict verdict_find(const char *name);
/* Where a new record was put, by enum l4_record_place. */
const char *place_name(unsigned place);
/* The hash of a flow that a case names by its 8 bytes. */
uint64_t case_hash(const struct frame *flow);
