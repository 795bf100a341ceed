/* SPDX-License-Identifier: BSD-2-Clause */
/* The model: it knows which server every flow has, when it was last seen, and whether that server serves. A packet of a
 * live flow must go where the one before it went, unless that server fell or something on the list of excuses happened
 * to this very flow. */
#pragma once
#include "tests/slots/control.h"
#include "tests/slots/crowd.h"

enum judge_kind {
	JUDGE_SYN,
	JUDGE_SYN_AGAIN,
	JUDGE_ACK, /* the handshake's third packet, or the data behind it */
	JUDGE_DATA,
	JUDGE_FIN,
	JUDGE_RST,
	JUDGE_UDP,
	JUDGE_FORGED,  /* a SYN that is not the client's, with any sequence number */
	JUDGE_GUESSED, /* one whose sequence number is that of the client's next packet */
	JUDGE_FLOOD,   /* one of a flow that does not exist */
	JUDGE_KINDS
};

extern const char *const judge_kinds[JUDGE_KINDS];

/* How far behind its SYN a flow may be when it is seen again. */
enum { JUDGE_WINDOW = 16384 };

enum { JUDGE_LOG = 2000 };

struct judge {
	struct control *control;
	struct crowd *crowd;
	uint16_t now;
	uint64_t event; /* counts packets and changes */
	uint64_t packets[JUDGE_KINDS];
	uint64_t moved[EXCUSES]; /* EXCUSE_NONE: violations */
	uint64_t refused;	 /* packets without a server although their slot has an owner */
	uint64_t took_live;	 /* SYNs for which a live confirmed record was evicted */
	uint64_t kept; /* packets of live flows of tracked slots that went where they should */
	uint64_t places[L4_PLACE_COUNT];
	struct {
		uint64_t event;
		uint16_t now, pool; /* pool: its id, 0: it concerns all */
		char text[72];
	} log[JUDGE_LOG]; /* what was done to the site and its tables, for histories */
	uint64_t n_log;
	const struct flow *victim; /* of the first violation */
};

/* Counts an event and remembers what it was, of which pool (its id; 0: of all). */
uint64_t judge_note(struct judge *j, uint16_t pool, const char *text);

/* Sends a packet of the flow and judges where it goes. Returns 0 or the engine's negative errno; -EPROTO: the packet
 * was neither forwarded nor found without a server. */
int judge_packet(struct judge *j, struct flow *f, enum judge_kind kind, uint32_t seq);

/* A SYN of a flow that is not of the crowd. */
int judge_stray(struct judge *j, const struct flow *f, uint32_t seq);

/* Whether the flow's connection, or its client's flows, are alive. */
bool judge_lives(const struct judge *j, const struct flow *f);

/* Prints the flow's packets, and what was done meanwhile. */
void judge_print(const struct judge *j, const struct flow *f);
