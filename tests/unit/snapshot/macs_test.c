/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/snapshot/macs.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "dataplane/snapshot/read.h"
#include "tests/unit/test.h"

#define OWN1                     \
	{                        \
		2, 0, 0, 0, 0, 1 \
	}
#define OWN2                     \
	{                        \
		2, 0, 0, 0, 0, 2 \
	}
#define GROUP                        \
	{                            \
		0, 0, 0x5e, 0, 1, 10 \
	}
#define OTHER                       \
	{                           \
		0, 0, 0x5e, 0, 1, 9 \
	}

static const struct snapshot_port ports[] = {
	{ .ifindex = 11, .mac = OWN1 },
	{ .ifindex = 12, .mac = OWN2 },
};

/* Of the first interface: two that share one, one with the interface's own, one with another; of the second one without,
 * and one that the first has too; one of no interface. */
static const struct snapshot_address addresses[] = {
	{ .ifindex = 11, .mac = GROUP, .af = 4, .bytes = { 192, 0, 2, 1 } },
	{ .ifindex = 11, .mac = OWN1, .af = 4, .bytes = { 192, 0, 2, 2 } },
	{ .ifindex = 11, .mac = OTHER, .af = 4, .bytes = { 192, 0, 2, 3 } },
	{ .ifindex = 11, .mac = GROUP, .af = 4, .bytes = { 192, 0, 2, 4 } },
	{ .ifindex = 12, .af = 4, .bytes = { 192, 0, 2, 5 } },
	{ .ifindex = 12, .mac = GROUP, .af = 4, .bytes = { 192, 0, 2, 6 } },
	{ .ifindex = 13, .mac = GROUP },
	{ .ifindex = 13 },
};

static const struct snapshot_input in = { .ports = ports,
	.n_ports = 2,
	.addresses = addresses,
	.n_addresses = sizeof addresses / sizeof *addresses };

static void answers_are_given_with(unsigned i, const uint8_t mac[6])
{
	assert_memory_equal(macs_answer(&in, &addresses[i]), mac, 6);
}

static void an_address_is_answered_with_its_own_or_its_interfaces(void **state)
{
	(void)state;
	answers_are_given_with(0, (const uint8_t[])GROUP);
	answers_are_given_with(1, (const uint8_t[])OWN1);
	answers_are_given_with(2, (const uint8_t[])OTHER);
	answers_are_given_with(4, (const uint8_t[])OWN2);
	answers_are_given_with(5, (const uint8_t[])GROUP);
	answers_are_given_with(7, (const uint8_t[6]){ 0 });
}

static void interfaces_have_virtual_ones_or_not(void **state)
{
	struct snapshot_input some = in;

	(void)state;
	assert_true(macs_has_virtual(&in, &ports[0]));
	assert_true(macs_has_virtual(&in, &ports[1]));
	some.addresses += 1;
	some.n_addresses = 1;
	assert_false(macs_has_virtual(&some, &ports[0]));
	some.addresses = &addresses[4];
	assert_false(macs_has_virtual(&some, &ports[1]));
}

static void key_is(const struct l4_key *k, uint32_t ifindex, const uint8_t mac[6])
{
	assert_int_equal(k->kind, L4_KIND_MAC);
	assert_int_equal(k->address[0], ifindex);
	assert_memory_equal(&k->address[1], mac, 6);
	assert_int_equal(k->address[2] >> 16 | k->address[3] | k->port | k->protocol, 0);
}

static void each_is_found_once_by_its_interface(void **state)
{
	struct snapshot_input none = in;
	struct l4_key *keys;

	(void)state;
	assert_int_equal(macs_count(&in), 6);
	assert_int_equal(macs_keys(&in, &keys), 3);
	key_is(&keys[0], 11, (const uint8_t[])OTHER);
	key_is(&keys[1], 11, (const uint8_t[])GROUP);
	key_is(&keys[2], 12, (const uint8_t[])GROUP);
	free(keys);
	none.n_addresses = 0;
	assert_int_equal(macs_keys(&none, &keys), 0);
	free(keys);
}

enum { ON_PORTS = 6 /* of the addresses */ };

/* Of the interfaces 11 and 12: how often each of the addresses was told. */
static unsigned told[2][2];

static void count(void *arg, uint32_t ifindex, const uint8_t mac[6])
{
	assert_ptr_equal(arg, told);
	assert_true(ifindex == 11 || ifindex == 12);
	assert_true(mac[5] == 9 || mac[5] == 10);
	assert_memory_equal(mac, ((const uint8_t[]){ 0, 0, 0x5e, 0, 1, mac[5] }), 6);
	told[ifindex - 11][mac[5] - 9]++;
}

static struct snapshot *publish(struct ring_store *store, const struct snapshot_input *what_in)
{
	static const uint32_t neighbours[1];
	struct snapshot *sn;
	const char *what;

	assert_int_equal(
		snapshot_build(store, NULL, what_in, neighbours, 1, UINT32_MAX, &sn, &what), 0);
	memset(told, 0, sizeof told);
	return sn;
}

static int read_back(const struct l4_line *image, uint32_t lines)
{
	return snapshot_read_macs(image, lines, count, told);
}

static void a_published_image_tells_them(void **state)
{
	struct ring_store *store = ring_store_new(4096, 64);
	struct snapshot_input some = in;
	struct snapshot *sn;

	(void)state;
	some.n_addresses = ON_PORTS;
	sn = publish(store, &some);
	assert_int_equal(read_back(sn->image, sn->lines), 0);
	assert_int_equal(told[0][0], 1);
	assert_int_equal(told[0][1], 1);
	assert_int_equal(told[1][0], 0);
	assert_int_equal(told[1][1], 1);
	snapshot_abort(store, sn);
	some.n_addresses = 0;
	sn = publish(store, &some);
	assert_int_equal(read_back(sn->image, sn->lines), 0);
	assert_int_equal(told[0][0] + told[0][1] + told[1][0] + told[1][1], 0);
	snapshot_abort(store, sn);
	ring_store_free(store);
}

/* For the address sanitizer: no line behind those that are said is looked at. */
static struct l4_line *copy(const struct snapshot *sn)
{
	struct l4_line *image = malloc(sn->lines * sizeof *image);

	assert_non_null(image);
	memcpy(image, sn->image, sn->lines * sizeof *image);
	return image;
}

static void rows_that_are_damaged_are_left_out(struct l4_line *image, uint32_t lines)
{
	const struct l4_root *root = (const struct l4_root *)image;
	struct l4_bucket *buckets = (struct l4_bucket *)&image[root->bucket_base];

	for (uint32_t i = 0; i <= root->bucket_mask; i++)
		for (unsigned k = 0; k < L4_BUCKET_ENTRIES; k++) {
			struct l4_key *key = (struct l4_key *)&image[buckets[i].entries[k].line];

			if (!buckets[i].entries[k].tag || key->kind != L4_KIND_MAC)
				continue;
			if (key->address[0] == 12)
				buckets[i].entries[k].line = lines; /* behind the last */
			else if ((key->address[2] >> 8 & 0xff) == 9)
				*(uint8_t *)&key->address[1] |= 1; /* a group */
		}
	memset(told, 0, sizeof told);
	assert_int_equal(read_back(image, lines), 0);
	assert_int_equal(told[0][0] + told[1][0] + told[1][1], 0);
	assert_int_equal(told[0][1], 1);
}

static void a_damaged_image_tells_no_other(void **state)
{
	struct ring_store *store = ring_store_new(4096, 64);
	struct snapshot_input some = in;
	struct snapshot *sn;
	struct l4_line *image;
	struct l4_root *root, was;

	(void)state;
	some.n_addresses = ON_PORTS;
	sn = publish(store, &some);
	image = copy(sn);
	root = (struct l4_root *)image;
	was = *root;
	for (uint32_t n = 0; n <= L4_LINE_KEYS; n++)
		assert_int_equal(read_back(image, n), -EINVAL);
	root->version++;
	assert_int_equal(read_back(image, sn->lines), -EINVAL);
	*root = was;
	root->bucket_mask = sn->lines - root->bucket_base;
	assert_int_equal(read_back(image, sn->lines), -EINVAL);
	root->bucket_base = root->bucket_mask = UINT32_MAX;
	assert_int_equal(read_back(image, sn->lines), -EINVAL);
	*root = was;
	rows_that_are_damaged_are_left_out(image, sn->lines);
	free(image);
	snapshot_abort(store, sn);
	ring_store_free(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_answered_with_its_own_or_its_interfaces),
		cmocka_unit_test(interfaces_have_virtual_ones_or_not),
		cmocka_unit_test(each_is_found_once_by_its_interface),
		cmocka_unit_test(a_published_image_tells_them),
		cmocka_unit_test(a_damaged_image_tells_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
