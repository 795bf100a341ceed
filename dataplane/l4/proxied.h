/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The record of one connection of a nat service that began with a SYN cookie: the client knows another initial sequence
 * number than the server chose, so what is between them is translated for as long as the connection lives. 32 bytes, four to a
 * bucket, in one table for all processors.
 *
 * `who` is the flow's whole hash; `what` is state:3 time:16 client's window scale:4 server's:4 from its lowest bit on, the
 * service's stable id in its upper half. `shift` is the client's side's sequence number less the server's, or, as long as the
 * server has not answered, the cookie. Processors write as those of records do (record.h): whoever changes more than `what` claims
 * the entry first by an exchange of it for BUSY; a reader that meets a changed entry counts it as another's. */
#pragma once
#include "dataplane/l4/limit.h"
#include "dataplane/l4/record.h"

enum l4_proxied_state {
	L4_PROXIED_EMPTY,
	L4_PROXIED_BUSY,    /* being written */
	L4_PROXIED_ASKED,   /* the server was sent a SYN */
	L4_PROXIED_OPENING, /* it has answered that, and the client has sent nothing since */
	L4_PROXIED_OPEN,
	L4_PROXIED_CLOSING, /* FIN or RST was seen */
};

enum {
	L4_PROXIED_TIME_AT = 3,
	L4_PROXIED_CLIENT_SCALE_AT = 19,
	L4_PROXIED_SERVER_SCALE_AT = 23,
	L4_PROXIED_SERVICE_AT = 32,
	L4_PROXIED_SCALE = 0xf,
	L4_PROXIED_UNSCALED = 0xf, /* as a window scale: windows are not scaled */
};

struct l4_proxied {
	uint64_t who, what;
	uint32_t shift, isn; /* isn: of the client; host order */
	uint32_t idle;	     /* how long the connection may be silent, in coarse time */
	uint32_t pad;
};

enum { L4_BUCKET_PROXIED = 4 };

struct l4_proxied_bucket {
	struct l4_proxied entries[L4_BUCKET_PROXIED];
};

L4_INLINE uint8_t l4_proxied_state(uint64_t what)
{
	return what & 7;
}

L4_INLINE uint16_t l4_proxied_time(uint64_t what)
{
	return (uint16_t)(what >> L4_PROXIED_TIME_AT);
}

L4_INLINE uint32_t l4_proxied_service(uint64_t what)
{
	return (uint32_t)(what >> L4_PROXIED_SERVICE_AT);
}

_Static_assert(sizeof(struct l4_proxied) == 32, "two to a cache line");

/* Whether an entry with this `what` holds no connection any more: another one may take it. */
L4_INLINE bool l4_proxied_is_over(uint64_t what, uint32_t idle, uint16_t now)
{
	uint16_t age = l4_time_since(l4_proxied_time(what), now);

	switch (l4_proxied_state(what)) {
	case L4_PROXIED_EMPTY:
		return true;
	case L4_PROXIED_BUSY:
		return false;
	case L4_PROXIED_ASKED:
	case L4_PROXIED_OPENING:
		return age > L4_EMBRYONIC_AGE;
	case L4_PROXIED_CLOSING:
		return age > L4_CLOSING_AGE;
	default:
		return age > idle;
	}
}
