/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/macs.h"
#include <errno.h>
#include <string.h>
#include "dataplane/snapshot/snapshot.h"
#include "tests/unit/test.h"

enum { FRONT = 300, BACK = 12, OTHER = 7, MANY = 40 };

static void give_macs(struct snapshot_address *out, const uint8_t *last, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		out[i] = (struct snapshot_address){ .id = i,
			.af = 4,
			.bytes = { 192, 0, 2, (uint8_t)i },
			.ifindex = FRONT,
			.mac = { 0, 0, 0x5e, 0, 1, last[i] } };
}

/* Those of the generation that has these on FRONT, and 00:00:5e:00:01:00 on BACK. */
static struct macs read_with(const uint8_t *last, unsigned n)
{
	static const struct snapshot_port ports[] = { { .ifindex = FRONT, .mac = { 2, [5] = 1 } },
		{ .ifindex = BACK, .mac = { 2, [5] = 2 } }, { .ifindex = OTHER } };
	static const uint32_t neighbours[1];
	struct snapshot_address addresses[MANY + 1] = { { .ifindex = BACK,
		.mac = { 0, 0, 0x5e, 0, 1, 0 } } };
	const struct snapshot_input in = {
		.ports = ports, .n_ports = 3, .addresses = addresses, .n_addresses = n + 1
	};
	struct ring_store *store = ring_store_new(4096, 64);
	struct snapshot *sn;
	struct macs m;
	const char *what;

	give_macs(addresses + 1, last, n);
	assert_int_equal(
		snapshot_build(store, NULL, &in, neighbours, 1, UINT32_MAX, &sn, &what), 0);
	assert_int_equal(macs_read(&m, sn->image, sn->lines), 0);
	snapshot_abort(store, sn);
	ring_store_free(store);
	return m;
}

static void each_interface_has_its_own(void **state)
{
	uint8_t last[MANY];
	const uint8_t(*list)[6];
	struct macs m;
	unsigned n;

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		last[i] = (uint8_t)(MANY - i); /* none twice */
	m = read_with(last, MANY);
	assert_int_equal(m.n, MANY + 1);
	list = macs_of(&m, FRONT, &n);
	assert_int_equal(n, MANY);
	for (unsigned i = 0; i < n; i++)
		assert_memory_equal(
			list[i], ((uint8_t[]){ 0, 0, 0x5e, 0, 1, (uint8_t)(i + 1) }), 6);
	list = macs_of(&m, BACK, &n);
	assert_int_equal(n, 1);
	assert_int_equal(list[0][5], 0);
	macs_of(&m, OTHER, &n);
	assert_int_equal(n, 0);
	macs_free(&m);
	macs_of(&m, FRONT, &n);
	assert_int_equal(n, 0);
}

static void generations_are_compared(void **state)
{
	struct macs a = read_with((const uint8_t[]){ 1, 2, 2 }, 3);
	struct macs same = read_with((const uint8_t[]){ 2, 1 }, 2);
	struct macs other = read_with((const uint8_t[]){ 1, 3 }, 2);
	struct macs fewer = read_with((const uint8_t[]){ 1 }, 1), none = { 0 };

	(void)state;
	assert_int_equal(a.n, 3);
	assert_true(macs_same(&a, &same));
	assert_false(macs_same(&a, &other));
	assert_false(macs_same(&a, &fewer));
	assert_false(macs_same(&fewer, &none));
	assert_true(macs_same(&none, &none));
	memcpy(same.ifindexes, ((uint32_t[]){ FRONT, FRONT, FRONT }), 3 * sizeof *same.ifindexes);
	assert_false(macs_same(&a, &same));
	macs_free(&a);
	macs_free(&same);
	macs_free(&other);
	macs_free(&fewer);
}

static void what_is_no_image_has_none(void **state)
{
	const struct l4_line zeros[4] = { 0 };
	struct macs m;

	(void)state;
	assert_int_equal(macs_read(&m, zeros, 4), -EINVAL);
	assert_int_equal(m.n, 0);
	assert_null(m.list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_interface_has_its_own),
		cmocka_unit_test(generations_are_compared),
		cmocka_unit_test(what_is_no_image_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
