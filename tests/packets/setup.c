/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/packets/setup.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/base/mac.h"
#include "tests/packets/peers.h"

const struct host_route *setup_route(const struct world *w, const struct addr *dst)
{
	const struct host_route *best = NULL;

	for (unsigned i = 0; i < w->n_routes; i++) {
		const struct host_route *r = &w->routes[i];

		if (addr_in_prefix(dst, &r->dst, r->plen) && (!best || r->plen > best->plen))
			best = r;
	}
	return best;
}

static uint32_t *numbers(uint32_t first, unsigned n)
{
	uint32_t *ids = calloc(n + 1u, sizeof *ids);

	for (unsigned i = 0; ids && i < n; i++)
		ids[i] = first + i;
	return ids;
}

static int setup_ids(const struct conf *c, struct binding *ids)
{
	ids->vips = numbers(1, c->n_vips + c->n_gateways);
	ids->gateways = ids->vips ? ids->vips + c->n_vips : NULL;
	ids->services = numbers(1, c->n_services);
	ids->pools = numbers(1, c->n_pools);
	ids->servers = numbers(1, c->n_servers);
	return ids->vips && ids->gateways && ids->services && ids->pools && ids->servers ? 0
											 : -ENOMEM;
}

static int setup_state(const struct world *w, struct state *st)
{
	for (unsigned i = 0; i < sizeof st->key; i++)
		st->key[i] = (uint8_t)i;
	for (unsigned i = 0; i < w->conf->n_servers; i++) {
		struct state_server *s = state_server_new(st, i + 1);

		if (!s)
			return -ENOMEM;
		s->overlay.weight = -1;
		s->seen.state = w->server_down && w->server_down[i] ? HEALTH_DOWN : HEALTH_UP;
	}
	return 0;
}

static int setup_sources(const struct world *w, struct build_hop *hops)
{
	const struct conf *c = w->conf;
	bool *wanted = build_tunnel_pools(c);

	for (unsigned i = 0; wanted && i < c->n_servers; i++)
		if (wanted[c->servers[i].pool])
			build_source(
				&hops[i], c, &c->servers[i].address, w->addresses, w->n_addresses);
	free(wanted);
	return wanted ? 0 : -ENOMEM;
}

void setup_port(const struct world *w, unsigned i, struct snapshot_port *p)
{
	*p = (struct snapshot_port){ 0 };
	p->ifindex = w->links[i].ifindex;
	p->mtu = (uint16_t)w->links[i].mtu;
	for (unsigned k = 0; k < 6; k++)
		p->mac[k] = w->links[i].mac[k];
	if (!w->stacks)
		return;
	p->device = w->stacks[i].device;
	p->n_tags = w->stacks[i].n_tags;
	for (unsigned k = 0; k < p->n_tags; k++)
		p->tags[k] = (struct snapshot_tag){ w->stacks[i].tags[k].protocol,
			w->stacks[i].tags[k].id };
}

uint32_t setup_device(const struct world *w, unsigned link)
{
	return w->stacks ? w->stacks[link].device : w->links[link].ifindex;
}

static int setup_facts(const struct world *w, struct snapshot_port **ports, struct build_hop **hops)
{
	const struct conf *c = w->conf;

	*ports = calloc(w->n_links + 1u, sizeof **ports);
	*hops = calloc(c->n_servers + 1u, sizeof **hops);
	if (!*ports || !*hops)
		return -ENOMEM;
	for (unsigned i = 0; i < w->n_links; i++)
		setup_port(w, i, &(*ports)[i]);
	for (unsigned i = 0; i < c->n_servers; i++)
		(*hops)[i] = build_hop(setup_route(w, &c->servers[i].address),
			&c->servers[i].address, *ports, w->n_links);
	for (unsigned i = 0; w->server_mtu && i < c->n_servers; i++)
		(*hops)[i].mtu = w->server_mtu[i];
	return setup_sources(w, *hops);
}

int setup_build(const struct world *w, struct build **out)
{
	struct state *st = state_new();
	struct snapshot_port *ports = NULL;
	struct build_hop *hops = NULL;
	struct binding ids = { 0 };
	int rc = st ? setup_ids(w->conf, &ids) : -ENOMEM;

	if (!rc)
		rc = setup_state(w, st);
	if (!rc)
		rc = setup_facts(w, &ports, &hops);
	if (!rc)
		rc = build_new(out, w->conf, &ids, st,
			&(struct build_facts){ .ports = ports, .hops = hops });
	free(ports);
	free(hops);
	binding_free(&ids);
	if (st)
		state_free(st);
	return rc;
}

static bool is_virtual(const struct conf *c, const uint8_t mac[6])
{
	for (unsigned i = 0; mac_is_unicast(mac) && i < c->n_vips; i++)
		if (!memcmp(c->vips[i].mac, mac, sizeof c->vips[i].mac))
			return true;
	return false;
}

bool setup_stays(
	const struct conf *c, const uint8_t *frame, size_t len, const struct body_result *r)
{
	enum { MAC = 6 };

	if (r->verdict >= L4_V_MALFORMED && peers_may_be_rewritten(c, frame, len))
		return true;
	if (r->len != len)
		return false;
	if (!memcmp(r->frame, frame, len))
		return true;
	return r->verdict < L4_V_FORWARDED && len >= MAC && is_virtual(c, frame) &&
	       !memcmp(r->frame + MAC, frame + MAC, len - MAC);
}
