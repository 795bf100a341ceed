/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/engine/neighbours.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NEIGHBOURS_MAX_PORTS = 64 };

/* Our side of a row. */
struct row {
	bool taken, confirmed, marked, live;
	uint32_t routes;
};

struct neighbours {
	struct l4_neighbour *rows;
	struct row *own;
	uint32_t n;
	uint32_t *free; /* ring buffer of free rows, oldest first */
	uint32_t free_head, n_free;
	int index_map;
	struct neighbour_port ports[NEIGHBOURS_MAX_PORTS];
	unsigned n_ports;
};

int neighbours_new(struct neighbours **out, struct l4_neighbour *rows, uint32_t n, int index_map)
{
	struct neighbours *t = calloc(1, sizeof *t);

	if (!t)
		return -ENOMEM;
	t->own = calloc(n, sizeof *t->own);
	t->free = calloc(n, sizeof *t->free);
	if (!t->own || !t->free) {
		neighbours_free(t);
		return -ENOMEM;
	}
	t->rows = rows;
	t->n = t->n_free = n;
	t->index_map = index_map;
	for (uint32_t i = 0; i < n; i++)
		t->free[i] = i;
	*out = t;
	return 0;
}

void neighbours_free(struct neighbours *t)
{
	if (!t)
		return;
	free(t->own);
	free(t->free);
	free(t);
}

static const struct neighbour_port *find_port(const struct neighbours *t, uint32_t ifindex)
{
	for (unsigned i = 0; i < t->n_ports; i++)
		if (t->ports[i].ifindex == ifindex)
			return &t->ports[i];
	return NULL;
}

bool neighbours_has_port(const struct neighbours *t, uint32_t ifindex)
{
	return find_port(t, ifindex);
}

static void row_set_port(struct l4_neighbour *r, const struct neighbour_port *p)
{
	memcpy(r->src_mac, p->mac, sizeof r->src_mac);
	r->mtu = p->mtu;
	r->device = p->device;
	memcpy(r->tags, p->tags, sizeof r->tags);
}

int neighbours_set_ports(struct neighbours *t, const struct neighbour_port *ports, unsigned n)
{
	if (n > NEIGHBOURS_MAX_PORTS)
		return -ENOSPC;
	memcpy(t->ports, ports, n * sizeof *ports);
	t->n_ports = n;
	for (uint32_t i = 0; i < t->n; i++) {
		const struct neighbour_port *p = t->own[i].taken ? find_port(t, t->rows[i].ifindex)
								 : NULL;

		if (p)
			row_set_port(&t->rows[i], p);
	}
	return 0;
}

static struct l4_neighbour_key row_key(uint32_t ifindex, const struct addr *a)
{
	struct l4_neighbour_key k = { .ifindex = ifindex, .is6 = a->af == 6 };

	memcpy(k.address, a->bytes, addr_size(a));
	return k;
}

static void row_free(struct neighbours *t, uint32_t row)
{
	struct l4_neighbour *r = &t->rows[row];
	struct l4_neighbour_key key = { .ifindex = r->ifindex, .is6 = r->is6 };

	memcpy(key.address, r->address, sizeof key.address);
	bpf_map_delete_elem(t->index_map, &key);
	__atomic_store_n(&r->mac_state, 0, __ATOMIC_RELAXED);
	t->own[row] = (struct row){ 0 };
	t->free[(t->free_head + t->n_free++) % t->n] = row;
}

static void row_free_if_unused(struct neighbours *t, uint32_t row)
{
	const struct row *o = &t->own[row];

	if (o->taken && !o->confirmed && !o->marked && !o->live && !o->routes)
		row_free(t, row);
}

int neighbours_get(struct neighbours *t, uint32_t ifindex, const struct addr *a, uint32_t *row)
{
	const struct neighbour_port *port = find_port(t, ifindex);
	struct l4_neighbour_key key = row_key(ifindex, a);
	struct l4_neighbour *r;

	if (!port)
		return -ENODEV;
	if (!bpf_map_lookup_elem(t->index_map, &key, row))
		return 0;
	if (!t->n_free)
		return -ENOSPC;
	*row = t->free[t->free_head];
	r = &t->rows[*row];
	memset(r, 0, sizeof *r);
	r->ifindex = ifindex;
	r->is6 = key.is6;
	memcpy(r->address, key.address, sizeof r->address);
	row_set_port(r, port);
	if (bpf_map_update_elem(t->index_map, &key, row, BPF_ANY))
		return -ENOSPC;
	t->free_head = (t->free_head + 1) % t->n;
	t->n_free--;
	t->own[*row] = (struct row){ .taken = true };
	return 0;
}

static bool row_is(const struct neighbours *t, uint32_t row, const struct l4_neighbour_key *key)
{
	const struct l4_neighbour *r = &t->rows[row];

	return t->own[row].taken && r->ifindex == key->ifindex && r->is6 == key->is6 &&
	       !memcmp(r->address, key->address, sizeof r->address);
}

int neighbours_get_again(
	struct neighbours *t, uint32_t ifindex, const struct addr *a, uint32_t *row)
{
	struct l4_neighbour_key key = row_key(ifindex, a);

	if (*row < t->n && row_is(t, *row, &key) && find_port(t, ifindex))
		return 0;
	return neighbours_get(t, ifindex, a, row);
}

int neighbours_learn(struct neighbours *t, uint32_t ifindex, const struct addr *a,
	const uint8_t *mac, bool confirmed)
{
	struct l4_neighbour_key key = row_key(ifindex, a);
	struct l4_neighbour way = { 0 };
	uint32_t row;
	int rc;

	if (!mac) {
		if (bpf_map_lookup_elem(t->index_map, &key, &row))
			return 0;
		__atomic_store_n(&t->rows[row].mac_state, 0, __ATOMIC_RELAXED);
		t->own[row].confirmed = false;
		row_free_if_unused(t, row);
		return 0;
	}
	rc = neighbours_get(t, ifindex, a, &row);
	if (rc)
		return rc;
	memcpy(way.mac, mac, sizeof way.mac);
	way.usable = 1;
	__atomic_store_n(&t->rows[row].mac_state, way.mac_state, __ATOMIC_RELAXED);
	t->own[row].confirmed = confirmed;
	return 0;
}

void neighbours_route_get(struct neighbours *t, uint32_t row)
{
	t->own[row].routes++;
}

void neighbours_route_put(struct neighbours *t, uint32_t row)
{
	t->own[row].routes--;
	row_free_if_unused(t, row);
}

void neighbours_mark(struct neighbours *t, uint32_t row)
{
	t->own[row].marked = true;
}

void neighbours_settle(struct neighbours *t, bool published)
{
	for (uint32_t i = 0; i < t->n; i++) {
		struct row *o = &t->own[i];

		if (!o->taken)
			continue;
		if (published)
			o->live = o->marked;
		o->marked = false;
		row_free_if_unused(t, i);
	}
}

void neighbours_sweep(struct neighbours *t,
	void (*fn)(void *arg, uint32_t ifindex, const struct addr *a), void *arg)
{
	for (uint32_t i = 0; i < t->n; i++) {
		struct l4_neighbour *r = &t->rows[i];
		struct addr a = { 0 };

		if (!t->own[i].taken)
			continue;
		if (!__atomic_exchange_n(&r->used, 0, __ATOMIC_RELAXED)) {
			row_free_if_unused(t, i);
			continue;
		}
		a.af = r->is6 ? 6 : 4;
		memcpy(a.bytes, r->address, addr_size(&a));
		fn(arg, r->ifindex, &a);
	}
}
