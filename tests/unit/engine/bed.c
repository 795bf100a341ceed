/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/engine/bed.h"
#include <event2/event.h>
#include <sched.h>
#include <string.h>
#include "dataplane/snapshot/snapshot.h"

struct engine *engine;
struct event_base *base;
unsigned bed_wanted, bed_told;
const struct addr bed_servers[BED_SERVERS] = {
	{ .af = 4, .bytes = { 10, 0, 0, 1 } },
	{ .af = 4, .bytes = { 10, 0, 0, 2 } },
};

static const uint8_t vip[4] = { 192, 0, 2, 1 }, port_mac[6] = { 2, 0, 0, 0, 0, 1 };

static void on_wanted(void *arg, uint32_t ifindex, const struct addr *a)
{
	(void)arg;
	(void)ifindex;
	(void)a;
	bed_wanted++;
}

static void on_told(
	void *arg, const struct addr *from, const struct addr *to, uint16_t port, uint32_t mtu)
{
	(void)arg;
	(void)from;
	(void)to;
	(void)port;
	(void)mtu;
	bed_told++;
}

void bed_syn(uint8_t frame[54], uint8_t port)
{
	static const uint8_t client[4] = { 203, 0, 113, 7 };

	memset(frame, 0, 54);
	memcpy(frame, port_mac, 6);
	frame[12] = 8;
	frame[14] = 0x45;
	frame[17] = 40;
	frame[22] = 64;
	frame[23] = 6;
	memcpy(frame + 26, client, 4);
	memcpy(frame + 30, vip, 4);
	frame[34] = 0x30;
	frame[37] = port;
	frame[46] = 0x50;
	frame[47] = 2;
}

void bed_tunnel_error(uint8_t frame[BED_ERROR_BYTES])
{
	static const uint8_t router[4] = { 10, 0, 0, 254 }, host[4] = { 10, 0, 0, 99 };
	uint8_t *icmp = frame + 34, *quoted = frame + 42;

	memset(frame, 0, BED_ERROR_BYTES);
	memcpy(frame, port_mac, 6);
	frame[12] = 8;
	frame[14] = 0x45;
	frame[17] = BED_ERROR_BYTES - 14;
	frame[22] = 64;
	frame[23] = 1;
	memcpy(frame + 26, router, 4);
	memcpy(frame + 30, host, 4);
	icmp[0] = 3;
	icmp[1] = 4;
	icmp[6] = 1400 >> 8;
	icmp[7] = 1400 & 255;
	quoted[0] = 0x45;
	quoted[9] = 4;
	memcpy(quoted + 12, host, 4);
	memcpy(quoted + 16, bed_servers[0].bytes, 4);
}

static int publish(struct err *e)
{
	struct snapshot_port port = { .ifindex = BED_PORT, .mtu = 1500 };
	struct snapshot_address address = { .id = 1, .af = 4, .ifindex = BED_PORT };
	struct snapshot_pool pools[2] = { { .n_members = 1, .id = 1 },
		{ .first_member = 1, .id = 2, .n_members = 1 } };
	struct snapshot_service services[3] = { { .id = 1, .protocol = 6, .port = BED_KNOWN },
		{ .id = 2, .protocol = 6, .port = BED_UNKNOWN, .pool = 1 },
		{ .id = 3, .protocol = 6, .port = BED_RATED, .source_syn_rate = 1 } };
	struct snapshot_member members[2] = { 0 };
	struct snapshot_input in = {
		.ports = &port,
		.addresses = &address,
		.services = services,
		.pools = pools,
		.members = members,
		.n_ports = 1,
		.n_addresses = 1,
		.n_services = 3,
		.n_pools = 2,
		.n_members = 2,
	};

	memcpy(port.mac, port_mac, 6);
	memcpy(address.bytes, vip, 4);
	for (unsigned i = 0; i < 2; i++) {
		members[i] = (struct snapshot_member){
			.id = 1 + i, .af = 4, .weight = 1, .hop_ifindex = BED_PORT, .hop_af = 4
		};
		memcpy(members[i].bytes, bed_servers[i].bytes, 16);
		memcpy(members[i].hop_bytes, bed_servers[i].bytes, 16);
	}
	return engine_publish(engine, &in, e);
}

int bed_open(void **state)
{
	const struct conf_limits limits = { .vips = 8,
		.services = 8,
		.pools = 8,
		.servers = 64,
		.routes = 16,
		.neighbours = 128,
		.ring_slots = 1 << 16,
		.records = 1024 };
	const struct host_link link = {
		.ifindex = BED_PORT,
		.name = "lo",
		.mac = { 2, 0, 0, 0, 0, 1 },
		.mtu = 1500,
		.up = true,
		.ethernet = true,
	};
	const struct host_link *links[] = { &link };
	struct engine_options o = { .limits = &limits,
		.dry = true,
		.links = links,
		.n_links = 1,
		.neighbour_wanted = on_wanted,
		.path_told = on_told };
	struct host_neighbour n = { BED_PORT, bed_servers[0], { 2, 0, 0, 0, 1, 1 },
		HOST_NEIGHBOUR_USABLE };
	bool adopted;
	struct err e;

	(void)state;
	base = event_base_new();
	if (!base || unshare(CLONE_NEWNET) || engine_open(&engine, base, &o, &adopted, &e) ||
		engine_neighbour(engine, &n, false, &e))
		return -1;
	return publish(&e);
}

int bed_close(void **state)
{
	(void)state;
	engine_close(engine);
	event_base_free(base);
	return 0;
}
