/* SPDX-License-Identifier: BSD-2-Clause */
/* What rows of services and of their servers' replies say; image_test.c is about where they are found. */
#include <errno.h>
#include <string.h>
#include "dataplane/snapshot/snapshot.h"
#include "tests/unit/test.h"

/* No other word of the image has these. */
enum { VIP_ID = 0x5a5a5a5a, SERVICE_ID = 0x3c3c3c3c };

/* One tcp service on port 80 and ports 81 to 89, with two servers. */
static const struct snapshot_port port = { .ifindex = 2, .mtu = 1500 };
static const struct snapshot_address vip = {
	.id = VIP_ID, .af = 4, .bytes = { 192, 0, 2, 1 }, .ifindex = 2
};
static const struct snapshot_range ranges[] = { { 80, 80 }, { 81, 89 } };
static const struct snapshot_member members[] = {
	{ .id = 1, .af = 4, .bytes = { 10, 0, 0, 1 }, .weight = 1, .serves = true },
	{ .id = 2, .af = 4, .bytes = { 10, 0, 0, 2 }, .weight = 1, .serves = true },
};
static const struct snapshot_pool pool = { .n_members = 2, .id = 1 };
static struct snapshot_service service;
static struct ring_store *store;

static int setup(void **state)
{
	(void)state;
	service = (struct snapshot_service){
		.id = SERVICE_ID, .protocol = L4_PROTO_TCP, .n_ranges = 2, .forward = L4_FORWARD_NAT
	};
	store = ring_store_new(1 << 12, 1);
	return store ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	ring_store_free(store);
	return 0;
}

static int build(struct snapshot **out)
{
	static const uint32_t neighbours[2];
	const struct snapshot_input in = { .ports = &port,
		.addresses = &vip,
		.services = &service,
		.ranges = ranges,
		.pools = &pool,
		.members = members,
		.n_ports = 1,
		.n_addresses = 1,
		.n_services = 1,
		.n_ranges = 2,
		.n_pools = 1,
		.n_members = 2 };
	const char *what;

	return snapshot_build(store, NULL, &in, neighbours, 1, UINT32_MAX, out, &what);
}

/* Every row of the service. */
static void expect_services(const struct snapshot *sn, uint8_t flags, uint32_t limit)
{
	unsigned n = 0;

	for (uint32_t i = L4_LINE_FIRST; i < sn->lines; i++) {
		const struct l4_service *row = (const struct l4_service *)&sn->image[i];

		if (row->id != SERVICE_ID || row->vip_id != VIP_ID)
			continue;
		assert_int_equal(row->flags, flags);
		assert_int_equal(row->syn_limit, limit);
		n++;
	}
	assert_int_equal(n, 2); /* of the port, of the range */
}

static void expect_replies(const struct snapshot *sn, bool cookies)
{
	unsigned n = 0;

	for (uint32_t i = L4_LINE_FIRST; i < sn->lines; i++) {
		const struct l4_reverse *row = (const struct l4_reverse *)&sn->image[i];

		if (row->vip_id != VIP_ID || memcmp(row->vip, vip.bytes, 4) != 0)
			continue;
		assert_int_equal(row->service_id, SERVICE_ID);
		assert_int_equal(row->cookies, cookies);
		n++;
	}
	assert_int_equal(n, service.forward == L4_FORWARD_NAT ? 4 : 0);
}

static void expect(uint8_t flags, uint32_t limit, bool cookies)
{
	struct snapshot *sn;

	assert_int_equal(build(&sn), 0);
	expect_services(sn, flags, limit);
	expect_replies(sn, cookies);
	snapshot_commit(store, sn);
}

/* The threshold is of a second, the limit of 1.07 s. */
static void syn_cookies_have_a_limit(void **state)
{
	(void)state;
	expect(0, 0, false);
	service.syn_cookies = true;
	expect(L4_SERVICE_COOKIES | L4_SERVICE_SHIELDED, 0, true);
	service.syn_threshold = 1;
	expect(L4_SERVICE_COOKIES | L4_SERVICE_SHIELDED, 2, true);
	service.syn_threshold = 1000000000;
	expect(L4_SERVICE_COOKIES | L4_SERVICE_SHIELDED, 1 << 30, true);
	service.syn_threshold = UINT32_MAX;
	expect(L4_SERVICE_COOKIES | L4_SERVICE_SHIELDED, UINT32_MAX, true);
	service.forward = L4_FORWARD_LOCAL;
	expect(L4_SERVICE_COOKIES | L4_SERVICE_SHIELDED, UINT32_MAX, false);
}

static void syn_cookies_that_cannot_be(void **state)
{
	struct snapshot *sn;

	(void)state;
	service.syn_cookies = true;
	service.forward = L4_FORWARD_DSR;
	assert_int_equal(build(&sn), -EINVAL);
	service.forward = L4_FORWARD_TUNNEL;
	assert_int_equal(build(&sn), -EINVAL);
	service.forward = L4_FORWARD_NAT;
	service.protocol = L4_PROTO_UDP;
	assert_int_equal(build(&sn), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(syn_cookies_have_a_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(syn_cookies_that_cannot_be, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
