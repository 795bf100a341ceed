/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/snapshot/rings.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RING_CHAINS = 4096 };

struct ring_store {
	struct ring *chains[RING_CHAINS];
	uint32_t slots_left; /* of what one generation may use, while it is being built */
	uint32_t slots_max;
	uint32_t n_chunks;
	uint8_t *taken; /* per chunk: a ring lies there */
};

uint32_t ring_store_chunks(uint32_t slots)
{
	return slots / L4_CHUNK_SLOTS * 2;
}

struct ring_store *ring_store_new(uint32_t slots)
{
	struct ring_store *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->n_chunks = ring_store_chunks(slots);
	s->slots_max = s->slots_left = slots;
	s->taken = calloc(s->n_chunks + 1, 1);
	if (!s->taken) {
		ring_store_free(s);
		return NULL;
	}
	return s;
}

static void ring_free(struct ring_store *s, struct ring *r)
{
	if (r->chunks)
		memset(s->taken + r->chunk, 0, r->chunks);
	free(r->members);
	free(r->slots);
	free(r);
}

/* Frees the rings for which neither flag is set. */
static void ring_store_sweep(struct ring_store *s)
{
	for (uint32_t i = 0; i < RING_CHAINS; i++) {
		struct ring **at = &s->chains[i];

		while (*at) {
			struct ring *r = *at;

			if (r->live || r->wanted) {
				at = &r->next;
				continue;
			}
			*at = r->next;
			ring_free(s, r);
		}
	}
	s->slots_left = s->slots_max;
}

void ring_store_free(struct ring_store *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < RING_CHAINS; i++)
		for (struct ring *r = s->chains[i]; r; r = r->next)
			r->live = r->wanted = false;
	if (s->taken)
		ring_store_sweep(s);
	free(s->taken);
	free(s);
}

static bool chunks_free(const struct ring_store *s, uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++)
		if (s->taken[i])
			return false;
	return true;
}

/* First fit at multiples of the ring's own size, which is a power of two. */
static int chunks_take(struct ring_store *s, uint32_t n, uint32_t *first)
{
	for (uint32_t at = 0; at + n <= s->n_chunks; at += n) {
		if (!chunks_free(s, at, n))
			continue;
		memset(s->taken + at, 1, n);
		*first = at;
		return 0;
	}
	return -ENOSPC;
}

static uint64_t members_hash(const struct maglev_member *members, uint32_t n)
{
	static const uint64_t key[2];
	struct l4_sip sip = l4_sip_init(key);

	for (uint32_t i = 0; i < n; i++) {
		l4_sip_word(&sip, members[i].identity);
		l4_sip_word(&sip, members[i].weight);
	}
	l4_sip_word(&sip, (uint64_t)(n * 16) << 56);
	return l4_sip_end(&sip);
}

static bool members_equal(const struct ring *r, const struct maglev_member *members, uint32_t n)
{
	if (r->n_members != n)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (r->members[i].identity != members[i].identity ||
			r->members[i].weight != members[i].weight)
			return false;
	return true;
}

static int ring_new(
	struct ring_store *s, const struct maglev_member *members, uint32_t n, struct ring **out)
{
	uint32_t n_slots = maglev_slots(n);
	struct ring *r = calloc(1, sizeof *r);
	int rc = -ENOMEM;

	if (!r)
		return -ENOMEM;
	r->n_members = n;
	r->members = calloc(n ? n : 1, sizeof *members);
	r->slots = calloc(n_slots, sizeof *r->slots);
	if (!r->members || !r->slots)
		goto fail;
	memcpy(r->members, members, n * sizeof *members);
	rc = maglev_fill(members, n, r->slots, n_slots);
	if (rc)
		goto fail;
	rc = chunks_take(s, n_slots / L4_CHUNK_SLOTS, &r->chunk);
	if (rc)
		goto fail;
	r->chunks = n_slots / L4_CHUNK_SLOTS;
	*out = r;
	return 0;
fail:
	ring_free(s, r);
	return rc;
}

int ring_store_get(
	struct ring_store *s, const struct maglev_member *members, uint32_t n, struct ring **out)
{
	uint64_t hash = members_hash(members, n);
	struct ring **head = &s->chains[hash % RING_CHAINS], *r;

	for (r = *head; r; r = r->next)
		if (r->hash == hash && members_equal(r, members, n))
			break;
	if (!r || !r->wanted) {
		if (s->slots_left < maglev_slots(n))
			return -ENOSPC;
	}
	if (!r) {
		int rc = ring_new(s, members, n, &r);

		if (rc)
			return rc;
		r->hash = hash;
		r->next = *head;
		*head = r;
	}
	if (!r->wanted)
		s->slots_left -= maglev_slots(n);
	r->wanted = true;
	*out = r;
	return 0;
}

void ring_store_each_new(
	struct ring_store *s, void (*fn)(void *arg, const struct ring *r), void *arg)
{
	for (uint32_t i = 0; i < RING_CHAINS; i++)
		for (struct ring *r = s->chains[i]; r; r = r->next)
			if (r->wanted && r->slots)
				fn(arg, r);
}

static void ring_store_settle(struct ring_store *s, bool published)
{
	for (uint32_t i = 0; i < RING_CHAINS; i++) {
		for (struct ring *r = s->chains[i]; r; r = r->next) {
			if (published) {
				r->live = r->wanted;
				free(r->slots);
				r->slots = NULL;
			}
			r->wanted = false;
		}
	}
	ring_store_sweep(s);
}

static void snapshot_free(struct snapshot *sn)
{
	if (!sn)
		return;
	free(sn->image);
	free(sn->rings);
	free(sn);
}

void snapshot_commit(struct ring_store *s, struct snapshot *sn)
{
	ring_store_settle(s, true);
	snapshot_free(sn);
}

void snapshot_abort(struct ring_store *s, struct snapshot *sn)
{
	ring_store_settle(s, false);
	snapshot_free(sn);
}
