/* SPDX-License-Identifier: BSD-2-Clause */
/* An engine that is opened while another one has the interfaces: the host speaks of that one's taps, and means the devices below. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/engine/body.h"

static const struct engine_alias *find(const struct engine *en, uint32_t host_ifindex)
{
	for (unsigned i = 0; i < en->n_aliases; i++)
		if (en->aliases[i].ifindex == host_ifindex)
			return &en->aliases[i];
	return NULL;
}

uint32_t engine_own_ifindex(const struct engine *en, uint32_t host_ifindex)
{
	const struct engine_alias *a = find(en, host_ifindex);

	return a ? a->port.ifindex : host_ifindex;
}

static void *copy_of(const void *list, size_t n, size_t size)
{
	void *copy = calloc(n + 1, size);

	if (copy && n)
		memcpy(copy, list, n * size);
	return copy;
}

static void rename_all(const struct engine *en, struct engine_own_input *own)
{
	for (uint32_t i = 0; i < own->in.n_ports; i++) {
		const struct engine_alias *a = find(en, own->ports[i].ifindex);

		if (a)
			own->ports[i] = a->port;
	}
	for (uint32_t i = 0; i < own->in.n_addresses; i++)
		own->addresses[i].ifindex = engine_own_ifindex(en, own->addresses[i].ifindex);
	for (uint32_t i = 0; i < own->in.n_members; i++)
		own->members[i].hop_ifindex = engine_own_ifindex(en, own->members[i].hop_ifindex);
}

int engine_own_input(
	const struct engine *en, const struct snapshot_input *in, struct engine_own_input *own)
{
	*own = (struct engine_own_input){ .in = *in };
	if (!en->n_aliases)
		return 0;
	own->ports = copy_of(in->ports, in->n_ports, sizeof *in->ports);
	own->addresses = copy_of(in->addresses, in->n_addresses, sizeof *in->addresses);
	own->members = copy_of(in->members, in->n_members, sizeof *in->members);
	if (!own->ports || !own->addresses || !own->members) {
		engine_own_input_free(own);
		return -ENOMEM;
	}
	rename_all(en, own);
	own->in.ports = own->ports;
	own->in.addresses = own->addresses;
	own->in.members = own->members;
	return 0;
}

void engine_own_input_free(struct engine_own_input *own)
{
	free(own->ports);
	free(own->addresses);
	free(own->members);
	*own = (struct engine_own_input){ 0 };
}

void engine_end_aliases(struct engine *en)
{
	en->n_aliases = 0;
}
