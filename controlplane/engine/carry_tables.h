/* SPDX-License-Identifier: BSD-2-Clause */
/* What one engine knows of flows, copied into the tables of another. Nobody writes the tables that it comes from while the last copy is
 * made, and packets find there what they found here: an entry's bucket follows from its flow's hash.
 *
 * Tables of one size become the same, entry by entry. Where they are of another size entries are placed anew. A record does not have
 * the whole hash: in a larger table it has several buckets that may be its own, and is written into each of them; those that no
 * packet asks for grow old, and in a smaller table the one that was seen last counts. */
#pragma once
#include <stdint.h>
#include "dataplane/l4/datagram.h"
#include "dataplane/l4/flood.h"
#include "dataplane/l4/proxied.h"
#include "dataplane/l4/record.h"

/* Flows that were copied, and those that found no room beside dearer ones, or gave way to them. */
struct carried {
	uint32_t flows, lost;
};

/* How many buckets there are, each a power of two; now: coarse time (dataplane/l4/limit.h). */
struct carry_sizes {
	uint32_t to, from;
	uint16_t now;
};

struct carried carry_records(
	struct l4_record_bucket *to, const struct l4_record_bucket *from, struct carry_sizes n);
struct carried carry_proxied(
	struct l4_proxied_bucket *to, const struct l4_proxied_bucket *from, struct carry_sizes n);
/* Of another size they are left alone: they live for two seconds. */
void carry_datagrams(
	struct l4_datagram_bucket *to, const struct l4_datagram_bucket *from, struct carry_sizes n);
/* n: of services. */
void carry_floods(struct l4_flood *to, const struct l4_flood *from, struct carry_sizes n);
