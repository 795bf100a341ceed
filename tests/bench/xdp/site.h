/* SPDX-License-Identifier: BSD-2-Clause */
/* The configurations that cases run in (cases.h): text as an operator would write it, and what a kernel would
 * say about it. */
#pragma once
#include "controlplane/base/err.h"
#include "tests/bench/xdp/cases.h"
#include "tests/packets/body.h"

enum { SITE_FRONT = 11, SITE_BACK = 12 }; /* ifindexes */
enum { SITE_SPREAD_SERVICES = 500, SITE_FIRST_PORT = 1000, SITE_CASE_PORT = 20000 };

extern const uint8_t site_front_mac[6], site_back_mac[6];
extern const char site_vip4[], site_vip6[], site_spread_vip4[];

struct site_world {
	struct world world; /* points into what follows */
	struct conf *conf;
	struct host_link links[2];
	struct host_route *routes;
	struct host_neighbour *neighbours;
};

/* Returns 0, or a negative errno and a sentence. */
int site_open(struct site_world **out, enum bench_site site, struct err *e);
void site_close(struct site_world *w);

/* The first server of a case's own pool. */
const struct conf_server *site_case_server(const struct site_world *w, const struct bench_case *c);
