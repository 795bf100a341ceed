/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/test.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controlplane/engine/neighbours.h"

enum { ROWS = 8 };

struct fixture {
	struct l4_neighbour rows[ROWS];
	struct neighbours *table;
	int map;
};

static const uint8_t mac_a[6] = { 2, 0, 0, 0, 0, 0xa }, mac_b[6] = { 2, 0, 0, 0, 0, 0xb };

static struct addr host(uint8_t n)
{
	return (struct addr){ .af = 4, .bytes = { 10, 0, 0, n } };
}

static int index_set(void *arg, const struct l4_neighbour_key *key, uint32_t row)
{
	struct fixture *f = arg;

	return bpf_map_update_elem(f->map, key, &row, BPF_ANY);
}

/* Packets may still find the row: it is as it was. */
static void index_remove(void *arg, const struct l4_neighbour_key *key, uint32_t row)
{
	struct fixture *f = arg;

	assert_int_equal(f->rows[row].ifindex, key->ifindex);
	assert_memory_equal(f->rows[row].address, key->address, sizeof key->address);
	bpf_map_delete_elem(f->map, key);
}

static int setup(void **state)
{
	static const struct neighbour_port ports[] = {
		{ .ifindex = 2, .mac = { 2, 0, 0, 0, 1, 1 }, .mtu = 1500, .device = 2 },
		{ .ifindex = 3, .mac = { 2, 0, 0, 0, 1, 2 }, .mtu = 9000, .device = 3 },
	};
	static const struct neighbours_index index = { index_set, index_remove };
	struct fixture *f = calloc(1, sizeof *f);

	f->map = bpf_map_create(BPF_MAP_TYPE_HASH, "test", sizeof(struct l4_neighbour_key),
		sizeof(uint32_t), ROWS, NULL);
	assert_true(f->map >= 0); /* needs root */
	assert_int_equal(neighbours_new(&f->table, f->rows, ROWS, &index, f), 0);
	assert_int_equal(neighbours_set_ports(f->table, ports, 2), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	neighbours_free(f->table);
	close(f->map);
	free(f);
	return 0;
}

static bool in_index(struct fixture *f, uint32_t ifindex, const struct addr *a, uint32_t *row)
{
	struct l4_neighbour_key key = { .ifindex = ifindex, .is6 = a->af == 6 };

	memcpy(key.address, a->bytes, addr_size(a));
	return !bpf_map_lookup_elem(f->map, &key, row);
}

static void test_a_row_is_complete(void **state)
{
	struct fixture *f = *state;
	struct addr a = host(1);
	uint32_t row, found;

	assert_int_equal(neighbours_get(f->table, 3, &a, &row), 0);
	assert_int_equal(f->rows[row].usable, 0);
	assert_int_equal(f->rows[row].mtu, 9000);
	assert_int_equal(f->rows[row].ifindex, 3);
	assert_int_equal(f->rows[row].src_mac[5], 2);
	assert_memory_equal(f->rows[row].address, a.bytes, 4);
	assert_true(in_index(f, 3, &a, &found) && found == row);
	assert_int_equal(neighbours_learn(f->table, 3, &a, mac_a, true), 0);
	assert_int_equal(f->rows[row].usable, 1);
	assert_memory_equal(f->rows[row].mac, mac_a, 6);
	assert_int_equal(neighbours_learn(f->table, 3, &a, mac_b, true), 0);
	assert_memory_equal(f->rows[row].mac, mac_b, 6);
}

/* A row that was got before is found without the index, but only as long as it is that neighbour's. */
static void test_again(void **state)
{
	struct fixture *f = *state;
	struct l4_neighbour_key key = { .ifindex = 2 };
	struct addr a = host(1), b = host(2);
	uint32_t first, row = UINT32_MAX, other;

	assert_int_equal(neighbours_get_again(f->table, 2, &a, &row), 0);
	assert_true(row < ROWS);
	first = other = row;
	memcpy(key.address, a.bytes, 4);
	assert_int_equal(bpf_map_delete_elem(f->map, &key), 0);
	assert_int_equal(neighbours_get_again(f->table, 2, &a, &row), 0);
	assert_int_equal(row, first);
	assert_false(in_index(f, 2, &a, &row));
	assert_int_equal(neighbours_get_again(f->table, 2, &b, &other), 0);
	assert_int_not_equal(other, first);
	row = first;
	assert_int_equal(neighbours_get_again(f->table, 3, &a, &row), 0);
	assert_int_not_equal(row, first);
	row = first;
	assert_int_equal(neighbours_get_again(f->table, 4, &a, &row), -ENODEV);
	neighbours_settle(f->table, true); /* nobody named it: the row is free */
	row = first;
	assert_int_equal(neighbours_get_again(f->table, 2, &a, &row), 0);
	assert_true(in_index(f, 2, &a, &other) && other == row);
}

static void test_same_address_on_two_links(void **state)
{
	struct fixture *f = *state;
	struct addr a = host(1);
	uint32_t one, two;

	assert_int_equal(neighbours_get(f->table, 2, &a, &one), 0);
	assert_int_equal(neighbours_get(f->table, 3, &a, &two), 0);
	assert_int_not_equal(one, two);
	assert_int_equal(neighbours_get(f->table, 4, &a, &two), -ENODEV);
}

static void test_what_the_kernel_forgets_goes(void **state)
{
	struct fixture *f = *state;
	struct addr a = host(1);
	uint32_t row;

	assert_int_equal(neighbours_learn(f->table, 2, &a, mac_a, true), 0);
	assert_true(in_index(f, 2, &a, &row));
	assert_int_equal(neighbours_learn(f->table, 2, &a, NULL, true), 0);
	assert_false(in_index(f, 2, &a, &row));
	assert_int_equal(f->rows[row].usable, 0);
}

static void test_what_is_named_stays(void **state)
{
	struct fixture *f = *state;
	struct addr server = host(1), router = host(2);
	uint32_t s, r, found;

	assert_int_equal(neighbours_get(f->table, 2, &server, &s), 0);
	neighbours_mark(f->table, s);
	neighbours_settle(f->table, true);
	assert_int_equal(neighbours_get(f->table, 2, &router, &r), 0);
	neighbours_route_get(f->table, r);
	neighbours_learn(f->table, 2, &server, mac_a, true);
	neighbours_learn(f->table, 2, &server, NULL, true);
	neighbours_learn(f->table, 2, &router, mac_b, true);
	neighbours_learn(f->table, 2, &router, NULL, true);
	assert_true(in_index(f, 2, &server, &found) && found == s);
	assert_true(in_index(f, 2, &router, &found) && found == r);
	/* A generation that was not published changes nothing; the next one without the server frees it. */
	neighbours_settle(f->table, false);
	assert_true(in_index(f, 2, &server, &found));
	neighbours_settle(f->table, true);
	assert_false(in_index(f, 2, &server, &found));
	neighbours_route_put(f->table, r);
	assert_false(in_index(f, 2, &router, &found));
}

static void test_full_and_free_again(void **state)
{
	struct fixture *f = *state;
	struct addr a = host(100);
	uint32_t row, first;

	for (int i = 0; i < ROWS; i++) {
		struct addr h = host((uint8_t)i);

		assert_int_equal(neighbours_learn(f->table, 2, &h, mac_a, true), 0);
	}
	assert_int_equal(neighbours_get(f->table, 2, &a, &row), -ENOSPC);
	for (uint8_t i = 3; i < 5; i++) {
		struct addr h = host(i);

		assert_true(in_index(f, 2, &h, &row));
		if (i == 3)
			first = row;
		neighbours_learn(f->table, 2, &h, NULL, true);
	}
	assert_int_equal(neighbours_get(f->table, 2, &a, &row), 0);
	assert_int_equal(row, first); /* the one that has been free for longest */
}

/* Rows come and go in any order; who has one is what the index says. */
static void test_random_rows(void **state)
{
	struct fixture *f = *state;
	uint32_t row, found;

	for (int i = 0; i < 20000; i++) {
		struct addr a = host((uint8_t)(lrand48() % (ROWS + 4)));
		uint32_t ifindex = 2 + (uint32_t)(lrand48() % 2);
		bool had = in_index(f, ifindex, &a, &found);
		int rc;

		if (lrand48() % 2) {
			neighbours_learn(f->table, ifindex, &a, NULL, true);
			assert_false(in_index(f, ifindex, &a, &found));
			continue;
		}
		rc = neighbours_get(f->table, ifindex, &a, &row);
		if (rc) {
			assert_int_equal(rc, -ENOSPC);
			assert_false(had);
			continue;
		}
		assert_true(!had || row == found);
		assert_true(in_index(f, ifindex, &a, &found) && found == row);
		assert_int_equal(f->rows[row].ifindex, ifindex);
		assert_memory_equal(f->rows[row].address, a.bytes, 4);
	}
}

static void count_used(void *arg, uint32_t ifindex, const struct addr *a)
{
	assert_int_equal(ifindex, 2);
	assert_int_equal(a->bytes[3], 1);
	++*(int *)arg;
}

static void test_sweep(void **state)
{
	struct fixture *f = *state;
	struct addr used = host(1), inherited = host(2), known = host(3);
	uint32_t row, found;
	int n = 0;

	neighbours_learn(f->table, 2, &used, mac_a, false);
	neighbours_learn(f->table, 2, &inherited, mac_a, false);
	neighbours_learn(f->table, 2, &known, mac_a, true);
	assert_true(in_index(f, 2, &used, &row));
	f->rows[row].used = 1;
	neighbours_sweep(f->table, count_used, &n);
	assert_int_equal(n, 1);
	assert_int_equal(f->rows[row].used, 0);
	assert_true(in_index(f, 2, &used, &found));
	assert_false(in_index(f, 2, &inherited, &found));
	assert_true(in_index(f, 2, &known, &found));
}

static void test_a_port_changes_its_mac(void **state)
{
	const struct neighbour_port ports[] = {
		{ .ifindex = 2, .mac = { 2, 9, 9, 9, 9, 9 }, .mtu = 1400, .device = 2 }
	};
	struct fixture *f = *state;
	struct addr a = host(1);
	uint32_t row;

	assert_int_equal(neighbours_get(f->table, 2, &a, &row), 0);
	assert_int_equal(neighbours_set_ports(f->table, ports, 1), 0);
	assert_memory_equal(f->rows[row].src_mac, ports[0].mac, 6);
	assert_int_equal(f->rows[row].mtu, 1400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_row_is_complete, setup, teardown),
		cmocka_unit_test_setup_teardown(test_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_address_on_two_links, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_the_kernel_forgets_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_named_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_and_free_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sweep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_port_changes_its_mac, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
