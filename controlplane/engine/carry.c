/* SPDX-License-Identifier: BSD-2-Clause */
/* Flows that change over to another engine. */
#include <time.h>
#include "controlplane/engine/body.h"
#include "controlplane/engine/carry_tables.h"

static uint16_t coarse_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint16_t)(((uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec) >>
			  L4_TIME_SHIFT);
}

static struct carry_sizes sized(struct carry_sizes n, uint32_t to, uint32_t from)
{
	n.to = to;
	n.from = from;
	return n;
}

void engine_carry(struct engine *to, const struct engine *from, struct engine_carried *out)
{
	const struct engine_tables *t = &to->tables, *f = &from->tables;
	const struct carry_sizes n = { .now = coarse_now() };
	struct carried records, proxied;

	records = carry_records(t->records, f->records, sized(n, t->n_records, f->n_records));
	proxied = carry_proxied(t->proxied, f->proxied, sized(n, t->n_proxied, f->n_proxied));
	carry_floods(t->floods, f->floods, sized(n, t->n_floods, f->n_floods));
	carry_datagrams(t->datagrams, f->datagrams, sized(n, t->n_datagrams, f->n_datagrams));
	out->flows = records.flows + proxied.flows;
	out->lost = records.lost + proxied.lost;
}
