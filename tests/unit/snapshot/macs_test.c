/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/snapshot/macs.h"
#include <stdlib.h>
#include <string.h>
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
	{ .ifindex = 11, .mac = GROUP },
	{ .ifindex = 11, .mac = OWN1 },
	{ .ifindex = 11, .mac = OTHER },
	{ .ifindex = 11, .mac = GROUP },
	{ .ifindex = 12 },
	{ .ifindex = 12, .mac = GROUP },
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_answered_with_its_own_or_its_interfaces),
		cmocka_unit_test(interfaces_have_virtual_ones_or_not),
		cmocka_unit_test(each_is_found_once_by_its_interface),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
