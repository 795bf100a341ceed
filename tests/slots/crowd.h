/* SPDX-License-Identifier: BSD-2-Clause */
/* The flows that clients may have, one after the other on the same ports: their frames, and how far each has come. */
#pragma once
#include <stddef.h>
#include "dataplane/l4/flow.h"
#include "tests/slots/random.h"
#include "tests/slots/site.h"

enum { FLOWS = 3600, FLOW_FRAME = 80 };

enum flow_stage { FLOW_NONE, FLOW_HANDSHAKE, FLOW_OPEN, FLOW_CLOSING };

/* Why a packet may go elsewhere although its server serves: nothing else excuses it. */
enum flow_excuse {
	EXCUSE_NONE,
	EXCUSE_FELL,	/* its server stopped to serve flows, for a while at least */
	EXCUSE_EVICTED, /* its live confirmed record was evicted from a full bucket, and counted so */
	EXCUSE_HANDSHAKE, /* the record of its SYN was evicted, or found no room */
	EXCUSE_AGAIN, /* the SYN before it left no record: the slot changed hands between the two */
	EXCUSE_GUESSED,	    /* a forged SYN whose sequence number was guessed, and no record yet */
	EXCUSE_FORESTALLED, /* a forged SYN came before its own */
	EXCUSE_CLOSING,	    /* it was ending when a SYN came for its ports: to begin another one */
	EXCUSES
};

extern const char *const excuse_names[EXCUSES];

/* What must stay with one server: a flow, or a client where its affinity is asked for. */
struct life {
	uint8_t place;		 /* where its server is, or SITE_NOWHERE: there is none */
	uint16_t until;		 /* coarse time through which it is alive without another packet */
	uint64_t homed;		 /* the event by which it came there */
	enum flow_excuse excuse; /* for the next packet */
};

enum { HISTORY = 32 };

/* A packet of a flow, as it is shown when the flow has lost its server. */
struct flow_event {
	uint64_t event;
	const char *what;
	uint64_t record, after; /* word `what` of the flow's record before and after it, 0: none */
	uint32_t seq, record_seq;
	uint16_t now;
	bool settled;		     /* its slot was */
	uint8_t owner, base;	     /* places of the slot's */
	uint8_t record_at, after_at; /* of the servers that the records named */
	uint8_t place;		     /* where it went */
};

struct flow {
	uint8_t service, frame_len;
	uint8_t frame[FLOW_FRAME];
	uint64_t hash; /* that chooses slot and record */
	enum flow_stage stage;
	uint32_t syn, next; /* sequence numbers: of the SYN, of the next packet */
	struct life own, *life;
	struct flow_event history[HISTORY];
	uint32_t n_history;
};

struct crowd {
	struct flow flows[FLOWS];
	uint16_t index[1 << 14]; /* flow number + 1 by the low bits of the hash */
};

void crowd_open(struct crowd *f, struct random *r, const uint8_t key[16]);

/* Sets what a TCP packet of the frame has. */
void flow_set_tcp(uint8_t *frame, bool is6, uint8_t flags, uint32_t seq);

/* Another client's frame for the same service, and its hash. */
void flow_stray(const struct flow *like, struct random *r, const uint8_t key[16], struct flow *out);

/* The flow that a record is of, or NULL. */
struct flow *crowd_find(struct crowd *f, uint64_t who, uint64_t what);
