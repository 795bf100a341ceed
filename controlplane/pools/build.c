/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/pools/build.h"
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/pools/duty.h"

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

static bool is_ours(const struct conf *c, const struct addr *a)
{
	for (unsigned i = 0; i < c->n_vips; i++)
		if (addr_equal(&c->vips[i].address, a))
			return true;
	for (unsigned i = 0; i < c->n_gateways; i++)
		if (addr_equal(&c->gateways[i].address, a))
			return true;
	return false;
}

static bool may_be_source(const struct conf *c, const struct build_hop *hop, uint8_t af,
	const struct host_address *own)
{
	static const struct addr link_local = { 6, { 0xfe, 0x80 } };

	return own->ifindex == hop->ifindex && own->addr.af == af &&
	       !addr_in_prefix(&own->addr, &link_local, 10) && !is_ours(c, &own->addr);
}

/* Whether a makes a better source than b: near the next hop, then the smaller, so that the choice is always the same. */
static bool is_better_source(
	const struct build_hop *hop, const struct host_address *a, const struct host_address *b)
{
	bool a_near = addr_in_prefix(&hop->addr, &a->addr, a->plen),
	     b_near = addr_in_prefix(&hop->addr, &b->addr, b->plen);

	return a_near != b_near ? a_near : addr_compare(&a->addr, &b->addr) < 0;
}

void build_source(struct build_hop *hop, const struct conf *c, const struct addr *server,
	const struct host_address *own, unsigned n_own)
{
	const struct conf_source *wanted = server->af == 6 ? &c->tunnel.source6
							   : &c->tunnel.source4;
	const struct host_address *best = NULL;

	hop->source = wanted->address;
	hop->source_bits = wanted->bits;
	if (wanted->address.af || !hop->ifindex)
		return;
	for (unsigned i = 0; i < n_own; i++)
		if (may_be_source(c, hop, server->af, &own[i]) &&
			(!best || is_better_source(hop, &own[i], best)))
			best = &own[i];
	if (best)
		hop->source = best->addr;
}

bool *build_tunnel_pools(const struct conf *c)
{
	bool *pools = calloc((size_t)c->n_pools + 1, sizeof *pools);

	for (unsigned i = 0; pools && i < c->n_services; i++)
		if (c->services[i].forward == CONF_FORWARD_TUNNEL)
			for (int p = (int)c->services[i].pool; p >= 0;
				p = conf_pool_fallback(c, (unsigned)p))
				pools[p] = true;
	return pools;
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
	for (unsigned i = 0; i < c->n_vips; i++) {
		b->addresses[i].local = c->vips[i].local;
		memcpy(b->addresses[i].mac, c->vips[i].mac, sizeof b->addresses[i].mac);
	}
	for (unsigned i = 0; i < c->n_gateways; i++)
		build_address(&gateways[i], ids->gateways[i], &c->gateways[i].address,
			ports[c->gateways[i].interface].ifindex, true);
}

/* Whether flows that no server takes are refused: the last pool in the row says so. */
static bool rejects(const struct conf *c, unsigned pool)
{
	if (pool == CONF_NO_POOL)
		return false;
	while (conf_pool_fallback(c, pool) >= 0)
		pool = (unsigned)conf_pool_fallback(c, pool);
	return c->pools[pool].when_empty == CONF_EMPTY_RESET;
}

static enum l4_forward build_forward(enum conf_forward f)
{
	switch (f) {
	case CONF_FORWARD_NAT:
		return L4_FORWARD_NAT;
	case CONF_FORWARD_TUNNEL:
		return L4_FORWARD_TUNNEL;
	case CONF_FORWARD_LOCAL:
		return L4_FORWARD_LOCAL;
	case CONF_FORWARD_DSR:
		break;
	}
	return L4_FORWARD_DSR;
}

static_assert((int)CONF_PROTOCOL_ANY == (int)L4_PROTO_ANY, "one number for all protocols");
static_assert(
	sizeof(struct conf_prefix) == sizeof(struct snapshot_prefix) &&
		offsetof(struct conf_prefix, address.af) == offsetof(struct snapshot_prefix, af) &&
		offsetof(struct conf_prefix, address.bytes) ==
			offsetof(struct snapshot_prefix, bytes) &&
		offsetof(struct conf_prefix, plen) == offsetof(struct snapshot_prefix, plen) &&
		offsetof(struct conf_prefix, allow) == offsetof(struct snapshot_prefix, allow),
	"a list is handed on as it is: it may have a million prefixes");

/* Enters a list. Returns its index. */
static uint32_t build_list(struct build *b, const struct conf_list *list)
{
	uint32_t at = b->input.n_lists++;

	b->digests[at] = list->digest;
	b->lists[at] = (struct snapshot_list){
		.prefixes = (const struct snapshot_prefix *)list->prefixes,
		.n = list->n,
		.only = list->only,
		.digest = list->digest,
	};
	return at;
}

static bool says_something(const struct conf_list *list)
{
	return list->n || list->only;
}

/* The first list is that of all services. */
static void build_lists(struct build *b, const struct conf *c)
{
	bool any = says_something(&c->guard.sources.list);

	for (unsigned i = 0; i < c->n_services; i++)
		any |= says_something(&c->services[i].sources.list);
	if (!any)
		return;
	build_list(b, &c->guard.sources.list);
	for (unsigned i = 0; i < c->n_services; i++)
		if (says_something(&c->services[i].sources.list))
			b->services[i].list = build_list(b, &c->services[i].sources.list);
}

uint8_t build_guard_checks(const struct conf *c)
{
	bool drop_flags = c->guard.invalid_flags == CONF_UNWANTED_DROP,
	     drop_land = c->guard.land == CONF_UNWANTED_DROP,
	     drop_bogons = c->guard.bogons == CONF_UNWANTED_DROP;

	return (uint8_t)((drop_flags ? L4_GUARD_FLAGS : 0) | (drop_land ? L4_GUARD_LAND : 0) |
			 (drop_bogons ? L4_GUARD_BOGONS : 0));
}

static void build_ranges(struct build *b, struct snapshot_service *to, const struct conf_service *s)
{
	to->port = s->port;
	if (s->port)
		return;
	to->first_range = b->input.n_ranges;
	to->n_ranges = s->ports.n;
	for (uint32_t i = 0; i < s->ports.n; i++)
		b->ranges[b->input.n_ranges++] =
			(struct snapshot_range){ s->ports.list[i].first, s->ports.list[i].last };
}

/* What a cookie began needs its translation as long as it lives, also when no more cookies are wanted. */
static void build_cookies(
	struct snapshot_service *to, const struct conf_service *s, bool has_proxied)
{
	bool wanted = s->syn_cookies == CONF_SYN_COOKIES_AUTO;

	to->syn_cookies = wanted || (has_proxied && s->protocol == IPPROTO_TCP &&
					    s->forward == CONF_FORWARD_NAT);
	if (to->syn_cookies)
		to->syn_threshold = wanted ? s->syn_threshold : UINT32_MAX;
}

static void build_services(struct build *b, const struct conf *c, const struct binding *ids,
	const struct build_facts *facts)
{
	for (unsigned i = 0; i < c->n_services; i++) {
		const struct conf_service *s = &c->services[i];

		b->services[i].id = ids->services[i];
		b->services[i].address = s->vip;
		b->services[i].protocol = s->protocol;
		build_ranges(b, &b->services[i], s);
		b->services[i].forward = build_forward(s->forward);
		b->services[i].pool = s->pool;
		b->services[i].idle_s = (uint16_t)((s->idle_ms + 999) / 1000);
		b->services[i].track_all = s->track == CONF_TRACK_ALL;
		b->services[i].track_none = s->track == CONF_TRACK_NONE;
		b->services[i].client_affinity = s->affinity == CONF_AFFINITY_CLIENT;
		b->services[i].quic_id_bytes = s->quic_id_bytes;
		/* What no port tells apart cannot be refused by one. */
		b->services[i].reject = s->protocol != CONF_PROTOCOL_ANY && rejects(c, s->pool);
		build_cookies(&b->services[i], s, facts->proxied && facts->proxied[i]);
		b->services[i].guard_checks = build_guard_checks(c);
		b->services[i].source_rate = s->source_rate ? s->source_rate : c->guard.source_rate;
		b->services[i].source_syn_rate = s->source_syn_rate ? s->source_syn_rate
								    : c->guard.source_syn_rate;
	}
}

/* What members are made of. */
struct sources {
	const struct conf *conf;
	const struct binding *ids;
	const struct build_hop *hops;
	struct duty duty;
};

static void build_member(
	struct snapshot_member *m, const struct sources *from, unsigned server, bool takes_new)
{
	const struct conf_server *s = &from->conf->servers[server];
	const struct build_hop *hop = &from->hops[server];

	m->id = from->ids->servers[server];
	m->af = s->address.af;
	memcpy(m->bytes, s->address.bytes, sizeof m->bytes);
	m->port = s->port;
	m->weight = takes_new ? from->duty.servers[server].weight : 0;
	m->serves = from->duty.servers[server].serves;
	m->hop_ifindex = hop->ifindex;
	m->hop_af = hop->addr.af;
	memcpy(m->hop_bytes, hop->addr.bytes, sizeof m->hop_bytes);
	memcpy(m->source, hop->source.bytes, sizeof m->source);
	m->source_bits = hop->source_bits;
	m->mtu = hop->mtu;
	if (from->conf->pools[s->pool].encapsulation == CONF_ENCAPSULATION_GUE)
		m->gue_port = from->conf->tunnel.gue_port;
	m->has_quic_id = s->quic_id.n > 0;
	memcpy(m->quic_id, s->quic_id.bytes, sizeof s->quic_id.bytes);
}

static void build_pools(struct build *b, const struct sources *from)
{
	const struct conf *c = from->conf;
	uint32_t n = 0;

	for (unsigned i = 0; i < c->n_pools; i++) {
		int source = from->duty.pools[i].from;

		b->pools[i].id = (uint16_t)from->ids->pools[i];
		b->pools[i].first_member = n;
		b->states[i].from = source < 0 ? 0 : from->ids->pools[source];
		b->states[i].forced = from->duty.pools[i].forced;
		for (int p = (int)i; p >= 0; p = conf_pool_fallback(c, (unsigned)p))
			for (unsigned k = 0; k < c->pools[p].n_servers; k++)
				build_member(&b->members[n++], from, c->pools[p].first_server + k,
					p == source);
		b->pools[i].n_members = n - b->pools[i].first_member;
	}
}

static unsigned count_members(const struct conf *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->n_pools; i++)
		n += conf_pool_servers(c, i);
	return n;
}

static unsigned count_ranges(const struct conf *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->n_services; i++)
		n += c->services[i].port ? 0 : c->services[i].ports.n;
	return n;
}

/* The next n rows of `size` bytes; `used` counts the bytes that are taken. */
static void *build_take(struct build *b, size_t *used, unsigned n, size_t size)
{
	char *at = (char *)b->memory + *used;

	*used += (n * size + 7) / 8 * 8;
	return at;
}

static size_t build_size(const struct conf *c, unsigned n_members)
{
	enum { ROUNDED = 8 * 7 + 7 };

	return c->n_interfaces * sizeof(struct snapshot_port) +
	       (c->n_vips + c->n_gateways) * sizeof(struct snapshot_address) +
	       c->n_services * sizeof(struct snapshot_service) +
	       count_ranges(c) * sizeof(struct snapshot_range) +
	       c->n_pools * (sizeof(struct snapshot_pool) + sizeof(struct build_pool)) +
	       n_members * sizeof(struct snapshot_member) +
	       (c->n_services + 1u) * sizeof(uint64_t) + ROUNDED;
}

static struct build *build_alloc(const struct conf *c, unsigned n_members)
{
	size_t size = (build_size(c, n_members) + 7) / 8 * 8, used = 0;
	struct build *b =
		calloc(1, sizeof *b + size + (c->n_services + 1u) * sizeof(struct snapshot_list));

	if (!b)
		return NULL;
	b->size = size;
	b->ports = build_take(b, &used, c->n_interfaces, sizeof *b->ports);
	b->addresses = build_take(b, &used, c->n_vips + c->n_gateways, sizeof *b->addresses);
	b->services = build_take(b, &used, c->n_services, sizeof *b->services);
	b->ranges = build_take(b, &used, count_ranges(c), sizeof *b->ranges);
	b->pools = build_take(b, &used, c->n_pools, sizeof *b->pools);
	b->states = build_take(b, &used, c->n_pools, sizeof *b->states);
	b->members = build_take(b, &used, n_members, sizeof *b->members);
	b->digests = build_take(b, &used, c->n_services + 1, sizeof *b->digests);
	b->lists = (struct snapshot_list *)((char *)b->memory + size);
	return b;
}

void build_free(struct build *b)
{
	free(b);
}

int build_new(struct build **out, const struct conf *c, const struct binding *ids,
	const struct state *st, const struct build_facts *facts)
{
	struct sources from = { .conf = c, .ids = ids, .hops = facts->hops };
	unsigned n_members = count_members(c);
	struct build *b;
	int err = duty_new(&from.duty, c, ids, st);

	if (err)
		return err;
	b = build_alloc(c, n_members);
	if (!b) {
		duty_free(&from.duty);
		return -ENOMEM;
	}
	memcpy(b->ports, facts->ports, c->n_interfaces * sizeof *b->ports);
	build_addresses(b, c, ids, facts->ports);
	build_services(b, c, ids, facts);
	build_lists(b, c);
	build_pools(b, &from);
	duty_free(&from.duty);
	b->input = (struct snapshot_input){
		.ports = b->ports,
		.addresses = b->addresses,
		.services = b->services,
		.ranges = b->ranges,
		.n_ranges = b->input.n_ranges,
		.pools = b->pools,
		.members = b->members,
		.lists = b->lists,
		.n_lists = b->input.n_lists,
		.n_ports = c->n_interfaces,
		.n_addresses = c->n_vips + c->n_gateways,
		.n_services = c->n_services,
		.n_pools = c->n_pools,
		.n_members = n_members,
		.answers = c->limits.answers,
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
	       x->n_services == y->n_services && x->n_ranges == y->n_ranges &&
	       x->n_pools == y->n_pools && x->n_members == y->n_members &&
	       x->n_lists == y->n_lists && x->answers == y->answers &&
	       !memcmp(x->key, y->key, sizeof x->key) && a->size == b->size &&
	       !memcmp(a->memory, b->memory, a->size);
}
