/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a capturing program tells of packets: a record for each leg, the packet as it came and as it leaves. */
#pragma once
#include "dataplane/l4/tables.h"

enum { L4_CAPTURE_BYTES = 2048 }; /* of a frame, a power of two; the rest is not captured */

/* Whom a program reports each packet's end to: nobody, the map `trace` (of runs by hand), tandem_capture. */
enum l4_reports { L4_REPORTS_NOBODY, L4_REPORTS_TRACE, L4_REPORTS_CAPTURE };

enum l4_leg { L4_LEG_IN, L4_LEG_OUT };

/* Which packets are captured: those of an address of ours, or those to and from a server. Zeros: none. */
struct l4_capture_filter {
	uint32_t vip_id;
	uint32_t server_id;
	uint32_t address
		[4]; /* the server's; it sends replies, of which the verdict does not name it */
	uint32_t is6;
};

struct l4_captured {
	uint64_t time_ns; /* CLOCK_MONOTONIC, when the packet came; the same for both legs */
	uint32_t leg;	  /* enum l4_leg */
	uint32_t ifindex; /* that it came in or leaves by */
	struct l4_trace end;
	uint32_t len, captured; /* bytes of the frame, and of those that are here */
	uint32_t pad;
	uint8_t bytes[L4_CAPTURE_BYTES];
};
