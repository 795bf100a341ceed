/* SPDX-License-Identifier: BSD-2-Clause */
/* A site whose servers come, go, fail and are drained at random: what the control plane would be told. */
#pragma once
#include "tests/packets/body.h"
#include "tests/slots/random.h"

enum {
	SITE_POOLS = 5,
	SITE_PLACES = 14, /* for servers, in each pool */
	SITE_SERVICES = 9,
	SITE_IDS =
		4000, /* of servers; given anew when all were given, long after the first have gone */
	SITE_FRONT = 11, /* ifindex that clients' packets come in by */
	SITE_BACK = 12,
};

struct site_service {
	const char *name;
	uint8_t pool, protocol;
	bool is6, nat, track_all, client;
	uint32_t idle_s;
};

extern const struct site_service site_services[SITE_SERVICES];

/* Where a server may be: an address of a pool. */
struct site_place {
	uint16_t id;	 /* of the server that is there now; 0: none */
	uint16_t weight; /* as configured, 1 or more */
	bool drain, maint, down;
	bool lost;     /* it did not serve flows at some time since the last publish */
	uint64_t fell; /* the event by which it last stopped to serve the flows that it had */
};

struct site {
	struct site_place places[SITE_POOLS][SITE_PLACES];
	uint8_t place_of[SITE_IDS + 1]; /* by server id: where it is or was last */
	uint16_t last_id;
	uint8_t fallen;	  /* the place that fell last, or SITE_NOWHERE: it may come back at once */
	uint64_t version; /* counts changes */
	/* What the engine is opened with. */
	struct world world;
	struct conf conf;
	/* What is published. */
	struct snapshot_input input;
	struct snapshot_pool pools[SITE_POOLS];
	struct snapshot_member members[SITE_POOLS * SITE_PLACES];
};

/* The number of a place, by which packets tell where they went: it is the end of its MAC address. */
enum { SITE_NOWHERE = 0xff };

static inline uint8_t site_place_number(unsigned pool, unsigned place)
{
	return (uint8_t)(pool * SITE_PLACES + place);
}

/* A few servers in every pool. records: limits.records. Returns 0 or -ENOMEM. */
int site_open(struct site *s, struct random *r, uint32_t records);
void site_close(struct site *s);

/* A server at every place, of equal weight. */
void site_fill(struct site *s, struct random *r);

/* Changes something; event: the number that it has, for `fell`. Says what in text; returns the id of the pool. */
uint16_t site_change(struct site *s, struct random *r, uint64_t event, char *text, size_t size);

/* Fills in s->input as things are; the pools' slots are left alone. */
void site_describe(struct site *s);

/* A generation was published at the event: flows of servers that were down meanwhile have lost them by now. */
void site_published(struct site *s, uint64_t event);

bool site_serves(const struct site_place *p);
struct site_place *site_place(struct site *s, uint8_t number);
/* Where the server with the id is or was; SITE_NOWHERE for none. */
uint8_t site_find(const struct site *s, uint16_t id);

/* The virtual address that clients of the family ask for, and a service's port. */
void site_vip(bool is6, uint8_t out[16]);
uint16_t site_port(unsigned service);
