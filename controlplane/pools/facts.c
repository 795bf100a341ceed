/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's side of the site: interfaces, routes and neighbours, and what follows when they change. */
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/base/log.h"
#include "controlplane/base/mac.h"
#include "controlplane/pools/clock.h"
#include "controlplane/pools/site_impl.h"

/* Routes come in floods; a pool's next hops need not follow each of them. */
enum { FACTS_DELAY_MS = 20 };

static uint16_t mtu_of(uint32_t mtu)
{
	return mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)mtu;
}

static void port_set(
	struct site_port *p, const struct host_link *link, const struct host_stack *stack)
{
	/* Padding is zero: builds are compared as bytes (build_same()). */
	memset(&p->facts, 0, sizeof p->facts);
	p->facts.ifindex = link->ifindex;
	memcpy(p->facts.mac, link->mac, sizeof p->facts.mac);
	p->facts.mtu = mtu_of(stack->mtu);
	p->facts.device = stack->device;
	p->facts.n_tags = stack->n_tags;
	for (unsigned i = 0; i < stack->n_tags; i++)
		p->facts.tags[i] =
			(struct snapshot_tag){ stack->tags[i].protocol, stack->tags[i].id };
	p->facts.n_parts = stack->n_parts;
	memcpy(p->facts.parts, stack->parts, stack->n_parts * sizeof *stack->parts);
	p->up = link->up;
	p->present = true;
}

static struct site_port *find_port(const struct site *s, uint32_t ifindex)
{
	for (unsigned i = 0; i < s->n_ports; i++)
		if (s->ports[i].facts.ifindex == ifindex)
			return &s->ports[i];
	return NULL;
}

/* A link of a port has changed. What it stands on now may not be what the program was attached to: such a port is as good
 * as gone. */
static void follow_port(struct site *s, struct site_port *p, const struct host_link *link)
{
	uint32_t device = p->facts.device;
	struct host_stack stack;
	struct err e;

	if (host_stack(s->host, link, &stack, &e)) {
		log_error("interface %s cannot be used any more: %s", p->device, e.text);
		p->present = p->up = false;
	} else if (stack.device != device) {
		log_error("interface %s is on another device now; restart tandemd", p->device);
		p->present = p->up = false;
	} else {
		port_set(p, link, &stack);
	}
}

/* Tells once of each device whose MTU has become more than its program carries. */
static void check_mtu(const struct site *s, struct site_port *p)
{
	const struct host_link *real = host_link_by_index(s->host, p->facts.device);
	const struct engine_port *ports = NULL;
	unsigned n = 0, most = engine_native_mtu();
	uint32_t was = p->real_mtu;

	if (!real || real->mtu == was || !s->engine)
		return;
	p->real_mtu = real->mtu;
	ports = engine_ports(s->engine, &n);
	for (unsigned i = 0; i < n; i++)
		if (ports[i].ifindex == p->facts.ifindex && !strcmp(ports[i].mode, "native") &&
			was <= most && real->mtu > most)
			log_warn(
				"interface %s has an MTU of %u now, but native XDP takes at most %u: "
				"larger packets are lost; lower its MTU",
				p->real, real->mtu, most);
}

static void port_changed(struct site *s, struct site_port *p)
{
	const struct host_link *link = host_link_by_index(s->host, p->facts.ifindex);
	bool was_up = p->up;

	if (link)
		follow_port(s, p, link);
	else if (p->present)
		log_error("interface %s is gone; when it is back, restart tandemd", p->device);
	if (!link)
		p->present = p->up = false;
	check_mtu(s, p);
	if (p->present && p->up != was_up)
		log_warn("interface %s is %s", p->device, p->up ? "up" : "down");
	publish_later(s, FACTS_DELAY_MS);
}

/* Whether the port is this link, or on it, or a bond of which it is or was a part. */
static bool concerns(const struct site_port *p, const struct host_link *link)
{
	if (link->ifindex == p->facts.ifindex || link->ifindex == p->facts.device ||
		link->master == p->facts.device)
		return true;
	for (unsigned i = 0; i < p->facts.n_parts; i++)
		if (link->ifindex == p->facts.parts[i])
			return true;
	return false;
}

static void on_link(void *arg, const struct host_link *link, bool gone)
{
	struct site *s = arg;

	(void)gone;
	for (unsigned i = 0; i < s->n_ports; i++)
		if (concerns(&s->ports[i], link))
			port_changed(s, &s->ports[i]);
}

static bool is_ours(const struct conf *c, const struct addr *addr)
{
	for (unsigned i = 0; i < c->n_vips; i++)
		if (addr_equal(&c->vips[i].address, addr))
			return true;
	for (unsigned i = 0; i < c->n_gateways; i++)
		if (addr_equal(&c->gateways[i].address, addr))
			return true;
	return false;
}

/* Whether the host is to have the address, for services of its own stack. */
static bool is_local(const struct conf *c, const struct addr *addr)
{
	for (unsigned i = 0; i < c->n_vips; i++)
		if (c->vips[i].local && addr_equal(&c->vips[i].address, addr))
			return true;
	return false;
}

static void on_address(void *arg, const struct host_address *address, bool gone)
{
	struct site *s = arg;
	struct err e;

	if (gone && s->published && !s->detached && is_local(s->live->conf, &address->addr))
		nics_apply(s, s->live->conf);
	if (!gone && is_ours(s->live->conf, &address->addr) &&
		facts_check_addresses(s, s->live->conf, &e))
		log_warn("%s", e.text);
	if (find_port(s, address->ifindex)) /* tunnels may come from it */
		publish_later(s, FACTS_DELAY_MS);
}

/* A table of the engine that does not take an entry is a fault that lasts until there is room. */
static void table_result(struct site *s, int err, const struct err *e)
{
	if (!err || !strcmp(s->table_fault.text, e->text))
		return;
	s->table_fault = *e;
	log_error("%s", e->text);
}

static void on_route(void *arg, const struct host_route *route, bool gone)
{
	struct site *s = arg;
	struct err e = { "" };

	if (s->engine && !s->detached)
		table_result(s, engine_route(s->engine, route, gone, &e), &e);
	publish_later(s, FACTS_DELAY_MS);
}

static void on_neighbour(void *arg, const struct host_neighbour *neighbour, bool gone)
{
	struct site *s = arg;
	struct err e = { "" };

	if (!find_port(s, neighbour->ifindex))
		return;
	if (s->engine && !s->detached)
		table_result(s, engine_neighbour(s->engine, neighbour, gone, &e), &e);
	if (s->keeper)
		keeper_event(s->keeper, neighbour);
}

/* The mirror has told each difference already. */
static void on_resync(void *arg)
{
	log_warn("messages of the kernel about routes and neighbours were lost; all was read anew");
	publish_later(arg, 0);
}

/* Waits until the next path is to be forgotten. */
static void age_later(struct site *s)
{
	uint64_t next = paths_next(s->paths), now = clock_ms();
	uint64_t wait = next > now ? next - now : 1;
	struct timeval tv = { (time_t)(wait / 1000), (suseconds_t)(wait % 1000 * 1000) };

	if (next)
		event_add(s->age, &tv);
}

void facts_age_event(int fd, short what, void *arg)
{
	struct site *s = arg;

	(void)fd;
	(void)what;
	if (paths_expire(s->paths, clock_ms()))
		publish_later(s, 0);
	age_later(s);
}

void facts_path_told(
	void *arg, const struct addr *from, const struct addr *to, uint16_t port, uint32_t mtu)
{
	struct site *s = arg;
	char text[ADDR_TEXT];

	if (!paths_are_ours(s->published, from, to, port) ||
		!paths_told(s->paths, to, mtu, clock_ms()))
		return;
	log_info("tunnels to %s may be %u bytes long: ICMP says that its path takes no more",
		addr_text(to, text), paths_mtu(s->paths, to));
	age_later(s);
	publish_later(s, 0);
}

struct feed {
	struct site *site;
	struct err *e;
	int err;
};

static bool feed_route(void *arg, const struct host_route *route)
{
	struct feed *f = arg;

	f->err = engine_route(f->site->engine, route, false, f->e);
	return !f->err;
}

static bool feed_neighbour(void *arg, const struct host_neighbour *neighbour)
{
	struct feed *f = arg;

	on_neighbour(f->site, neighbour, false);
	return true;
}

int facts_feed(struct site *s, struct err *e)
{
	struct feed f = { .site = s, .e = e };

	host_each_route(s->host, feed_route, &f);
	if (!f.err)
		host_each_neighbour(s->host, feed_neighbour, &f);
	return f.err;
}

/* A device of the host's, whatever name the interface goes by. */
static int read_port(
	const struct host *h, const struct host_link *link, struct site_port *p, struct err *e)
{
	const struct host_link *real;
	struct host_stack stack;
	int err = host_stack(h, link, &stack, e);

	if (err)
		return err;
	real = host_link_by_index(h, stack.device);
	snprintf(p->real, sizeof p->real, "%s", real->name);
	p->real_mtu = real->mtu;
	port_set(p, link, &stack);
	return 0;
}

static int find_port_of(
	struct site *s, const struct conf_interface *i, struct site_port *p, struct err *e)
{
	const struct host_link *link = host_link_by_name(s->host, i->device);
	int err;

	if (!link)
		return err_set(e, -ENODEV,
			"%s:%d: interface \"%s\": this host has no device \"%s\"; create it or correct "
			"\"device\"",
			s->live->path, i->line, i->name, i->device);
	err = read_port(s->host, link, p, e);
	if (err)
		return err_prefix(
			e, err, "%s:%d: interface \"%s\"", s->live->path, i->line, i->name);
	snprintf(p->device, sizeof p->device, "%s", i->device);
	if (!p->up)
		log_warn("interface %s is down: no packets come in until it is up", p->device);
	return 0;
}

static int find_ports(struct site *s, struct err *e)
{
	const struct conf *c = s->live->conf;
	int err = 0;

	s->ports = calloc((size_t)c->n_interfaces + 1, sizeof *s->ports);
	if (!s->ports)
		return err_set(e, -ENOMEM, "out of memory");
	for (; s->n_ports < c->n_interfaces && !err; s->n_ports++)
		err = find_port_of(s, &c->interfaces[s->n_ports], &s->ports[s->n_ports], e);
	return err;
}

static const struct host_callbacks callbacks = {
	.link = on_link,
	.address = on_address,
	.route = on_route,
	.neighbour = on_neighbour,
	.resync = on_resync,
};

static int find_again(const struct host *h, struct site_port *ports, unsigned n, struct err *e)
{
	int err = 0;

	for (unsigned i = 0; i < n && !err; i++) {
		const struct host_link *link = host_link_by_name(h, ports[i].device);

		err = link ? read_port(h, link, &ports[i], e)
			   : err_set(e, -ENODEV, "this host has no device \"%s\" any more",
				     ports[i].device);
	}
	return err;
}

/* Returns 0, or a negative errno and a sentence, and nothing then. */
static int mirror_again(struct site *s, struct site_port *ports, struct host **host,
	struct keeper **keeper, struct err *e)
{
	int err = host_new(host, s->base, &callbacks, s, e);

	if (err)
		return err;
	err = find_again(*host, ports, s->n_ports, e);
	if (!err)
		err = keeper_new(keeper, s->base, *host, e);
	if (err)
		host_free(*host);
	return err;
}

int facts_reopen(struct site *s, struct host **before, struct err *e)
{
	struct site_port *ports = calloc((size_t)s->n_ports + 1, sizeof *ports);
	struct keeper *keeper;
	struct host *host;
	int err;

	if (!ports)
		return err_set(e, -ENOMEM, "out of memory");
	for (unsigned i = 0; i < s->n_ports; i++)
		ports[i] = s->ports[i];
	err = mirror_again(s, ports, &host, &keeper, e);
	if (err) {
		free(ports);
		return err;
	}
	keeper_free(s->keeper);
	free(s->ports);
	s->keeper = keeper;
	s->ports = ports;
	*before = s->host;
	s->host = host;
	return 0;
}

static bool forget_route(void *arg, const struct host_route *route)
{
	struct site *s = arg;
	const struct host_route *is = host_route_lookup(s->host, &route->dst);
	struct err e;

	if (!is || is->plen != route->plen)
		engine_route(s->engine, route, true, &e);
	return true;
}

void facts_forget(struct site *s, const struct host *before)
{
	host_each_route(before, forget_route, s);
}

int facts_port_on(
	struct site *s, unsigned port, uint32_t ifindex, struct snapshot_port *out, struct err *e)
{
	const struct host_link *link = host_link_by_index(s->host, ifindex);
	struct site_port p = s->ports[port];
	int err;

	if (!link)
		return err_set(e, -ENODEV, "the device of interface %s is not there", p.device);
	err = read_port(s->host, link, &p, e);
	*out = p.facts;
	return err ? err_prefix(e, err, "interface %s", p.device) : 0;
}

int facts_open(struct site *s, struct err *e)
{
	int err = host_new(&s->host, s->base, &callbacks, s, e);

	return err ? err : find_ports(s, e);
}

/* What was added here for another configuration is about to be taken away. */
static int check_address(const struct site *s, const char *kind, const char *name,
	const struct addr *addr, struct err *e)
{
	uint32_t ifindex = host_owns(s->host, addr);
	const struct host_link *link = ifindex ? host_link_by_index(s->host, ifindex) : NULL;
	char text[ADDR_TEXT];

	if (!ifindex || nic_has_added(s->nic, addr))
		return 0;
	return err_set(e, -EADDRINUSE,
		"%s \"%s\": address %s is in use: this host itself has it on interface %s; remove "
		"it there "
		"(tandem answers for it, the host must not) or choose another",
		kind, name, addr_text(addr, text), link ? link->name : "?");
}

/* Looks for a device that has the MAC address. */
struct holder {
	const uint8_t *mac;
	const char *device;
};

static bool is_not_holder(void *arg, const struct host_link *link)
{
	struct holder *h = arg;

	if (link->ethernet && !memcmp(link->mac, h->mac, sizeof link->mac))
		h->device = link->name;
	return !h->device;
}

/* A virtual MAC address may be that of the VIP's own interface, which the devices under it may have as well. */
static int check_mac(
	const struct site *s, const struct conf *c, const struct conf_vip *v, struct err *e)
{
	const struct site_port *port = facts_port(s, c->interfaces[v->interface].device);
	struct holder holder = { .mac = v->mac };
	char text[MAC_TEXT];

	if (!mac_is_unicast(v->mac) || !memcmp(port->facts.mac, v->mac, sizeof v->mac))
		return 0;
	host_each_link(s->host, is_not_holder, &holder);
	if (!holder.device)
		return 0;
	return err_set(e, -EADDRINUSE,
		"vip \"%s\": mac %s is in use: interface %s of this host has it; choose another, or "
		"remove "
		"the key",
		v->name, mac_text(v->mac, text), holder.device);
}

int facts_check_addresses(const struct site *s, const struct conf *c, struct err *e)
{
	int err = 0;

	for (unsigned i = 0; i < c->n_vips && !err; i++)
		if (!c->vips[i].local)
			err = check_address(s, "vip", c->vips[i].name, &c->vips[i].address, e);
	for (unsigned i = 0; i < c->n_gateways && !err; i++)
		err = check_address(s, "gateway", c->gateways[i].name, &c->gateways[i].address, e);
	for (unsigned i = 0; i < c->n_vips && !err; i++)
		err = check_mac(s, c, &c->vips[i], e);
	return err;
}

const struct site_port *facts_port(const struct site *s, const char *device)
{
	unsigned i = 0;

	while (i + 1 < s->n_ports && strcmp(s->ports[i].device, device))
		i++;
	return &s->ports[i];
}

/* The host's addresses, as they are collected. */
struct own {
	struct host_address *list;
	unsigned n, room;
	bool failed;
};

static bool collect_own(void *arg, const struct host_address *address)
{
	struct own *own = arg;
	struct host_address *list = own->list;

	if (own->n == own->room) {
		own->room = own->room ? own->room * 2 : 16;
		list = realloc(list, own->room * sizeof *list);
		own->failed = !list;
		if (own->failed)
			return false;
		own->list = list;
	}
	list[own->n++] = *address;
	return true;
}

static int set_sources(const struct site *s, const struct conf *c, struct build_hop *hops)
{
	bool *wanted = build_tunnel_pools(c);
	struct own own = { .n = 0 };

	host_each_address(s->host, collect_own, &own);
	for (unsigned i = 0; wanted && !own.failed && i < c->n_servers; i++)
		if (wanted[c->servers[i].pool])
			build_source(&hops[i], c, &c->servers[i].address, own.list, own.n);
	free(own.list);
	free(wanted);
	return wanted && !own.failed ? 0 : -ENOMEM;
}

int facts_get(const struct site *s, const struct conf *c, struct snapshot_port **ports,
	struct build_hop **hops)
{
	int rc;

	*ports = calloc((size_t)c->n_interfaces + 1, sizeof **ports);
	*hops = calloc((size_t)c->n_servers + 1, sizeof **hops);
	if (!*ports || !*hops) {
		free(*ports);
		free(*hops);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < c->n_interfaces; i++)
		(*ports)[i] = facts_port(s, c->interfaces[i].device)->facts;
	for (unsigned i = 0; i < c->n_servers; i++) {
		const struct addr *server = &c->servers[i].address;

		(*hops)[i] = build_hop(
			host_route_lookup(s->host, server), server, *ports, c->n_interfaces);
		(*hops)[i].mtu = paths_mtu(s->paths, server);
	}
	rc = set_sources(s, c, *hops);
	if (rc) {
		free(*ports);
		free(*hops);
	}
	return rc;
}
