/* SPDX-License-Identifier: BSD-2-Clause */
/* From prefixes of a list to the addresses where its answer changes. */
#pragma once
#include "dataplane/snapshot/snapshot.h"

/* An address of either family as a number. */
__extension__ typedef unsigned __int128 address_number;

struct changes {
	bool denies;	    /* what holds before the first one, and where no prefix does */
	uint32_t n;	    /* 0: everywhere */
	address_number *at; /* sorted; each makes the answer the other one */
};

/* Of one family. Returns 0, or -ENOMEM; to be freed with changes_free(). */
int changes_new(struct changes *c, const struct snapshot_list *list, uint8_t af);
void changes_free(struct changes *c);

/* The first and the last address of a prefix. */
address_number prefix_first(const struct snapshot_prefix *p);
address_number prefix_last(const struct snapshot_prefix *p);
