/* SPDX-License-Identifier: BSD-2-Clause */
/* A packet engine under test: the native build of the stages, the loaded XDP program, a worker of the DPDK engine. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "controlplane/base/err.h"
#include "controlplane/conf/conf.h"
#include "controlplane/engine/engine.h"
#include "controlplane/host/host.h"
#include "dataplane/l4/flood.h"
#include "dataplane/l4/proxied.h"
#include "dataplane/l4/record.h"
#include "dataplane/l4/verdict.h"
#include "dataplane/snapshot/read.h"

#define BODY_FRAME_MAX 2048

/* What the engine is told: a configuration and what a kernel would say. Frames arrive on and leave by links, or the
 * devices that those stand on. All pointers are owned by the caller and outlive the body. */
struct world {
	const struct conf *conf;
	const struct host_link
		*links; /* one per configured interface, in the order of conf->interfaces */
	const struct host_stack
		*stacks; /* what each stands on; NULL: they are devices themselves */
	unsigned n_links;
	const struct host_route *routes;
	unsigned n_routes;
	const struct host_neighbour *neighbours;
	unsigned n_neighbours;
	const struct host_address *addresses; /* of the host itself */
	unsigned n_addresses;
	const uint16_t *server_mtu; /* likewise: of the path that tunnels take; 0: not known */
	const bool *server_down;    /* per conf->servers: true keeps it out of the rings */
};

struct body_result {
	enum l4_verdict verdict;
	uint32_t ifindex; /* where the frame leaves (L4_SEND), else 0 */
	size_t len;
	uint8_t frame[BODY_FRAME_MAX]; /* the frame after the engine, whatever the verdict */
};

struct body;

/* In every body ids are the index into the configuration's arrays plus one; vips come first, then
 * gateways. The hash key is the bytes 0..15. */
struct body_ops {
	const char *name; /* "native", "xdp", "dpdk" */
	int (*open)(struct body **out, const struct world *w, struct err *e);
	int (*inject)(struct body *b, uint32_t ifindex, const uint8_t *frame, size_t len,
		struct body_result *r);
	/* Says what inject() would come to, and by which steps, and changes nothing. */
	int (*trace)(struct body *b, uint32_t ifindex, const uint8_t *frame, size_t len,
		struct body_result *r, struct l4_way *way);
	/* Sets coarse time (dataplane/l4/limit.h), which stands still otherwise; 0 at first. */
	int (*set_time)(struct body *b, uint16_t now);
	int (*service_counter)(struct body *b, uint32_t id, struct engine_counter *out);
	int (*server_counter)(struct body *b, uint32_t id, struct engine_counter *out);
	int (*verdicts)(struct body *b, uint64_t out[L4_V_COUNT]);
	int (*vip_drops)(struct body *b, uint32_t vip_id, uint64_t out[L4_V_COUNT]);
	int (*service_drops)(struct body *b, uint32_t service_id, uint64_t out[L4_V_COUNT]);
	/* Publishes another input, whose next hops the world knows, as the next generation. */
	int (*publish)(struct body *b, const struct snapshot_input *in, struct err *e);
	/* The table of records, and the number of its entries, a power of two of at least 1024. */
	struct l4_record *(*records)(struct body *b, uint32_t *n);
	int (*places)(struct body *b, uint64_t out[L4_PLACE_COUNT]);
	/* Floods of SYNs, by service id, and the number of rows, more than there are services. */
	struct l4_flood *(*floods)(struct body *b, uint32_t *n);
	/* The table of connections that began with a SYN cookie, and the number of its entries. */
	struct l4_proxied *(*proxied)(struct body *b, uint32_t *n);
	/* Reads the published slot tables back, as a restarted control plane does; see snapshot_read_slots(). */
	int (*past_slots)(struct body *b, snapshot_slots_fn *fn, void *arg);
	void (*close)(struct body *b);
};

extern const struct body_ops body_native, body_xdp, body_dpdk;

/* Those that the program is linked with; NULL behind the last one. */
extern const struct body_ops *const bodies[];

/* The loaded program of an XDP body, to be run on several processors at once; its `trace` map is good for one. */
int body_xdp_program(const struct body *b);
