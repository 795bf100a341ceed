/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/snapshot/rings.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RING_CHAINS = 4096 };

/* Where a pool's ring is, as long as its table stays the same. */
struct memory {
	uint64_t version;
	struct ring *ring;
};

struct ring_store {
	struct ring *chains[RING_CHAINS];
	uint32_t slots_left; /* of what one generation may use, while it is being built */
	uint32_t slots_max;
	uint32_t n_chunks;
	uint32_t next;	/* chunk where the search for room goes on */
	uint8_t *taken; /* per chunk: a ring lies there */
	uint32_t n_memories;
	struct memory *memories; /* by pool id */
};

/* Two generations with all planes, and a third of that again for what first fit wastes. */
uint32_t ring_store_chunks(uint32_t slots)
{
	return slots / L4_CHUNK_SLOTS * (2 * RING_TRACKED + 2);
}

struct ring_store *ring_store_new(uint32_t slots, uint32_t pools)
{
	struct ring_store *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->n_chunks = ring_store_chunks(slots);
	s->slots_max = s->slots_left = slots;
	s->n_memories = pools + 1;
	s->taken = calloc(s->n_chunks + 1, 1);
	s->memories = calloc(s->n_memories, sizeof *s->memories);
	if (!s->taken || !s->memories) {
		ring_store_free(s);
		return NULL;
	}
	return s;
}

/* Frees the rings for which neither flag is set. */
static void ring_store_sweep(struct ring_store *s)
{
	for (uint32_t i = 0; i < s->n_memories; i++) {
		struct ring *r = s->memories[i].ring;

		if (r && !r->live && !r->wanted)
			s->memories[i].ring = NULL;
	}
	for (uint32_t i = 0; i < RING_CHAINS; i++) {
		struct ring **at = &s->chains[i];

		while (*at) {
			struct ring *r = *at;

			if (r->live || r->wanted) {
				at = &r->next;
				continue;
			}
			*at = r->next;
			memset(s->taken + r->chunk, 0, r->chunks);
			free(r);
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
	if (s->taken && s->memories)
		ring_store_sweep(s);
	free(s->taken);
	free(s->memories);
	free(s);
}

static bool chunks_free(const struct ring_store *s, uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++)
		if (s->taken[i])
			return false;
	return true;
}

/* Next fit at multiples of a ring's number of owner chunks, which is a power of two. */
static int chunks_take(struct ring_store *s, uint32_t align, uint32_t n, uint32_t *first)
{
	uint32_t steps = s->n_chunks / align, at = s->next / align * align;

	for (uint32_t i = 0; i < steps; i++, at += align) {
		if (at + n > s->n_chunks)
			at = 0;
		if (at + n > s->n_chunks || !chunks_free(s, at, n))
			continue;
		memset(s->taken + at, 1, n);
		s->next = at + n;
		*first = at;
		return 0;
	}
	return -ENOSPC;
}

static uint64_t slots_hash(const uint16_t *slots, uint32_t n)
{
	static const uint64_t key[2];
	struct l4_sip sip = l4_sip_init(key);

	for (uint32_t i = 0; i < n; i += 4) {
		uint64_t word;

		memcpy(&word, slots + i, sizeof word);
		l4_sip_word(&sip, word);
	}
	l4_sip_word(&sip, (uint64_t)n << 56);
	return l4_sip_end(&sip);
}

static int ring_new(
	struct ring_store *s, const uint16_t *slots, uint32_t n, uint32_t planes, struct ring **out)
{
	size_t size = (size_t)n * planes * sizeof *slots;
	struct ring *r = malloc(sizeof *r + size);
	int rc;

	if (!r)
		return -ENOMEM;
	*r = (struct ring){ .n = n, .planes = planes, .chunks = n / L4_CHUNK_SLOTS * planes };
	memcpy(r->slots, slots, size);
	rc = chunks_take(s, n / L4_CHUNK_SLOTS, r->chunks, &r->chunk);
	if (rc) {
		free(r);
		return rc;
	}
	*out = r;
	return 0;
}

/* What is reserved counts per pool, shared or not: otherwise a configuration that fits might not fit any more
 * while its pools' slots are tracked. */
static int ring_store_want(struct ring_store *s, struct ring *r)
{
	if (s->slots_left < r->n)
		return -ENOSPC;
	s->slots_left -= r->n;
	r->wanted = true;
	return 0;
}

int ring_store_again(struct ring_store *s, uint16_t id, uint64_t version, struct ring **out)
{
	if (!version || id >= s->n_memories || s->memories[id].version != version ||
		!s->memories[id].ring)
		return -ENOENT;
	*out = s->memories[id].ring;
	return ring_store_want(s, *out);
}

int ring_store_get(struct ring_store *s, uint16_t id, uint64_t version, const uint16_t *slots,
	uint32_t n, uint32_t planes, struct ring **out)
{
	uint64_t hash = slots_hash(slots, n * planes);
	struct ring **head = &s->chains[hash % RING_CHAINS], *r;
	int rc;

	for (r = *head; r; r = r->next)
		if (r->hash == hash && r->n == n && r->planes == planes &&
			!memcmp(r->slots, slots, (size_t)n * planes * sizeof *slots))
			break;
	if (!r) {
		rc = ring_new(s, slots, n, planes, &r);
		if (rc)
			return rc;
		r->hash = hash;
		r->next = *head;
		*head = r;
	}
	rc = ring_store_want(s, r);
	if (!rc && version && id < s->n_memories)
		s->memories[id] = (struct memory){ version, r };
	*out = r;
	return rc;
}

void ring_store_each_new(
	struct ring_store *s, void (*fn)(void *arg, const struct ring *r), void *arg)
{
	for (uint32_t i = 0; i < RING_CHAINS; i++)
		for (struct ring *r = s->chains[i]; r; r = r->next)
			if (r->wanted && !r->placed)
				fn(arg, r);
}

void ring_store_each_wanted(
	const struct ring_store *s, void (*fn)(void *arg, const struct ring *r), void *arg)
{
	for (uint32_t i = 0; i < RING_CHAINS; i++)
		for (const struct ring *r = s->chains[i]; r; r = r->next)
			if (r->wanted)
				fn(arg, r);
}

void ring_store_each_live(
	const struct ring_store *s, void (*fn)(void *arg, const struct ring *r), void *arg)
{
	for (uint32_t i = 0; i < RING_CHAINS; i++)
		for (const struct ring *r = s->chains[i]; r; r = r->next)
			if (r->live)
				fn(arg, r);
}

static void ring_store_settle(struct ring_store *s, bool published)
{
	for (uint32_t i = 0; i < RING_CHAINS; i++) {
		for (struct ring *r = s->chains[i]; r; r = r->next) {
			if (published) {
				r->live = r->wanted;
				r->placed = true;
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
