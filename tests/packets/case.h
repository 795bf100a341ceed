/* SPDX-License-Identifier: BSD-2-Clause */
/* Packet cases (README.md): frames in, what must become of them, and what must have been counted. */
#pragma once
#include "tests/packets/frame.h"
#include "tests/packets/world.h"

struct case_step {
	unsigned line;
	uint32_t in_ifindex;
	struct frame in;
	enum l4_verdict verdict;
	uint32_t out_ifindex; /* 0 unless the verdict sends */
	struct frame out;     /* as `in` unless the verdict sends */
};

enum case_counter_kind { CASE_SERVICE, CASE_SERVER, CASE_DROPS };

/* A difference over the case. What is not listed must not have changed. */
struct case_counter {
	enum case_counter_kind kind;
	unsigned index;		/* of the service, the server, or the address (world_address()) */
	enum l4_verdict reason; /* CASE_DROPS */
	uint64_t packets, bytes;
};

struct packet_case {
	char *name, *source;
	unsigned line;
	struct case_step *steps;
	struct case_counter *counters;
	unsigned n_steps, n_counters;
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
/* L4_V_COUNT when there is no such verdict. */
enum l4_verdict verdict_find(const char *name);
