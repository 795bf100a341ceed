/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables that outlive a process: what becomes of them when the next one wants others. */
#include "tests/unit/test.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "dataplane/dpdk/neighbour_index.h"
#include "dataplane/dpdk/store.h"
#include "dataplane/l4/datagram.h"
#include "dataplane/l4/flood.h"
#include "dataplane/l4/proxied.h"
#include "dataplane/l4/record.h"
#include "dataplane/l4/verdict.h"

static char dir[32];
static struct store_sizes sizes;
static struct store store;
static const char *which;

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/tandem-store-XXXXXX");
	sizes = (struct store_sizes){ .vips = 8,
		.services = 9,
		.servers = 10,
		.neighbours = 40,
		.records = 64,
		.sources = 64,
		.datagrams = 8,
		.proxied = 64,
		.workers = 2 };
	return !mkdtemp(dir);
}

static int teardown(void **state)
{
	(void)state;
	store_close(&store);
	return store_remove(dir) < 0 || rmdir(dir);
}

static void open_again(void)
{
	store_close(&store);
	assert_int_equal(store_open(&store, dir, &sizes, &which), 0);
}

static uint64_t *row_of(enum store_kind kind, uint32_t block, uint32_t n)
{
	uint8_t *at = store_block(&store, kind, block);

	return (uint64_t *)(at + (size_t)n * store.tables[kind].row_size);
}

static uint64_t sum_of(enum store_kind kind, uint32_t n, unsigned word)
{
	uint64_t out[L4_V_COUNT + L4_PLACE_COUNT];

	assert_int_equal(store_sum(&store, kind, n, out), 0);
	return out[word];
}

static void path_of(char out[64], const char *name)
{
	snprintf(out, 64, "%s/%s", dir, name);
}

static void test_shapes(void **state)
{
	(void)state;
	open_again();
	assert_int_equal(store.tables[STORE_NEIGHBOURS].rows, 40);
	assert_int_equal(store.tables[STORE_NEIGHBOURS].blocks, STORE_BANKS);
	assert_int_equal(store.tables[STORE_CELLS].rows, 128);
	assert_int_equal(store.tables[STORE_CELLS].rows, 1u << neighbour_index_bits(40));
	assert_int_equal(store.tables[STORE_RECORDS].rows * L4_BUCKET_RECORDS, 64);
	assert_int_equal(1u << store_bits(&store, STORE_RECORDS), 64 / L4_BUCKET_RECORDS);
	assert_int_equal(store.tables[STORE_SERVICES].rows, 10);
	assert_int_equal(store.tables[STORE_FLOODS].rows, 10);
	assert_int_equal(store.tables[STORE_SERVERS].rows, 11);
	assert_int_equal(store.tables[STORE_VIP_DROPS].rows, 9);
	assert_int_equal(store.tables[STORE_VERDICTS].blocks,
		4); /* two workers, who feeds them, what is off */
	for (enum store_kind k = 0; k < STORE_KINDS; k++) {
		const struct store_table *t = &store.tables[k];

		assert_false(t->adopted || t->kept);
		assert_int_equal(t->stride % 64, 0);
		assert_true(t->stride >= (size_t)t->rows * t->row_size);
		assert_int_equal((uintptr_t)t->memory % 64, 0);
	}
	sizes = (struct store_sizes){ .neighbours = 1, .workers = 1 }; /* two buckets at least */
	open_again();
	assert_int_equal(store.tables[STORE_RECORDS].rows, 2);
	assert_int_equal(store_bits(&store, STORE_PROXIED), 1);
}

static void test_sizes_that_cannot_be(void **state)
{
	(void)state;
	sizes.workers = 0;
	assert_int_equal(store_open(&store, dir, &sizes, &which), -EINVAL);
	sizes.workers = STORE_MAX_WORKERS + 1;
	assert_int_equal(store_open(&store, dir, &sizes, &which), -EINVAL);
	sizes.workers = STORE_MAX_WORKERS;
	sizes.neighbours = 0;
	assert_int_equal(store_open(&store, dir, &sizes, &which), -EINVAL);
	sizes.neighbours = 1;
	open_again();
}

static void test_all_goes_on(void **state)
{
	uint64_t key[2];

	(void)state;
	open_again();
	memcpy(key, store_block(&store, STORE_CELLS_KEY, 0), sizeof key);
	assert_true(key[0] && key[1]);
	for (enum store_kind k = 0; k < STORE_KINDS; k++)
		if (k != STORE_CELLS_KEY)
			memset(row_of(k, 0, 0), 0x42,
				store.tables[k].stride * store.tables[k].blocks);
	open_again();
	for (enum store_kind k = 0; k < STORE_KINDS; k++) {
		const struct store_table *t = &store.tables[k];

		assert_true(t->adopted && !t->kept);
		if (k != STORE_CELLS_KEY)
			assert_int_equal(t->memory[t->stride * t->blocks - 1], 0x42);
	}
	assert_memory_equal(key, store_block(&store, STORE_CELLS_KEY, 0), sizeof key);
}

/* A key that was never drawn is drawn then. */
static void test_a_key_of_zeros(void **state)
{
	uint64_t *key;

	(void)state;
	open_again();
	memset(store_block(&store, STORE_CELLS_KEY, 0), 0, sizeof(uint64_t[2]));
	open_again();
	key = store_block(&store, STORE_CELLS_KEY, 0);
	assert_true(key[0] && key[1]);
}

/* Memory of the process' own: nobody else's, and empty. */
static void test_without_a_directory(void **state)
{
	(void)state;
	assert_int_equal(store_open(&store, NULL, &sizes, &which), 0);
	*row_of(STORE_SERVICES, 1, 3) = 5;
	assert_int_equal(sum_of(STORE_SERVICES, 3, 0), 5);
	assert_false(store_is(&store, dir));
	store_close(&store);
	assert_int_equal(store_open(&store, NULL, &sizes, &which), 0);
	assert_int_equal(sum_of(STORE_SERVICES, 3, 0), 0);
}

/* Counters and floods keep what there is room for. */
static void test_other_ids(void **state)
{
	struct l4_flood *floods;

	(void)state;
	open_again();
	for (uint32_t block = 1; block < 3; block++)
		for (uint32_t i = 0; i < 10; i++)
			row_of(STORE_SERVICES, block, i)[1] = 100 * block + i;
	*row_of(STORE_SERVICES, 0, 4) = 7; /* taken off */
	row_of(STORE_SERVICES, 1, 4)[0] = 10;
	floods = store_block(&store, STORE_FLOODS, 0);
	floods[9].begun = 99;
	row_of(STORE_SERVERS, 1, 10)[0] = 1010;
	sizes.services = 100;
	open_again();
	assert_true(store.tables[STORE_SERVICES].adopted);
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(sum_of(STORE_SERVICES, i, 1), 300 + 2 * i);
	assert_int_equal(sum_of(STORE_SERVICES, 4, 0), 3);
	for (uint32_t i = 10; i <= 100; i++)
		assert_int_equal(sum_of(STORE_SERVICES, i, 1), 0);
	floods = store_block(&store, STORE_FLOODS, 0);
	assert_int_equal(floods[9].begun, 99);
	assert_int_equal(sum_of(STORE_SERVERS, 10, 0), 1010);
	sizes.services = 3;
	open_again();
	assert_int_equal(sum_of(STORE_SERVICES, 3, 1), 306);
	sizes.services = 9;
	open_again();
	assert_int_equal(sum_of(STORE_SERVICES, 3, 1), 306);
	assert_int_equal(sum_of(STORE_SERVICES, 4, 1), 0); /* gone for good */
}

/* What former workers counted counts on, be they more or fewer. */
static void test_other_workers(void **state)
{
	(void)state;
	open_again();
	row_of(STORE_VERDICTS, 1, 0)[5] = 1;
	row_of(STORE_VERDICTS, 2, 0)[5] = 10;
	sizes.workers = 5;
	open_again();
	assert_int_equal(store.tables[STORE_VERDICTS].blocks, 7);
	assert_int_equal(sum_of(STORE_VERDICTS, 0, 5), 11);
	row_of(STORE_VERDICTS, 5, 0)[5] = 100;
	sizes.workers = 1;
	open_again();
	assert_int_equal(sum_of(STORE_VERDICTS, 0, 5), 111);
	sizes.servers = 77; /* the other tables too, when they are made anew */
	row_of(STORE_SERVERS, 5, 10)[0] = 8;
	open_again();
	assert_int_equal(sum_of(STORE_SERVERS, 10, 0), 8);
}

/* Records keep their table while any is there, and get the one that was wanted once it is empty. */
static void test_what_lives_is_kept(void **state)
{
	struct l4_record_bucket *b;

	(void)state;
	open_again();
	b = store_block(&store, STORE_RECORDS, 0);
	b[7].records[1].what = L4_RECORD_BUSY + 1;
	sizes.records = 256;
	sizes.proxied = 256;
	open_again();
	assert_true(store.tables[STORE_RECORDS].kept && store.tables[STORE_RECORDS].adopted);
	assert_int_equal(store.tables[STORE_RECORDS].rows, 64 / L4_BUCKET_RECORDS);
	b = store_block(&store, STORE_RECORDS, 0);
	assert_int_equal(b[7].records[1].what, L4_RECORD_BUSY + 1);
	assert_false(store.tables[STORE_PROXIED].kept);
	assert_int_equal(store.tables[STORE_PROXIED].rows, 256 / L4_BUCKET_PROXIED);
	b[7].records[1].what = 0;
	open_again();
	assert_false(store.tables[STORE_RECORDS].kept || store.tables[STORE_RECORDS].adopted);
	assert_int_equal(store.tables[STORE_RECORDS].rows, 256 / L4_BUCKET_RECORDS);
}

/* Neighbours are named by rows, and sources are forgotten soon anyway. */
static void test_the_rest_begins_anew(void **state)
{
	(void)state;
	open_again();
	*row_of(STORE_NEIGHBOURS, 1, 3) = 1;
	*row_of(STORE_SOURCES, 0, 0) = 1;
	*row_of(STORE_DATAGRAMS, 0, 0) = L4_DATAGRAM_OPEN;
	sizes.neighbours = 400;
	sizes.sources = 128;
	sizes.datagrams = 64;
	open_again();
	assert_false(store.tables[STORE_NEIGHBOURS].adopted);
	assert_int_equal(*row_of(STORE_NEIGHBOURS, 1, 3), 0);
	assert_int_equal(*row_of(STORE_SOURCES, 0, 0), 0);
	assert_int_equal(*row_of(STORE_DATAGRAMS, 0, 0), 0);
}

/* Entries that a process was about to write are empty for the next one. */
static void test_claims_are_freed(void **state)
{
	struct l4_record_bucket *records;
	struct l4_datagram_bucket *datagrams;
	struct l4_proxied_bucket *proxied;

	(void)state;
	open_again();
	records = store_block(&store, STORE_RECORDS, 0);
	datagrams = store_block(&store, STORE_DATAGRAMS, 0);
	proxied = store_block(&store, STORE_PROXIED, 0);
	for (unsigned i = 0; i < 4; i++) {
		records[3].records[i].what = i;
		datagrams[1].datagrams[i % L4_BUCKET_DATAGRAMS].what = i < 3 ? i : L4_DATAGRAM_OPEN;
		proxied[2].entries[i % L4_BUCKET_PROXIED].what = i < 2 ? i : L4_PROXIED_BUSY + 1;
	}
	open_again();
	records = store_block(&store, STORE_RECORDS, 0);
	datagrams = store_block(&store, STORE_DATAGRAMS, 0);
	proxied = store_block(&store, STORE_PROXIED, 0);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(records[3].records[i].what, i == L4_RECORD_BUSY ? 0 : i);
		assert_int_equal(datagrams[1].datagrams[i].what, i == L4_DATAGRAM_BUSY ? 0
								 : i < 3	       ? i
									 : L4_DATAGRAM_OPEN);
		assert_int_equal(proxied[2].entries[i].what, i < 2 ? 0 : L4_PROXIED_BUSY + 1);
	}
}

static void write_at(const char *name, off_t at, const void *bytes, size_t size)
{
	char path[64];
	int fd;

	path_of(path, name);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, size, at), size);
	close(fd);
}

/* Of files that are not what they should be nothing is taken. */
static void test_files_of_others(void **state)
{
	static const char *const names[] = { "services", "records", "neighbour-key" };
	const uint32_t version = 1, huge = UINT32_MAX;
	struct store joined;
	char path[64];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		path_of(path, names[i]);
		for (int how = 0; how < 4; how++) {
			open_again();
			*row_of(STORE_SERVICES, 1, 1) = 3;
			*row_of(STORE_RECORDS, 0, 1) = UINT64_MAX;
			if (how == 0)
				assert_int_equal(truncate(path, 4096), 0);
			else if (how == 1)
				assert_int_equal(truncate(path, 10), 0);
			else if (how == 2)
				write_at(names[i], 8, &version, sizeof version);
			else
				write_at(names[i], 16, &huge, sizeof huge);
			assert_int_equal(store_join(&joined, dir, &which), -EPROTO);
			assert_string_equal(which, names[i]);
			/* A mapped file that has been cut is not to be touched. */
			open_again();
			assert_int_equal(*row_of(STORE_SERVICES, 1, 1), i == 0 ? 0 : 3);
			assert_int_equal(*row_of(STORE_RECORDS, 0, 1), i == 1 ? 0 : UINT64_MAX);
			assert_true(row_of(STORE_CELLS_KEY, 0, 0)[0]);
		}
	}
	path_of(path, "proxied");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(store_join(&joined, dir, &which), -ENOENT);
	assert_string_equal(which, "proxied");
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(store_open(&joined, dir, &sizes, &which), -EISDIR);
	assert_string_equal(which, "proxied");
	assert_int_equal(rmdir(path), 0);
}

/* Another process writes what is read here, and the other way round. */
static void test_two_processes(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	open_again();
	*row_of(STORE_SERVICES, 1, 2) = 40;
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct store joined;
		uint64_t out[2];
		bool good;

		good = !store_join(&joined, dir, &which) && store_is(&joined, dir) &&
		       !store_sum(&joined, STORE_SERVICES, 2, out) && out[0] == 40 &&
		       !store_reset(&joined, STORE_SERVICES, 2);
		_exit(!good);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(sum_of(STORE_SERVICES, 2, 0), 0);
	*row_of(STORE_SERVICES, 2, 2) = 2;
	assert_int_equal(sum_of(STORE_SERVICES, 2, 0), 2);
}

/* Who has mapped the old file reads on in memory that is nobody else's, and can see that it is. */
static void test_a_file_takes_the_place_of_another(void **state)
{
	struct store joined;
	uint64_t out[2];

	(void)state;
	open_again();
	*row_of(STORE_SERVERS, 1, 4) = 4;
	assert_int_equal(store_join(&joined, dir, &which), 0);
	assert_true(store_is(&joined, dir));
	open_again();
	assert_true(store_is(&joined, dir));
	sizes.servers = 50;
	open_again();
	assert_true(store_is(&store, dir));
	assert_false(store_is(&joined, dir));
	*row_of(STORE_SERVERS, 1, 4) = 5;
	assert_int_equal(store_sum(&joined, STORE_SERVERS, 4, out), 0);
	assert_int_equal(out[0], 4);
	store_close(&joined);
	assert_true(store_remove(dir) == STORE_KINDS);
	assert_false(store_is(&store, dir));
	assert_int_equal(store_remove(dir), 0);
}

static void test_reset(void **state)
{
	uint64_t out[2];

	(void)state;
	open_again();
	for (uint32_t block = 1; block < 3; block++) {
		row_of(STORE_SERVERS, block, 10)[0] = 5;
		row_of(STORE_SERVERS, block, 10)[1] = UINT64_MAX; /* wraps */
		row_of(STORE_VIP_DROPS, block, 8)[L4_V_COUNT - 1] = 9;
	}
	assert_int_equal(sum_of(STORE_SERVERS, 10, 1), UINT64_MAX - 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(store_reset(&store, STORE_SERVERS, 10), 0);
		assert_int_equal(sum_of(STORE_SERVERS, 10, 0), 0);
		assert_int_equal(sum_of(STORE_SERVERS, 10, 1), 0);
	}
	row_of(STORE_SERVERS, 2, 10)[0]++;
	assert_int_equal(sum_of(STORE_SERVERS, 10, 0), 1);
	assert_int_equal(row_of(STORE_SERVERS, 1, 10)[0], 5); /* it is the worker's */
	assert_int_equal(store_reset(&store, STORE_VIP_DROPS, 8), 0);
	assert_int_equal(sum_of(STORE_VIP_DROPS, 8, L4_V_COUNT - 1), 0);
	out[0] = out[1] = 1;
	assert_int_equal(store_sum(&store, STORE_SERVERS, 11, out), -ENOENT);
	assert_true(!out[0] && !out[1]);
	assert_int_equal(store_reset(&store, STORE_SERVERS, 11), -ENOENT);
	open_again();
	assert_int_equal(sum_of(STORE_SERVERS, 10, 0), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_shapes),
		TEST(test_sizes_that_cannot_be),
		TEST(test_all_goes_on),
		TEST(test_a_key_of_zeros),
		TEST(test_without_a_directory),
		TEST(test_other_ids),
		TEST(test_other_workers),
		TEST(test_what_lives_is_kept),
		TEST(test_the_rest_begins_anew),
		TEST(test_claims_are_freed),
		TEST(test_files_of_others),
		TEST(test_two_processes),
		TEST(test_a_file_takes_the_place_of_another),
		TEST(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
