/* SPDX-License-Identifier: BSD-2-Clause */
/* What devices are told for the engine's sake: the ones that the XDP engine's program runs on give frames as they came; the interfaces
 * take in what is sent to the solicited-node groups of their addresses, and to virtual MAC addresses. lo has the VIPs that this host
 * serves itself. The DPDK engine sees to its devices alone: the taps that the host has in their place filter nothing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/base/log.h"
#include "controlplane/base/mac.h"
#include "controlplane/pools/site_impl.h"

/* Wants in the making: one per interface for its groups and MAC addresses, then one per device, or part of one, for its frames. */
struct plan {
	struct nic_want *wants;
	unsigned n;
	uint8_t (*groups)[6]; /* of all interfaces, one after the other */
	uint8_t (*macs)[6];   /* likewise */
	unsigned n_groups, n_macs;
	struct addr *locals;
};

static int plan_alloc(struct plan *p, const struct conf *c)
{
	*p = (struct plan){ 0 };
	p->wants = calloc(c->n_interfaces * (2u + SNAPSHOT_PARTS) + 1u, sizeof *p->wants);
	p->groups = calloc(c->n_vips + c->n_gateways + 1u, sizeof *p->groups);
	p->macs = calloc(c->n_vips + 1u, sizeof *p->macs);
	p->locals = calloc(c->n_vips + 1u, sizeof *p->locals);
	return p->wants && p->groups && p->macs && p->locals ? 0 : -ENOMEM;
}

static void plan_free(struct plan *p)
{
	free(p->wants);
	free(p->groups);
	free(p->macs);
	free(p->locals);
}

static void add_group(struct plan *p, const struct addr *a)
{
	if (a->af == 6)
		nic_solicited_node(a->bytes, p->groups[p->n_groups++]);
}

/* Adds a virtual one to those of an interface, which begin at `first`, once. What is the interface's own is in no filter. */
static void add_mac(struct plan *p, unsigned first, const uint8_t mac[6], const uint8_t own[6])
{
	if (!mac_is_unicast(mac) || !memcmp(mac, own, 6))
		return;
	for (unsigned i = first; i < p->n_macs; i++)
		if (!memcmp(p->macs[i], mac, 6))
			return;
	memcpy(p->macs[p->n_macs++], mac, 6);
}

static void plan_addresses(
	struct plan *p, const struct conf *c, unsigned interface, const struct site_port *port)
{
	unsigned first = p->n_groups, first_mac = p->n_macs;

	for (unsigned i = 0; i < c->n_vips; i++)
		if (c->vips[i].interface == interface) {
			add_group(p, &c->vips[i].address);
			add_mac(p, first_mac, c->vips[i].mac, port->facts.mac);
		}
	for (unsigned i = 0; i < c->n_gateways; i++)
		if (c->gateways[i].interface == interface)
			add_group(p, &c->gateways[i].address);
	p->wants[p->n++] = (struct nic_want){ .device = port->device,
		.ifindex = port->facts.ifindex,
		.groups = (const uint8_t(*)[6]) & p->groups[first],
		.n_groups = p->n_groups - first,
		.macs = (const uint8_t(*)[6]) & p->macs[first_mac],
		.n_macs = p->n_macs - first_mac };
}

static void plan_frames(const struct site *s, struct plan *p, uint32_t ifindex)
{
	const struct host_link *link = host_link_by_index(s->host, ifindex);

	if (link)
		p->wants[p->n++] = (struct nic_want){
			.device = link->name, .ifindex = ifindex, .plain = true
		};
}

static void plan_port(
	const struct site *s, struct plan *p, const struct conf *c, unsigned interface)
{
	const struct site_port *port = facts_port(s, c->interfaces[interface].device);

	if (!port->present)
		return;
	plan_addresses(p, c, interface, port);
	plan_frames(s, p, port->facts.device);
	for (unsigned i = 0; i < port->facts.n_parts; i++)
		plan_frames(s, p, port->facts.parts[i]);
}

/* What the program runs on beside the interface's own device. */
static void plan_below(const struct site *s, struct plan *p, const struct engine_port *port)
{
	if (port->real_ifindex != port->ifindex)
		plan_frames(s, p, port->real_ifindex);
	for (unsigned i = 0; i < port->n_parts; i++)
		plan_frames(s, p, port->parts[i]);
}

static void plan_locals(const struct site *s, struct plan *p, const struct conf *c)
{
	const struct host_link *lo = host_link_by_name(s->host, "lo");
	unsigned n = 0;

	for (unsigned i = 0; i < c->n_vips; i++)
		if (c->vips[i].local)
			p->locals[n++] = c->vips[i].address;
	if (lo && n)
		p->wants[p->n++] = (struct nic_want){ .device = lo->name,
			.ifindex = lo->ifindex,
			.addresses = p->locals,
			.n_addresses = n };
}

/* Each fault is logged when it is new. */
static void tell_faults(const struct nic *n, struct err *last)
{
	const char *first = nic_fault(n, 0);

	if (first && strcmp(last->text, first) != 0)
		for (size_t i = 0; nic_fault(n, i); i++)
			log_warn("%s", nic_fault(n, i));
	snprintf(last->text, sizeof last->text, "%s", first ? first : "");
}

/* Whatever plan there is; rc: 0, or that there was no memory for one. */
static void carry_out(struct site *s, struct plan *p, const struct conf *c, int rc)
{
	struct err e;

	if (rc)
		err_set(&e, rc, "out of memory: devices are left as they are");
	if (!rc) {
		plan_locals(s, p, c);
		rc = nic_apply(s->nic, p->wants, p->n, &e);
	}
	plan_free(p);
	if (rc) {
		if (strcmp(s->nic_fault.text, e.text) != 0)
			log_error("%s", e.text);
		s->nic_fault = e;
		return;
	}
	tell_faults(s->nic, &s->nic_fault);
}

void nics_apply(struct site *s, const struct conf *c)
{
	bool taps = engine_type(s->engine) == CONF_ENGINE_DPDK;
	struct plan p;
	int rc = plan_alloc(&p, c);

	for (unsigned i = 0; i < c->n_interfaces && !rc && !taps; i++)
		plan_port(s, &p, c, i);
	carry_out(s, &p, c, rc);
}

void nics_prepare(struct site *s, const struct conf *c)
{
	const struct engine_port *ports;
	struct plan p;
	int rc = plan_alloc(&p, c);
	unsigned n;

	ports = engine_ports(s->engine, &n);
	for (unsigned i = 0; i < n && !rc; i++)
		plan_below(s, &p, &ports[i]);
	carry_out(s, &p, c, rc);
}
