/* SPDX-License-Identifier: BSD-2-Clause */
/* Both ends of TCP connections to services with SYN cookies: they hear what an engine sends them, and answer it, mostly as they
 * should. */
#pragma once
#include "tests/packets/frame.h"
#include "tests/packets/world.h"

/* Segments that may be answered yet, some of them twice; and how much of each is kept. */
enum { PEERS_HEARD = 64, PEERS_KEPT = 104 };

/* A segment as it left. */
struct peers_heard {
	uint32_t ifindex;
	size_t l3, l4; /* where its headers begin; l4 0: none was heard yet */
	bool is6;
	unsigned data; /* bytes of it */
	uint8_t bytes[PEERS_KEPT];
};

struct peers {
	struct peers_heard heard[PEERS_HEARD];
	unsigned next;
};

/* A frame that an engine sent by the interface: noted where somebody of a service with SYN cookies gets it. */
void peers_hear(
	struct peers *p, const struct conf *c, uint32_t ifindex, const uint8_t *frame, size_t len);

/* Whether a frame that comes in may be another segment by the time that it is found that it cannot go on. */
bool peers_may_be_rewritten(const struct conf *c, const uint8_t *frame, size_t len);

/* Makes the answer to one of those that were heard, as a whole frame, and says where it comes in; false: there is none. *state is
 * that of random.h. */
bool peers_answer(struct peers *p, uint64_t *state, uint32_t *ifindex, struct frame *f);

/* Appends the header of a SYN, with options. */
void peers_put_syn(uint64_t *state, struct frame *f, unsigned sport, unsigned dport, uint32_t seq);
