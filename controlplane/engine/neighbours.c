/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/engine/neighbours.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { NEIGHBOURS_MAX_PORTS = 64 };

/* Our side of a row. Its key is not read back from the table, which engines write too. */
struct row {
	struct l4_neighbour_key key; /* all zero: the row is free */
	bool taken, confirmed, marked, live, inherited;
	uint32_t routes;
	uint32_t next; /* in its chain */
};

struct neighbours {
	struct l4_neighbour *rows;
	struct row *own;
	uint32_t n;
	uint32_t *free; /* ring buffer of free rows, oldest first */
	uint32_t free_head, n_free;
	uint32_t *chains; /* rows by the hash of interface and address; L4_NO_NEIGHBOUR ends one */
	uint32_t chain_mask;
	uint64_t hash_key[2]; /* whoever is on the link chooses its addresses */
	const struct neighbours_index *index;
	void *arg;
	struct neighbour_port ports[NEIGHBOURS_MAX_PORTS];
	unsigned n_ports;
};

static int new_chains(struct neighbours *t, uint32_t rows)
{
	uint32_t n = 1;

	while (n < rows)
		n *= 2;
	t->chains = malloc(n * sizeof *t->chains);
	if (!t->chains)
		return -ENOMEM;
	memset(t->chains, 0xff, n * sizeof *t->chains); /* L4_NO_NEIGHBOUR */
	t->chain_mask = n - 1;
	return getrandom(t->hash_key, sizeof t->hash_key, 0) < 0 ? -errno : 0;
}

int neighbours_new(struct neighbours **out, struct l4_neighbour *rows, uint32_t n,
	const struct neighbours_index *index, void *arg)
{
	struct neighbours *t = calloc(1, sizeof *t);
	int rc;

	if (!t)
		return -ENOMEM;
	t->own = calloc(n, sizeof *t->own);
	t->free = calloc(n, sizeof *t->free);
	rc = t->own && t->free ? new_chains(t, n) : -ENOMEM;
	if (rc) {
		neighbours_free(t);
		return rc;
	}
	t->rows = rows;
	t->n = t->n_free = n;
	t->index = index;
	t->arg = arg;
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
	free(t->chains);
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

/* What begins the chain of a key. */
static uint32_t *chain(struct neighbours *t, const struct l4_neighbour_key *key)
{
	struct l4_sip sip = l4_sip_init(t->hash_key);
	uint64_t words[sizeof *key / sizeof(uint64_t)];

	memcpy(words, key, sizeof words);
	for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
		l4_sip_word(&sip, words[i]);
	return &t->chains[l4_sip_end(&sip) & t->chain_mask];
}

static bool row_is(const struct neighbours *t, uint32_t row, const struct l4_neighbour_key *key)
{
	return !memcmp(&t->own[row].key, key, sizeof *key);
}

static bool find_row(struct neighbours *t, const struct l4_neighbour_key *key, uint32_t *row)
{
	uint32_t at = *chain(t, key);

	while (at != L4_NO_NEIGHBOUR && !row_is(t, at, key))
		at = t->own[at].next;
	if (at != L4_NO_NEIGHBOUR)
		*row = at;
	return at != L4_NO_NEIGHBOUR;
}

static void unlink_row(struct neighbours *t, uint32_t row)
{
	uint32_t *at = chain(t, &t->own[row].key);

	while (*at != row)
		at = &t->own[*at].next;
	*at = t->own[row].next;
}

static void row_free(struct neighbours *t, uint32_t row)
{
	t->index->remove(t->arg, &t->own[row].key, row);
	unlink_row(t, row);
	__atomic_store_n(&t->rows[row].mac_state, 0, __ATOMIC_RELAXED);
	t->own[row] = (struct row){ 0 };
	t->free[(t->free_head + t->n_free++) % t->n] = row;
}

static void row_free_if_unused(struct neighbours *t, uint32_t row)
{
	const struct row *o = &t->own[row];

	if (o->taken && !o->confirmed && !o->marked && !o->live && !o->inherited && !o->routes)
		row_free(t, row);
}

int neighbours_get(struct neighbours *t, uint32_t ifindex, const struct addr *a, uint32_t *row)
{
	const struct neighbour_port *port = find_port(t, ifindex);
	struct l4_neighbour_key key = row_key(ifindex, a);
	struct l4_neighbour *r;

	if (!port)
		return -ENODEV;
	if (find_row(t, &key, row))
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
	if (t->index->set(t->arg, &key, *row))
		return -ENOSPC;
	t->free_head = (t->free_head + 1) % t->n;
	t->n_free--;
	t->own[*row] = (struct row){ .key = key, .taken = true, .next = *chain(t, &key) };
	*chain(t, &key) = *row;
	return 0;
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
		if (!find_row(t, &key, &row))
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

int neighbours_inherit(
	struct neighbours *t, uint32_t ifindex, const struct addr *a, const uint8_t *mac)
{
	int rc = neighbours_learn(t, ifindex, a, mac, false);
	uint32_t row;

	if (rc)
		return rc;
	rc = neighbours_get(t, ifindex, a, &row);
	if (rc)
		return rc;
	t->own[row].inherited = true;
	__atomic_store_n(&t->rows[row].used, 1, __ATOMIC_RELAXED);
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
			t->own[i].inherited = false;
			row_free_if_unused(t, i);
			continue;
		}
		a.af = r->is6 ? 6 : 4;
		memcpy(a.bytes, r->address, addr_size(&a));
		fn(arg, r->ifindex, &a);
	}
}
