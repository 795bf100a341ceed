/* SPDX-License-Identifier: BSD-2-Clause */
/* An image in the making: what image.c and services.c, which build it, share. */
#pragma once
#include "dataplane/snapshot/guard.h"
#include "dataplane/snapshot/ports.h"
#include "dataplane/snapshot/rings.h"

struct image {
	const struct snapshot_input *in;
	const uint32_t *neighbours;
	struct ring_store *store;
	const struct guard_store *guard; /* NULL: no lists */
	struct l4_line *lines;
	uint32_t used, max;
	struct ring **rings;	/* per pool */
	uint32_t *member_lines; /* per pool: line of its first member */
	bool *pool_serves;	/* per pool: some member has weight */
	bool *pool_quic;	/* per pool: some service looks for server ids */
	uint32_t *rows;		/* lines of the rows to be indexed */
	uint32_t n_rows;
	uint32_t max_server, max_pool; /* ids */
	uint16_t *index_of;	       /* of a server id in its pool, L4_SLOT_NONE elsewhere */
	uint32_t address_base;	       /* line of the first address */
	uint32_t coarse[2];	       /* lines where the coarse filters of IPv4 and IPv6 begin */
	/* Ranges of ports: of VIPs, and of servers of nat services. */
	struct ports_range *taken, *replies;
	uint32_t n_taken, n_replies;
	const char *what;
};

/* Takes n zeroed lines; 0 when the image is full, and then `what` says of what. */
uint32_t image_take(struct image *im, uint32_t n, const char *what);

/* Takes a line for a row that is to be indexed; NULL when the image is full. */
struct l4_line *image_row(struct image *im, const char *what);

/* port: host order. kind: enum l4_kind; that of the family is added. */
void image_key(struct l4_key *k, uint8_t af, const uint8_t *bytes, uint16_t port, uint8_t protocol,
	uint8_t kind);

/* In how many places a service is found: its ports and ranges. */
uint32_t image_places(const struct snapshot_service *s);

/* The rows of all services, of their guards, ports and replies; when those of addresses and pools stand. Returns 0 or
 * -errno. */
int image_services(struct image *im);
