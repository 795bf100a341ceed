/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is given which rings: an engine with each generation the new ones, one that begins anew all that are published. */
#include "tests/unit/test.h"
#include <stdlib.h>
#include <string.h>
#include "dataplane/snapshot/rings.h"

enum { POOLS = 8, SLOTS = 256, KINDS = 20, ROUNDS = 2000 };

static struct l4_chunk kept[POOLS * 8 * SLOTS / L4_CHUNK_SLOTS];
static struct l4_chunk late[sizeof kept / sizeof *kept];

static void upload(void *arg, const struct ring *r)
{
	struct l4_chunk *to = arg;

	assert_in_range(r->chunk + r->chunks, 1, sizeof kept / sizeof *kept);
	memcpy(&to[r->chunk], r->slots, r->chunks * sizeof *to);
}

/* Wants rings of few contents, so that pools share them; says where they are, and what is in them. */
static void want_rings(struct ring_store *s, uint32_t chunks[POOLS], uint16_t kinds[POOLS])
{
	uint16_t slots[SLOTS];
	struct ring *r;

	for (uint32_t i = 0; i < POOLS; i++) {
		kinds[i] = (uint16_t)(lrand48() % KINDS);
		for (uint32_t k = 0; k < SLOTS; k++)
			slots[k] = (uint16_t)(kinds[i] * SLOTS + k);
		assert_int_equal(
			ring_store_get(s, (uint16_t)i, 0, slots, SLOTS, RING_SETTLED, &r), 0);
		chunks[i] = r->chunk;
	}
}

static void check_rings(const struct l4_chunk *lie, const uint32_t *chunks, const uint16_t *kinds)
{
	for (uint32_t i = 0; i < POOLS; i++) {
		const uint16_t *slots = lie[chunks[i]].slots;

		for (uint32_t k = 0; k < SLOTS; k++)
			assert_int_equal(slots[k], kinds[i] * SLOTS + k);
	}
}

static void test_generations(void **state)
{
	struct ring_store *s = ring_store_new(POOLS * SLOTS, POOLS);
	uint32_t chunks[POOLS], next_chunks[POOLS];
	uint16_t kinds[POOLS], next_kinds[POOLS];
	bool any = false;

	(void)state;
	assert_non_null(s);
	for (int i = 0; i < ROUNDS; i++) {
		want_rings(s, next_chunks, next_kinds);
		ring_store_each_new(s, upload, kept);
		memset(late, 0xff, sizeof late);
		ring_store_each_wanted(s, upload, late);
		check_rings(late, next_chunks, next_kinds);
		memset(late, 0xff, sizeof late);
		ring_store_each_live(s, upload, late);
		if (any) {
			check_rings(kept, chunks, kinds);
			check_rings(late, chunks, kinds);
		}
		check_rings(kept, next_chunks, next_kinds);
		if (lrand48() % 3 == 0) {
			snapshot_abort(s, NULL);
			continue;
		}
		snapshot_commit(s, NULL);
		any = true;
		memcpy(chunks, next_chunks, sizeof chunks);
		memcpy(kinds, next_kinds, sizeof kinds);
	}
	ring_store_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_generations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
