/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts, restarts, upgrades and failures of the loader on veth interfaces in namespaces of its own (root). */
#include "tests/unit/test.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include "bpf/loader.h"
#include "bpf/serving.h"
#include "bpf/tandem.skel.h"
#include "dataplane/l4/flood.h"
#include "dataplane/l4/proxied.h"
#include "dataplane/l4/verdict.h"
#include "dataplane/snapshot/read.h"

static char run_dir[] = "/tmp/tandem-loader-XXXXXX";
static uint32_t ports[2];

static const struct loader_sizes sizes = { 4, 4, 8, 16, 16, 64, 8, 0, 1024, 1024, 64, 64 };

static struct loader *open_loader(const struct loader_sizes *s)
{
	struct loader *l;

	assert_int_equal(loader_open(&l, run_dir, s, false), 0);
	return l;
}

static void publish(struct loader *l, uint64_t generation)
{
	struct l4_line lines[2] = { 0 };
	struct l4_root *root = (struct l4_root *)lines;

	root->magic = L4_TABLES_MAGIC;
	root->version = L4_TABLES_VERSION;
	root->generation = generation;
	assert_int_equal(loader_publish(l, lines, 2), 0);
}

static void attach(struct loader *l, unsigned n)
{
	struct links_report report;

	assert_int_equal(loader_attach(l, ports, n, LINKS_AUTO, &report), 0);
}

/* The id of the program that an interface runs; 0: none. */
static uint32_t runs(uint32_t ifindex)
{
	uint32_t id = 0;

	assert_int_equal(bpf_xdp_query_id((int)ifindex, 0, &id), 0);
	return id;
}

static void set_counter(struct loader *l, uint32_t id, uint64_t packets)
{
	int cpus = libbpf_num_possible_cpus();
	struct l4_counter *c = calloc((size_t)cpus, sizeof *c);

	c[0].packets = packets;
	assert_int_equal(bpf_map_update_elem(
				 bpf_map__fd(loader_bpf(l)->maps.server_counters), &id, c, BPF_ANY),
		0);
	free(c);
}

static uint64_t get_counter(struct loader *l, uint32_t id)
{
	int cpus = libbpf_num_possible_cpus();
	struct l4_counter *c = calloc((size_t)cpus, sizeof *c);
	uint64_t sum = 0;

	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(loader_bpf(l)->maps.server_counters), &id, c), 0);
	for (int i = 0; i < cpus; i++)
		sum += c[i].packets;
	free(c);
	return sum;
}

/* Drops of a service, by the last verdict that there is. */
static void set_drops(struct loader *l, uint32_t service, uint64_t n)
{
	int map = bpf_map__fd(loader_bpf(l)->maps.service_drops), cpus = libbpf_num_possible_cpus();
	uint64_t *values = calloc((size_t)cpus * L4_V_COUNT, sizeof *values);

	values[cpus * L4_V_COUNT - 1] = n;
	assert_int_equal(bpf_map_update_elem(map, &service, values, BPF_ANY), 0);
	free(values);
}

static uint64_t get_drops(struct loader *l, uint32_t service)
{
	int map = bpf_map__fd(loader_bpf(l)->maps.service_drops), cpus = libbpf_num_possible_cpus();
	uint64_t *values = calloc((size_t)cpus * L4_V_COUNT, sizeof *values), sum = 0;

	assert_int_equal(bpf_map_lookup_elem(map, &service, values), 0);
	for (int i = 1; i <= cpus; i++)
		sum += values[i * L4_V_COUNT - 1];
	free(values);
	return sum;
}

static void test_start_and_restart(void **state)
{
	struct loader *l = open_loader(&sizes);
	uint32_t first;

	(void)state;
	assert_int_equal(loader_past(l)->links, 0);
	publish(l, 41);
	attach(l, 2);
	assert_string_equal(links_port_mode(ports[0]), "native");
	first = runs(ports[0]);
	assert_int_not_equal(first, 0);
	set_counter(l, 3, 1000);
	set_drops(l, 4, 2000);
	loader_close(l);
	assert_int_equal(runs(ports[0]), first); /* the process is gone, the program is not */

	l = open_loader(&sizes);
	assert_int_equal(loader_past(l)->links, 2);
	assert_int_equal(loader_past(l)->generation, 41);
	assert_true(loader_past(l)->counters);
	assert_int_equal(get_counter(l, 3), 1000);
	assert_int_equal(get_drops(l, 4), 2000);
	assert_int_equal(runs(ports[0]), first); /* until the new tables are filled */
	publish(l, 42);
	attach(l, 2);
	assert_int_not_equal(runs(ports[0]), first);
	assert_int_equal(runs(ports[0]), runs(ports[1]));
	loader_close(l);
}

static void test_an_interface_leaves(void **state)
{
	struct loader *l = open_loader(&sizes);

	(void)state;
	publish(l, 1);
	attach(l, 2);
	loader_close(l);
	l = open_loader(&sizes);
	publish(l, 2);
	attach(l, 1);
	assert_int_not_equal(runs(ports[0]), 0);
	assert_int_equal(runs(ports[1]), 0);
	loader_close(l);
}

static void test_other_sizes_keep_counters(void **state)
{
	struct loader_sizes larger = sizes;
	struct loader *l = open_loader(&sizes);

	(void)state;
	publish(l, 1);
	attach(l, 1);
	set_counter(l, 8, 77);
	set_drops(l, 4, 78);
	loader_close(l);
	larger.servers = 100;
	larger.services = 100;
	l = open_loader(&larger);
	assert_int_equal(get_counter(l, 8), 77);
	assert_int_equal(get_counter(l, 100), 0);
	assert_int_equal(get_drops(l, 4), 78);
	assert_int_equal(get_drops(l, 100), 0);
	publish(l, 2);
	attach(l, 1);
	loader_close(l);
	l = open_loader(&larger); /* the larger map was pinned */
	assert_int_equal(get_counter(l, 8), 77);
	assert_int_equal(get_drops(l, 4), 78);
	loader_close(l);
}

/* One record in the last bucket of a table of the smallest size, and one counted. */
enum { BUCKET = LOADER_MIN_RECORDS / L4_BUCKET_RECORDS - 1 };

static const struct l4_record left = { 0x1122334455667788, L4_RECORD_LIVE | 7 << 20 };

static void leave_record(struct loader *l)
{
	struct l4_record_bucket b = { .records = { [2] = left } };
	uint32_t row = BUCKET, place = L4_PLACE_FREE;
	int cpus = libbpf_num_possible_cpus();
	uint64_t *n = calloc((size_t)cpus, sizeof *n);

	n[cpus - 1] = 5;
	assert_int_equal(
		bpf_map_update_elem(bpf_map__fd(loader_bpf(l)->maps.records), &row, &b, 0), 0);
	assert_int_equal(
		bpf_map_update_elem(bpf_map__fd(loader_bpf(l)->maps.record_counters), &place, n, 0),
		0);
	free(n);
}

static bool has_record(struct loader *l)
{
	struct l4_record_bucket b;
	uint32_t row = BUCKET;

	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(loader_bpf(l)->maps.records), &row, &b), 0);
	return !memcmp(&b.records[2], &left, sizeof left);
}

static uint64_t counted_places(struct loader *l)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *n = calloc((size_t)cpus, sizeof *n), sum = 0;
	uint32_t place = L4_PLACE_FREE;

	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(loader_bpf(l)->maps.record_counters), &place, n),
		0);
	for (int i = 0; i < cpus; i++)
		sum += n[i];
	free(n);
	return sum;
}

static uint32_t buckets(struct loader *l)
{
	return bpf_map__max_entries(loader_bpf(l)->maps.records);
}

static void test_records_survive(void **state)
{
	struct loader *l = open_loader(&sizes);

	(void)state;
	assert_false(has_record(l));
	leave_record(l);
	publish(l, 1);
	attach(l, 1);
	loader_close(l);
	for (int i = 0; i < 2; i++) {
		l = open_loader(&sizes);
		assert_true(has_record(l));
		assert_int_equal(counted_places(l), 5);
		assert_false(loader_past(l)->records_kept);
		publish(l, 2);
		attach(l, 1);
		loader_close(l);
	}
}

/* The program finds buckets by so many of a hash's highest bits. */
static uint32_t bucket_bits(struct loader *l)
{
	return loader_bpf(l)->rodata->record_bits;
}

static void test_a_filled_table_keeps_its_size(void **state)
{
	struct loader_sizes larger = sizes;
	struct loader *l = open_loader(&sizes);

	(void)state;
	assert_int_equal(buckets(l), BUCKET + 1);
	assert_int_equal(1u << bucket_bits(l), BUCKET + 1);
	leave_record(l);
	publish(l, 1);
	attach(l, 1);
	loader_close(l);
	larger.records = 4 * LOADER_MIN_RECORDS;
	l = open_loader(&larger);
	assert_true(loader_past(l)->records_kept);
	assert_int_equal(buckets(l), BUCKET + 1);
	assert_int_equal(1u << bucket_bits(l), BUCKET + 1);
	assert_true(has_record(l));
	assert_int_equal(counted_places(l), 5);
	loader_close(l);
}

static void test_an_empty_table_is_replaced(void **state)
{
	struct loader_sizes larger = sizes;
	struct loader *l = open_loader(&sizes);

	(void)state;
	publish(l, 1);
	attach(l, 1);
	loader_close(l);
	larger.records = 3 * LOADER_MIN_RECORDS; /* rounded up to 4 times */
	l = open_loader(&larger);
	assert_false(loader_past(l)->records_kept);
	assert_int_equal(buckets(l), 4 * (BUCKET + 1));
	assert_int_equal(1u << bucket_bits(l), 4 * (BUCKET + 1));
	publish(l, 2);
	attach(l, 1);
	loader_close(l);
	l = open_loader(&sizes); /* and smaller again */
	assert_int_equal(buckets(l), BUCKET + 1);
	loader_close(l);
}

/* A connection that a cookie began, in the last bucket of a table of the smallest size, and its service's flood. */
enum { PROXIED_BUCKET = LOADER_MIN_PROXIED / L4_BUCKET_PROXIED - 1, FLOODED = 4 };

static const struct l4_proxied begun = { 0x1122334455667788, L4_PROXIED_OPEN, 1, 2, 3, 0 };
static const struct l4_flood flood = { .syns = 9, .seen = 1, .begun = 7, .ended = 6 };

static void leave_proxied(struct loader *l)
{
	struct l4_proxied_bucket b = { .entries = { [3] = begun } };
	uint32_t bucket = PROXIED_BUCKET, id = FLOODED;

	assert_int_equal(
		bpf_map_update_elem(bpf_map__fd(loader_bpf(l)->maps.proxied), &bucket, &b, 0), 0);
	assert_int_equal(
		bpf_map_update_elem(bpf_map__fd(loader_bpf(l)->maps.floods), &id, &flood, 0), 0);
}

static bool has_proxied(struct loader *l)
{
	uint32_t bucket = PROXIED_BUCKET;
	struct l4_proxied_bucket b;

	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(loader_bpf(l)->maps.proxied), &bucket, &b), 0);
	return !memcmp(&b.entries[3], &begun, sizeof begun);
}

static bool has_flood(struct loader *l)
{
	uint32_t id = FLOODED;
	struct l4_flood f;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(loader_bpf(l)->maps.floods), &id, &f), 0);
	return !memcmp(&f, &flood, sizeof flood);
}

static uint32_t proxied_buckets(struct loader *l)
{
	uint32_t n = bpf_map__max_entries(loader_bpf(l)->maps.proxied);

	assert_int_equal(1u << loader_bpf(l)->rodata->proxied_bits, n);
	return n;
}

static void run_and_close(struct loader *l)
{
	publish(l, 1);
	attach(l, 1);
	loader_close(l);
}

/* Without what they know, connections that cookies began could not go on. */
static void test_floods_survive(void **state)
{
	struct loader_sizes larger = sizes;
	struct loader *l = open_loader(&sizes);

	(void)state;
	assert_false(has_proxied(l) || has_flood(l));
	leave_proxied(l);
	run_and_close(l);
	l = open_loader(&sizes);
	assert_true(has_proxied(l) && has_flood(l));
	assert_false(loader_past(l)->proxied_kept);
	assert_int_equal(proxied_buckets(l), PROXIED_BUCKET + 1);
	run_and_close(l);
	larger.proxied = 4 * LOADER_MIN_PROXIED;
	larger.services = 50;
	l = open_loader(&larger);
	assert_true(has_proxied(l) && has_flood(l));
	assert_true(loader_past(l)->proxied_kept);
	assert_int_equal(proxied_buckets(l), PROXIED_BUCKET + 1);
	assert_int_equal(bpf_map__max_entries(loader_bpf(l)->maps.floods), 51);
	loader_close(l);
}

static void test_an_empty_table_of_proxied_is_replaced(void **state)
{
	struct loader_sizes larger = sizes;

	(void)state;
	run_and_close(open_loader(&sizes));
	larger.proxied = 3 * LOADER_MIN_PROXIED; /* rounded up to 4 times */
	for (int i = 0; i < 2; i++) {
		struct loader *l = open_loader(&larger);

		assert_false(loader_past(l)->proxied_kept);
		assert_int_equal(proxied_buckets(l), 4 * (PROXIED_BUCKET + 1));
		run_and_close(l);
	}
}

static int keep_table(void *arg, uint16_t pool, uint32_t n, const uint16_t *owner,
	const uint16_t *base, const uint16_t *since)
{
	(void)since;
	assert_int_equal(pool, 1);
	assert_int_equal(n, 256);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(owner[i], i == 200 ? 0 : 7);
		assert_int_equal(base[i], SNAPSHOT_SETTLED);
	}
	++*(unsigned *)arg;
	return 0;
}

static unsigned past_tables(const struct loader *l)
{
	const struct loader_past *past = loader_past(l);
	unsigned n = 0;

	assert_non_null(past->image);
	assert_non_null(past->rings);
	assert_int_equal(snapshot_read_slots(past->image, past->image_lines, past->rings,
				 past->n_chunks, keep_table, &n),
		0);
	return n;
}

/* Image and rings of the former process, as long as there is no other generation. */
static void test_slots_survive(void **state)
{
	const struct l4_root root = {
		.magic = L4_TABLES_MAGIC,
		.version = L4_TABLES_VERSION,
		.generation = 9,
	};
	const struct l4_keys keys = { .pool_base = 2, .n_pools = 2 };
	const struct l4_pool pool = { .ring_chunk = 3, .ring_mask = 255, .member_base = 4 };
	const struct l4_member member = { .id = 7 };
	const struct l4_chunk ring = { .slots = { [200] = L4_SLOT_NONE } };
	struct l4_line lines[5] = { 0 };
	struct loader *l = open_loader(&sizes);

	(void)state;
	assert_null(loader_past(l)->image);
	memcpy(&lines[L4_LINE_ROOT], &root, sizeof root);
	memcpy(&lines[L4_LINE_KEYS], &keys, sizeof keys);
	memcpy(&lines[3], &pool, sizeof pool);
	memcpy(&lines[4], &member, sizeof member);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(loader_bpf(l)->maps.rings),
				 &pool.ring_chunk, &ring, 0),
		0);
	assert_int_equal(loader_publish(l, lines, 5), 0);
	attach(l, 1);
	loader_close(l);
	l = open_loader(&sizes);
	assert_int_equal(past_tables(l), 1);
	publish(l, 10); /* aside: it is not the past's */
	assert_int_equal(past_tables(l), 1);
	loader_close(l); /* without being attached: the next one finds the same */
	l = open_loader(&sizes);
	assert_int_equal(past_tables(l), 1);
	loader_close(l);
}

static int foreign_program(void)
{
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "foreign", "GPL", pass, 2, NULL);
}

/* The second interface refuses: the first must be as it was, on a fresh start and on a restart. */
static void test_all_or_nothing(void **state)
{
	struct loader *l = open_loader(&sizes);
	int foreign = foreign_program();
	uint32_t before, theirs;
	struct links_report report;

	(void)state;
	assert_true(foreign >= 0);
	assert_int_equal(bpf_xdp_attach((int)ports[1], foreign, XDP_FLAGS_DRV_MODE, NULL), 0);
	theirs = runs(ports[1]);
	publish(l, 1);
	assert_int_equal(loader_attach(l, ports, 2, LINKS_AUTO, &report), -EBUSY);
	assert_int_equal(report.failed, 1);
	assert_int_equal(runs(ports[0]), 0);
	attach(l, 1);
	before = runs(ports[0]);
	loader_close(l);

	l = open_loader(&sizes);
	publish(l, 2);
	assert_int_equal(loader_attach(l, ports, 2, LINKS_AUTO, &report), -EBUSY);
	assert_int_equal(runs(ports[0]), before);
	assert_int_equal(runs(ports[1]), theirs);
	loader_close(l);
	assert_int_equal(bpf_xdp_detach((int)ports[1], XDP_FLAGS_DRV_MODE, NULL), 0);
	close(foreign);
}

static void test_an_image_that_is_too_long(void **state)
{
	struct loader *l = open_loader(&sizes);
	struct l4_line *lines = calloc(65, sizeof *lines);

	(void)state;
	assert_int_equal(loader_publish(l, lines, 65), -ENOSPC);
	free(lines);
	loader_close(l);
}

static void test_detach_leaves_nothing(void **state)
{
	struct loader *l = open_loader(&sizes);
	char path[64];

	(void)state;
	publish(l, 1);
	attach(l, 2);
	loader_close(l);
	assert_int_equal(loader_detach(run_dir), 2);
	assert_int_equal(runs(ports[0]), 0);
	assert_int_equal(runs(ports[1]), 0);
	snprintf(path, sizeof path, "%s/bpf", run_dir);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(loader_detach(run_dir), 0); /* and again */
}

/* Programs that pass are there, and serve nobody. Before they are ceded whoever stands behind has them take packets again. */
static void test_what_was_yielded_is_taken_back(void **state)
{
	struct loader *l = open_loader(&sizes);

	(void)state;
	publish(l, 51);
	assert_int_equal(serving_links(run_dir), 0);
	attach(l, 2);
	assert_int_equal(serving_links(run_dir), 2);
	assert_int_equal(loader_yield(l), 0);
	assert_int_equal(serving_links(run_dir), 0);
	assert_int_equal(loader_resume(l), 0);
	assert_int_equal(serving_links(run_dir), 2);
	assert_int_equal(loader_yield(l), 0);
	loader_close(l);
	l = open_loader(&sizes);
	assert_int_equal(loader_past(l)->links, 0);
	assert_int_equal(loader_past(l)->generation, 0);
	loader_close(l);
	assert_int_equal(serving_take_back(run_dir), 0);
	assert_int_equal(serving_links(run_dir), 2);
	l = open_loader(&sizes);
	assert_int_equal(loader_past(l)->links, 2);
	assert_int_equal(loader_past(l)->generation, 51);
	loader_close(l);
}

static void test_what_was_ceded_is_not_taken_back(void **state)
{
	struct loader *l = open_loader(&sizes);

	(void)state;
	publish(l, 1);
	attach(l, 2);
	assert_int_equal(loader_yield(l), 0);
	assert_int_equal(loader_cede(l), 0);
	loader_close(l);
	assert_int_equal(serving_take_back(run_dir), 0);
	assert_int_equal(serving_links(run_dir), 0);
	assert_int_equal(loader_links(run_dir), 2);
}

/* Nobody takes back what has been resumed, or that of an engine that was attached since. */
static void test_what_was_resumed_is_not_taken_back(void **state)
{
	struct loader *l = open_loader(&sizes);

	(void)state;
	publish(l, 1);
	attach(l, 2);
	assert_int_equal(loader_yield(l), 0);
	assert_int_equal(loader_resume(l), 0);
	publish(l, 2);
	assert_int_equal(serving_take_back(run_dir), 0);
	loader_close(l);
	l = open_loader(&sizes);
	assert_int_equal(loader_past(l)->generation, 2);
	assert_int_equal(loader_yield(l), 0);
	loader_close(l);
	l = open_loader(&sizes);
	assert_int_equal(loader_yield(l), 0);
	publish(l, 3);
	attach(l, 2);
	assert_int_equal(loader_yield(l), 0);
	assert_int_equal(serving_take_back(run_dir), 0);
	assert_int_equal(serving_links(run_dir), 0);
	loader_close(l);
}

static void test_which_kernels_are_known(void **state)
{
	(void)state;
	assert_true(loader_kernel_is_known("6.1.0-18-amd64"));
	assert_true(loader_kernel_is_known("6.18.44"));
	assert_true(loader_kernel_is_known("7.0-rc1"));
	assert_false(loader_kernel_is_known("6.0.12"));
	assert_false(loader_kernel_is_known("5.15.0-100-generic"));
	assert_false(loader_kernel_is_known(""));
}

static int teardown(void **state)
{
	(void)state;
	return loader_detach(run_dir) < 0;
}

static int group_setup(void **state)
{
	(void)state;
	if (!mkdtemp(run_dir) || unshare(CLONE_NEWNET | CLONE_NEWNS) ||
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -1;
	if (system("ip link add p0 type veth peer name q0 && ip link add p1 type veth peer name q1 "
		   "&& "
		   "ip link set p0 up && ip link set p1 up"))
		return -1;
	ports[0] = if_nametoindex("p0");
	ports[1] = if_nametoindex("p1");
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	return rmdir(run_dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which_kernels_are_known),
		cmocka_unit_test_teardown(test_start_and_restart, teardown),
		cmocka_unit_test_teardown(test_an_interface_leaves, teardown),
		cmocka_unit_test_teardown(test_other_sizes_keep_counters, teardown),
		cmocka_unit_test_teardown(test_records_survive, teardown),
		cmocka_unit_test_teardown(test_a_filled_table_keeps_its_size, teardown),
		cmocka_unit_test_teardown(test_an_empty_table_is_replaced, teardown),
		cmocka_unit_test_teardown(test_floods_survive, teardown),
		cmocka_unit_test_teardown(test_an_empty_table_of_proxied_is_replaced, teardown),
		cmocka_unit_test_teardown(test_slots_survive, teardown),
		cmocka_unit_test_teardown(test_all_or_nothing, teardown),
		cmocka_unit_test_teardown(test_an_image_that_is_too_long, teardown),
		cmocka_unit_test_teardown(test_what_was_yielded_is_taken_back, teardown),
		cmocka_unit_test_teardown(test_what_was_ceded_is_not_taken_back, teardown),
		cmocka_unit_test_teardown(test_what_was_resumed_is_not_taken_back, teardown),
		cmocka_unit_test_teardown(test_detach_leaves_nothing, teardown),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
