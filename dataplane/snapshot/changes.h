/* SPDX-License-Identifier: BSD-2-Clause */
/* From prefixes, of which the longest decides, to the addresses where the answer changes. Pure. */
#pragma once
#include "dataplane/snapshot/snapshot.h"

/* An address of either family as a number. */
__extension__ typedef unsigned __int128 address_number;

/* A prefix, and what it says of the addresses that it holds. */
struct span {
	address_number first;
	uint32_t answer;
	uint8_t plen;
};

/* bytes: of which those behind the first plen bits are ignored; in network order, IPv4 in the first four. */
struct span span_of(uint8_t af, const uint8_t bytes[16], uint8_t plen, uint32_t answer);
/* The last address that it holds. */
address_number span_last(const struct span *s, uint8_t af);

struct changes {
	uint32_t otherwise; /* what holds before the first one, and where no prefix does */
	uint32_t n;	    /* 0: everywhere */
	address_number *at; /* sorted */
	uint32_t *answers;  /* from there on; none is the one before it */
};

/* spans: of one family, sorted by their first address, where that is the same the shorter first; none is there twice, and of
 * two equal prefixes with different answers the last decides. Returns 0, or -ENOMEM; to be freed with changes_free(). */
int changes_new(
	struct changes *c, uint8_t af, const struct span *spans, uint32_t n, uint32_t otherwise);
void changes_free(struct changes *c);

/* The same of a list of sources: the answers are 1, denied, and 0, so that each makes it the other one. */
int changes_of_list(struct changes *c, uint8_t af, const struct snapshot_list *list);
