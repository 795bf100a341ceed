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

void engine_carry(struct engine *to, const struct engine *from, struct engine_carried *out)
{
	struct engine_tables *t = &to->tables;
	const struct engine_tables *f = &from->tables;
	struct carry_sizes n = { .now = coarse_now(), .merge = to->past.adopted };
	struct carried records, proxied;

	n.to = t->n_records;
	n.from = f->n_records;
	records = carry_records(t->records, f->records, n);
	n.to = t->n_floods;
	n.from = f->n_floods;
	carry_floods(t->floods, f->floods, n);
	n.to = t->n_proxied;
	n.from = f->n_proxied;
	proxied = carry_proxied(t->proxied, f->proxied, n);
	n.to = t->n_datagrams;
	n.from = f->n_datagrams;
	carry_datagrams(t->datagrams, f->datagrams, n);
	out->flows = records.flows + proxied.flows;
	out->lost = records.lost + proxied.lost;
}
