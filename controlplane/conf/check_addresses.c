/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices and addresses: each belongs to one object. */
#include <errno.h>
#include <string.h>
#include "controlplane/conf/check.h"
#include "controlplane/conf/claims.h"
#include "controlplane/conf/diag.h"

static void same_device(void *arg, const struct conf_claim *first, const struct conf_claim *other)
{
	struct conf_tree *t = arg;
	const struct conf_interface *a = &t->conf->interfaces[first->object],
				    *b = &t->conf->interfaces[other->object];

	diags_add(t->diags, DIAG_ERROR, t->text,
		conf_tree_spot(t, CONF_INTERFACE, other->object, "device"),
		"interface \"%.63s\" has the same device \"%s\" as interface \"%.63s\" (line %d)",
		b->name, b->device, a->name, a->line);
}

static int check_devices(struct conf_tree *t)
{
	unsigned n = 0;
	struct conf_claim *list = conf_memory_take(t->memory, t->conf->n_interfaces, sizeof *list);

	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; i < t->conf->n_interfaces; i++)
		if (!conf_tree_bad(t, CONF_INTERFACE, i, "device"))
			list[n++] = (struct conf_claim){ .word = t->conf->interfaces[i].device,
				.kind = CONF_INTERFACE,
				.object = i };
	conf_claims_clashes(t, list, n, same_device, t);
	return 0;
}

static void same_port(void *arg, const struct conf_claim *first, const struct conf_claim *other)
{
	struct conf_tree *t = arg;
	const struct conf_interface *a = &t->conf->interfaces[first->object],
				    *b = &t->conf->interfaces[other->object];

	diags_add(t->diags, DIAG_ERROR, t->text,
		conf_tree_spot(t, CONF_INTERFACE, other->object, "port"),
		"interface \"%.63s\" has the same port \"%s\" as interface \"%.63s\" (line %d)",
		b->name, other->word, a->name, a->line);
}

/* Virtual devices are told apart by their names, whatever their arguments. */
static int check_dpdk_ports(struct conf_tree *t)
{
	unsigned n = 0;
	struct conf_claim *list = conf_memory_take(t->memory, t->conf->n_interfaces, sizeof *list);

	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; i < t->conf->n_interfaces; i++) {
		char *name;

		if (!t->conf->interfaces[i].port)
			continue;
		name = conf_memory_copy(t->memory, t->conf->interfaces[i].port);
		if (!name)
			return -ENOMEM;
		name[strcspn(name, ",")] = '\0';
		list[n++] =
			(struct conf_claim){ .word = name, .kind = CONF_INTERFACE, .object = i };
	}
	conf_claims_clashes(t, list, n, same_port, t);
	return 0;
}

/* Adds the addresses of VIPs or gateways to a list of claims and returns its new length. */
static size_t claim_addresses(
	const struct conf_tree *t, enum conf_kind kind, struct conf_claim *list, size_t n)
{
	for (unsigned i = 0; i < conf_count(t->conf, kind); i++) {
		const struct addr *a = kind == CONF_VIP ? &t->conf->vips[i].address
							: &t->conf->gateways[i].address;
		if (a->af)
			list[n++] = (struct conf_claim){ .address = *a, .kind = kind, .object = i };
	}
	return n;
}

static void same_address(void *arg, const struct conf_claim *first, const struct conf_claim *other)
{
	struct conf_tree *t = arg;
	char text[ADDR_TEXT], a[CONF_LABEL], b[CONF_LABEL];

	diags_add(t->diags, DIAG_ERROR, t->text,
		conf_tree_spot(t, other->kind, other->object, "address"),
		"%s has the same address %s as %s (line %u)",
		conf_tree_name(t, other->kind, other->object, b), addr_text(&other->address, text),
		conf_tree_name(t, first->kind, first->object, a),
		conf_tree_object_spot(t, first->kind, first->object)->line);
}

static void server_is_ours(struct conf_tree *t, unsigned server, const struct conf_claim *ours)
{
	char text[ADDR_TEXT], a[CONF_LABEL], b[CONF_LABEL];

	diags_add(t->diags, DIAG_ERROR, t->text, conf_tree_spot(t, CONF_SERVER, server, "address"),
		"%s has the address %s, which is this machine's own: that of %s (line %u)",
		conf_tree_name(t, CONF_SERVER, server, a),
		addr_text(&t->conf->servers[server].address, text),
		conf_tree_name(t, ours->kind, ours->object, b),
		conf_tree_object_spot(t, ours->kind, ours->object)->line);
}

static void mark_chain(const struct conf *c, unsigned pool, bool *pools)
{
	for (int p = (int)pool; p >= 0; p = conf_pool_fallback(c, (unsigned)p))
		pools[p] = true;
}

/* Two servers of a pool with the same address and port would be one server that counts twice. With dsr
 * and tunnels servers have no port but the service's. */
static int check_pools(struct conf_tree *t)
{
	const struct conf *c = t->conf;
	bool *kept = conf_memory_take(t->memory, c->n_pools, sizeof *kept);
	struct conf_claim *list = conf_memory_take(t->memory, c->n_servers, sizeof *list);
	size_t n = 0;

	if (!list || !kept)
		return -ENOMEM;
	for (unsigned i = 0; i < c->n_services; i++)
		if (c->services[i].pool != CONF_NO_REF &&
			conf_tree_sure(t, CONF_SERVICE, i, "forward") &&
			c->services[i].forward != CONF_FORWARD_NAT)
			mark_chain(c, c->services[i].pool, kept);
	for (unsigned i = 0; i < c->n_servers; i++) {
		const struct conf_server *s = &c->servers[i];
		if (s->address.af && !conf_tree_bad(t, CONF_SERVER, i, "port"))
			list[n++] = (struct conf_claim){ .scope = s->pool,
				.address = s->address,
				.port = kept[s->pool] ? 0 : s->port,
				.kind = CONF_SERVER,
				.object = i };
	}
	conf_claims_clashes(t, list, n, same_address, t);
	return 0;
}

int conf_check_addresses(struct conf_tree *t)
{
	size_t n;
	struct conf_claim *ours = conf_memory_take(
		t->memory, (size_t)t->conf->n_vips + t->conf->n_gateways, sizeof *ours);

	if (!ours || check_devices(t) || check_dpdk_ports(t) || check_pools(t))
		return -ENOMEM;
	n = claim_addresses(t, CONF_GATEWAY, ours, claim_addresses(t, CONF_VIP, ours, 0));
	conf_claims_clashes(t, ours, n, same_address, t);
	for (unsigned i = 0; i < t->conf->n_servers; i++) {
		const struct conf_claim *found =
			conf_claims_find(ours, n, &t->conf->servers[i].address);
		if (found)
			server_is_ours(t, i, found);
	}
	return 0;
}
