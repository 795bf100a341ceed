/* SPDX-License-Identifier: BSD-2-Clause */
/* Random changes of slots and of time, as steps that cases have too (flows.h); and of records. */
#pragma once
#include "tests/packets/case.h"

struct churn {
	const struct conf *conf;
	uint64_t state; /* any number: the seed */
	uint16_t now;
	bool *has_table; /* per pool; churn_free() frees it */
};

/* Returns 0 or -ENOMEM. */
int churn_init(struct churn *c, const struct conf *conf, uint64_t seed);
void churn_free(struct churn *c);

/* Returns 0, or a negative errno and a sentence. */
typedef int churn_tell_fn(void *arg, const struct case_step *s, struct err *e);

/* Makes the next change: calls `tell` with each of its steps until that fails, and returns what it returned. */
int churn_next(struct churn *c, churn_tell_fn *tell, void *arg, struct err *e);

/* Fills some buckets of a table of n records with what flows that are never seen may have left there: four of a kind
 * each, so that there is no room for others, or only over theirs. What is in others names other servers from then on. */
void churn_records(struct churn *c, struct l4_record *records, uint32_t n);

/* Fills some buckets of a table of n connections that began with a SYN cookie likewise: live, begun, or left by a writer that
 * died. Now and then all of them are gone, and the floods, of which there are n_floods, have been told. */
void churn_proxied(struct churn *c, struct l4_proxied *proxied, uint32_t n, struct l4_flood *floods,
	uint32_t n_floods);
