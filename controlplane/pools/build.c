/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/pools/build.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct build_hop build_hop(const struct host_route *route, const struct addr *server,
	const struct snapshot_port *ports, unsigned n_ports)
{
	struct build_hop hop = { 0 };

	if (!route || route->kind != HOST_ROUTE_UNICAST)
		return hop;
	for (unsigned i = 0; i < n_ports; i++)
		if (ports[i].ifindex == route->ifindex)
			hop.ifindex = route->ifindex;
	if (hop.ifindex)
		hop.addr = route->gateway.af ? route->gateway : *server;
	return hop;
}

unsigned build_weight(const struct conf_server *server, const struct state_server *record)
{
	return record->overlay.weight < 0 ? server->weight : (unsigned)record->overlay.weight;
}

bool build_serving(const struct conf_server *server, const struct state_server *record)
{
	return record->overlay.wanted == SERVER_READY && record->seen.state == HEALTH_UP &&
	       build_weight(server, record) > 0;
}

static void build_address(struct snapshot_address *out, uint32_t id, const struct addr *addr,
	uint32_t ifindex, bool gateway)
{
	out->id = id;
	out->af = addr->af;
	memcpy(out->bytes, addr->bytes, sizeof out->bytes);
	out->ifindex = ifindex;
	out->gateway = gateway;
}

static void build_addresses(struct build *b, const struct conf *c, const struct binding *ids,
	const struct snapshot_port *ports)
{
	struct snapshot_address *gateways = b->addresses + c->n_vips;

	for (unsigned i = 0; i < c->n_vips; i++)
		build_address(&b->addresses[i], ids->vips[i], &c->vips[i].address,
			ports[c->vips[i].interface].ifindex, false);
	for (unsigned i = 0; i < c->n_gateways; i++)
		build_address(&gateways[i], ids->gateways[i], &c->gateways[i].address,
			ports[c->gateways[i].interface].ifindex, true);
}

static void build_services(struct build *b, const struct conf *c, const struct binding *ids)
{
	for (unsigned i = 0; i < c->n_services; i++) {
		const struct conf_service *s = &c->services[i];

		b->services[i].id = ids->services[i];
		b->services[i].address = s->vip;
		b->services[i].protocol = s->protocol;
		b->services[i].port = s->port;
		b->services[i].forward = s->forward == CONF_FORWARD_NAT ? L4_FORWARD_NAT
									: L4_FORWARD_DSR;
		b->services[i].pool = s->pool;
	}
}

static void build_members(struct build *b, const struct conf *c, const struct binding *ids,
	const struct state *st, const struct build_hop *hops)
{
	for (unsigned i = 0; i < c->n_servers; i++) {
		const struct conf_server *s = &c->servers[i];
		const struct state_server *record = state_server(st, ids->servers[i]);
		struct snapshot_member *m = &b->members[i];

		m->id = ids->servers[i];
		m->af = s->address.af;
		memcpy(m->bytes, s->address.bytes, sizeof m->bytes);
		m->port = s->port;
		m->serves = record->overlay.wanted != SERVER_MAINT &&
			    record->seen.state != HEALTH_DOWN;
		if (build_serving(s, record))
			m->weight = (uint16_t)build_weight(s, record);
		m->hop_ifindex = hops[i].ifindex;
		m->hop_af = hops[i].addr.af;
		memcpy(m->hop_bytes, hops[i].addr.bytes, sizeof m->hop_bytes);
	}
}

/* The next n rows of `size` bytes; `used` counts the bytes that are taken. */
static void *build_take(struct build *b, size_t *used, unsigned n, size_t size)
{
	char *at = (char *)b->memory + *used;

	*used += (n * size + 7) / 8 * 8;
	return at;
}

static size_t build_size(const struct conf *c)
{
	enum { ROUNDED = 7 * 5 };

	return c->n_interfaces * sizeof(struct snapshot_port) +
	       (c->n_vips + c->n_gateways) * sizeof(struct snapshot_address) +
	       c->n_services * sizeof(struct snapshot_service) +
	       c->n_pools * sizeof(struct snapshot_pool) +
	       c->n_servers * sizeof(struct snapshot_member) + ROUNDED;
}

static struct build *build_alloc(const struct conf *c)
{
	size_t size = build_size(c), used = 0;
	struct build *b = calloc(1, sizeof *b + size);

	if (!b)
		return NULL;
	b->size = size;
	b->ports = build_take(b, &used, c->n_interfaces, sizeof *b->ports);
	b->addresses = build_take(b, &used, c->n_vips + c->n_gateways, sizeof *b->addresses);
	b->services = build_take(b, &used, c->n_services, sizeof *b->services);
	b->pools = build_take(b, &used, c->n_pools, sizeof *b->pools);
	b->members = build_take(b, &used, c->n_servers, sizeof *b->members);
	return b;
}

void build_free(struct build *b)
{
	free(b);
}

int build_new(struct build **out, const struct conf *c, const struct binding *ids,
	const struct state *st, const struct build_facts *facts)
{
	struct build *b = build_alloc(c);

	if (!b)
		return -ENOMEM;
	memcpy(b->ports, facts->ports, c->n_interfaces * sizeof *b->ports);
	build_addresses(b, c, ids, facts->ports);
	build_services(b, c, ids);
	for (unsigned i = 0; i < c->n_pools; i++) {
		b->pools[i].first_member = c->pools[i].first_server;
		b->pools[i].n_members = c->pools[i].n_servers;
		b->pools[i].id = (uint16_t)ids->pools[i];
	}
	build_members(b, c, ids, st, facts->hops);
	b->input = (struct snapshot_input){
		.ports = b->ports,
		.addresses = b->addresses,
		.services = b->services,
		.pools = b->pools,
		.members = b->members,
		.n_ports = c->n_interfaces,
		.n_addresses = c->n_vips + c->n_gateways,
		.n_services = c->n_services,
		.n_pools = c->n_pools,
		.n_members = c->n_servers,
	};
	memcpy(b->input.key, st->key, sizeof b->input.key);
	*out = b;
	return 0;
}

bool build_same(const struct build *a, const struct build *b)
{
	const struct snapshot_input *x, *y;

	if (!a || !b)
		return a == b;
	x = &a->input;
	y = &b->input;
	return x->n_ports == y->n_ports && x->n_addresses == y->n_addresses &&
	       x->n_services == y->n_services && x->n_pools == y->n_pools &&
	       x->n_members == y->n_members && !memcmp(x->key, y->key, sizeof x->key) &&
	       a->size == b->size && !memcmp(a->memory, b->memory, a->size);
}
