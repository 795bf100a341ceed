/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a traced packet has to itself. */
#pragma once
#include "dataplane/l4/flood.h"
#include "dataplane/l4/limit.h"
#include "dataplane/l4/proxied.h"
#include "dataplane/l4/trace.h"

struct l4_traced {
	struct l4_way way;
	struct l4_note note;
	struct l4_limit limit;
	struct l4_source_bucket sources;  /* a copy of its source's */
	struct l4_flood flood;		  /* of its service's */
	struct l4_proxied_bucket proxied; /* of its flow's */
};
