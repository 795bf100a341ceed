/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/snapshot/macs.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t none[6];

static bool is_given(const uint8_t mac[6])
{
	return memcmp(mac, none, sizeof none) != 0;
}

uint32_t macs_count(const struct snapshot_input *in)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < in->n_addresses; i++)
		n += is_given(in->addresses[i].mac);
	return n;
}

static const struct snapshot_port *port_of(const struct snapshot_input *in, uint32_t ifindex)
{
	for (uint32_t i = 0; i < in->n_ports; i++)
		if (in->ports[i].ifindex == ifindex)
			return &in->ports[i];
	return NULL;
}

const uint8_t *macs_answer(const struct snapshot_input *in, const struct snapshot_address *a)
{
	const struct snapshot_port *p = port_of(in, a->ifindex);

	return is_given(a->mac) ? a->mac : p ? p->mac : none;
}

/* One that is the port's own is nothing to look for. */
static bool is_virtual(const struct snapshot_address *a, const struct snapshot_port *p)
{
	return p && a->ifindex == p->ifindex && is_given(a->mac) &&
	       memcmp(a->mac, p->mac, sizeof p->mac) != 0;
}

bool macs_has_virtual(const struct snapshot_input *in, const struct snapshot_port *p)
{
	for (uint32_t i = 0; i < in->n_addresses; i++)
		if (is_virtual(&in->addresses[i], p))
			return true;
	return false;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct l4_key));
}

static void key_set(struct l4_key *k, const struct snapshot_address *a)
{
	*k = (struct l4_key){ .address = { a->ifindex }, .kind = L4_KIND_MAC };
	memcpy(&k->address[1], a->mac, sizeof a->mac);
}

int macs_keys(const struct snapshot_input *in, struct l4_key **out)
{
	struct l4_key *keys = calloc(macs_count(in) + 1u, sizeof *keys);
	int n = 0, distinct = 0;

	if (!keys)
		return -ENOMEM;
	for (uint32_t i = 0; i < in->n_addresses; i++)
		if (is_virtual(&in->addresses[i], port_of(in, in->addresses[i].ifindex)))
			key_set(&keys[n++], &in->addresses[i]);
	qsort(keys, (size_t)n, sizeof *keys, compare);
	for (int i = 0; i < n; i++)
		if (!distinct || compare(&keys[distinct - 1], &keys[i]))
			keys[distinct++] = keys[i];
	*out = keys;
	return distinct;
}
