/* SPDX-License-Identifier: BSD-2-Clause */
/* The loaded engine of a configuration, with the benchmark's programs around its packet function. */
#pragma once
#include "tests/bench/xdp/site.h"

struct bench_bpf;
struct engine;

struct bed {
	struct site_world *site;
	struct engine *engine;
	struct bench_bpf *bpf; /* on the engine's maps */
	unsigned instructions; /* of the packet function, as the kernel runs it */
};

/* Makes the interfaces that all beds use, in a network namespace of the calling process' own. */
int bed_make_links(struct err *e);

/* Opens and publishes. Fails when the packet function of the benchmark's programs is not the attached program's.
 * Returns 0 or a negative errno and a sentence. */
int bed_open(struct bed *b, enum bench_site site, struct err *e);
void bed_close(struct bed *b);
