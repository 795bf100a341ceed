/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine's interfaces: as they are when it is opened, and as each generation has them. */
#include <errno.h>
#include <string.h>
#include "controlplane/engine/body.h"

int engine_open_ports(struct engine *en, const struct engine_options *o)
{
	struct neighbour_port ports[ENGINE_MAX_PORTS];

	if (o->n_links > sizeof en->ports / sizeof *en->ports)
		return -E2BIG;
	for (unsigned i = 0; i < o->n_links; i++) {
		const struct host_link *l = o->links[i], *real = o->devices ? o->devices[i] : l;
		const char *name = o->aliases ? o->aliases[i].device : l->name;
		struct engine_port *p = &en->ports[i];

		*p = (struct engine_port){ .ifindex = l->ifindex, .mode = "none" };
		p->real_ifindex = real->ifindex;
		p->real_mtu = real->mtu;
		memcpy(p->device, name, sizeof p->device);
		memcpy(p->mac, l->mac, sizeof p->mac);
		memcpy(p->real, real == l ? name : real->name, sizeof p->real);
		ports[i] =
			(struct neighbour_port){ .ifindex = l->ifindex, .device = real->ifindex };
		ports[i].mtu = (uint16_t)(l->mtu > UINT16_MAX ? UINT16_MAX : l->mtu);
		memcpy(ports[i].mac, l->mac, sizeof ports[i].mac);
	}
	en->n_ports = o->n_links;
	en->n_aliases = o->aliases ? o->n_links : 0;
	for (unsigned i = 0; i < en->n_aliases; i++)
		en->aliases[i] = o->aliases[i];
	return neighbours_set_ports(en->neighbours, ports, o->n_links);
}

static void learn_port(struct engine_port *p, const struct snapshot_port *from)
{
	memcpy(p->mac, from->mac, sizeof p->mac);
	snapshot_tags(from, p->tags);
	p->n_parts = from->n_parts;
	memcpy(p->parts, from->parts, sizeof p->parts);
}

int engine_learn_ports(struct engine *en, const struct snapshot_input *in)
{
	struct neighbour_port ports[ENGINE_MAX_PORTS];

	if (in->n_ports > sizeof ports / sizeof *ports)
		return -E2BIG;
	for (uint32_t i = 0; i < in->n_ports; i++) {
		ports[i].ifindex = in->ports[i].ifindex;
		ports[i].mtu = in->ports[i].mtu;
		memcpy(ports[i].mac, in->ports[i].mac, sizeof ports[i].mac);
		ports[i].device = snapshot_device(&in->ports[i]);
		snapshot_tags(&in->ports[i], ports[i].tags);
		for (unsigned k = 0; k < en->n_ports; k++)
			if (en->ports[k].ifindex == ports[i].ifindex)
				learn_port(&en->ports[k], &in->ports[i]);
	}
	return neighbours_set_ports(en->neighbours, ports, in->n_ports);
}

const struct engine_port *engine_ports(const struct engine *en, unsigned *n)
{
	*n = en->n_ports;
	return en->ports;
}
