/* SPDX-License-Identifier: BSD-2-Clause */
/* Random frames for a world: most nearly valid, many damaged. */
#pragma once
#include "tests/packets/frame.h"
#include "tests/packets/peers.h"
#include "tests/packets/world.h"

/* Few enough to come again and meet what they left. */
enum { GENERATED_FLOWS = 512 };

struct generated_flow {
	const struct conf_service *service; /* NULL: none yet */
	struct addr client;
	unsigned port, dport;
	uint32_t seq; /* of its SYN */
};

/* A packet that comes in fragments; few at a time, since time goes on. */
struct generated_datagram {
	struct addr source, target; /* af 0: none yet */
	uint8_t protocol;
	unsigned sport, dport;
	unsigned id;
	unsigned end; /* of what came in order, in units of 8 bytes */
};

enum { GENERATED_DATAGRAMS = 4 };

struct generator {
	const struct world_file *world; /* with at least one service */
	uint64_t state;			/* any number: the seed */
	struct generated_flow flows[GENERATED_FLOWS];
	struct generated_datagram datagrams[GENERATED_DATAGRAMS];
	struct peers peers;
};

/* Makes the next frame, of at least 14 bytes, and says on which interface it arrives. The same seed, and the same frames
 * heard, give the same frames. */
void generate(struct generator *g, uint32_t *ifindex, struct frame *f);

/* Tells of a frame that an engine has sent by the interface. Whoever gets it may answer. */
void generate_heard(struct generator *g, uint32_t ifindex, const uint8_t *frame, size_t len);
