/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices that frames of an interface come in by where its own stands on others: under a VLAN, or the parts of a bond. There the
 * kernel decides what becomes of frames before a packet socket sees them. */
#pragma once
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include "apps/tandem-dpdk/front.h"

struct lower {
	unsigned front; /* which of them */
	uint32_t ifindex;
	char name[IF_NAMESIZE];
};

struct lowers {
	struct lower
		*list; /* those of a front behind one another; a device may be several fronts' */
	unsigned n;
	bool may_change; /* an interface's own device is none of hardware: parts may come to it, and go */
};

/* Finds those of interfaces, as they are now. Returns 0, or a negative errno and a sentence, and the list is empty. */
int lowers_find(struct lowers *l, const struct front *fronts, unsigned n, struct err *e);
bool lowers_same(const struct lowers *a, const struct lowers *b);
void lowers_free(struct lowers *l);
