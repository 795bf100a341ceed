/* SPDX-License-Identifier: BSD-2-Clause */
/* What an engine in another process may do wrong: nothing hangs, nothing is taken for an answer that is none, and no descriptor is
 * left. */
#include "tests/unit/engine/dpdk_bed.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static unsigned open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* The other end closes what it has got a moment after its answer. */
static unsigned settled_files(void)
{
	usleep(100000);
	return open_files();
}

static void assert_files(unsigned n)
{
	for (int i = 0; i < 200 && open_files() != n; i++)
		usleep(10000);
	assert_int_equal(open_files(), n);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void assert_says(const char *words)
{
	if (!strstr(bed.e.text, words))
		fail_msg("\"%s\" is not in: %s", words, bed.e.text);
}

static void refuse(int32_t rc, uint32_t kind, unsigned n)
{
	bed.fake.refusal = rc;
	fake_set_fault(&bed.fake, FAKE_REFUSES, kind, n);
}

static void test_nobody_is_there(void **state)
{
	(void)state;
	fake_stop(&bed.fake); /* leaves the socket, at which nobody listens */
	assert_int_equal(bed_open(NULL), -ECONNREFUSED);
	assert_says("start tandem-dpdk first");
	assert_says(bed.dir);
	assert_int_equal(engine_detach(bed.dir, &bed.e), 0);
	assert_int_equal(bed_open(NULL), -ENOENT);
	assert_says("start tandem-dpdk first");
	bed_new_dir();
	fake_start(&bed.fake, bed.dir);
}

/* Whose interfaces are they? */
static void test_detach_beside_one_that_does_not_answer(void **state)
{
	int64_t began = now_ms();

	(void)state;
	fake_set_fault(&bed.fake, FAKE_SILENT, PROTOCOL_HELLO, 1);
	assert_int_equal(engine_detach(bed.dir, &bed.e), -ETIMEDOUT);
	assert_says("tandem-dpdk does not answer, and may have the interfaces: stop it first");
	assert_true(now_ms() - began < 4000);
	fake_set_fault(&bed.fake, FAKE_LONG, PROTOCOL_HELLO, 1);
	assert_int_equal(engine_detach(bed.dir, &bed.e), -EPROTO);
	assert_says("tandem-dpdk is of another version, and may have");
}

static void test_another_version(void **state)
{
	(void)state;
	refuse(-EPROTO, PROTOCOL_HELLO, 1);
	assert_int_equal(bed_open(NULL), -EPROTO);
	assert_says("it does not like it");
	fake_set_fault(&bed.fake, FAKE_LONG, PROTOCOL_HELLO, 1);
	assert_int_equal(bed_open(NULL), -EPROTO);
	assert_says("one version");
}

static void test_no_tables(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof path, "%s/" PROTOCOL_DIR "/servers", bed.dir);
	assert_int_equal(truncate(path, 5000), 0);
	assert_int_equal(bed_open(NULL), -EPROTO);
	assert_says("servers is of another version");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(bed_open(NULL), -ENOENT);
	assert_says("cannot map");
}

static void test_an_interface_is_missing(void **state)
{
	(void)state;
	bed.ifindex += 2;
	assert_int_equal(bed_open(NULL), -ENODEV);
	assert_says("interface lan");
	bed.ifindex -= 2;
	bed.fake.hello.n_ports = 1;
	assert_int_equal(bed_open(NULL), -ENODEV);
	bed.fake.hello.n_ports = PROTOCOL_PORTS + 1;
	assert_int_equal(bed_open(NULL), -EPROTO);
	bed.fake.hello.n_ports = 2;
	bed.fake.hello.bank = STORE_BANKS;
	assert_int_equal(bed_open(NULL), -EPROTO);
}

static void assert_too_small(const char *limit)
{
	assert_int_equal(bed_open(NULL), -ENOSPC);
	assert_says("restart it");
	assert_says(limit);
}

static void test_not_enough_room(void **state)
{
	struct protocol_hello *h = &bed.fake.hello;
	uint32_t *room[] = { &h->lines, &h->chunks, &h->guard, &h->routes };
	static const char *const room_limits[] = { "services", "ring_slots", "guard_prefixes",
		"routes" };
	uint32_t *rows[] = { &bed.sizes.vips, &bed.sizes.services, &bed.sizes.servers,
		&bed.sizes.neighbours };
	static const char *const row_limits[] = { "vips", "services", "servers", "neighbours" };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		--*room[i];
		assert_too_small(room_limits[i]);
		++*room[i];
	}
	for (unsigned i = 0; i < 4; i++) {
		--*rows[i];
		bed_new_store();
		assert_too_small(row_limits[i]);
		++*rows[i];
	}
	bed.sizes.neighbours *= 4; /* more is fine */
	bed.sizes.records /= 2;	   /* and so is less where nothing is numbered */
	bed_new_store();
	assert_int_equal(bed_open(NULL), 0);
	assert_int_equal(bed.engine->tables.n_neighbours, 4 * BED_NEIGHBOURS);
}

/* Whatever comes, it is no answer. */
static void test_answers_that_are_none(void **state)
{
	static const enum fake_fault faults[] = { FAKE_SHORT, FAKE_LONG, FAKE_OTHER_KIND,
		FAKE_POSITIVE };
	unsigned files = open_files();
	uint8_t frame[60] = { 0 }, out[60];
	static struct l4_way way;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		size_t len = sizeof out;

		fake_set_fault(&bed.fake, faults[i], PROTOCOL_HELLO, 1);
		assert_int_equal(bed_open(NULL), -EPROTO);
		assert_int_equal(bed_open(NULL), 0);
		fake_set_fault(&bed.fake, faults[i], PROTOCOL_TRACE, 1);
		assert_int_equal(engine_trace(bed.engine, BED_IFINDEX, frame, sizeof frame, out,
					 &len, &way, &bed.e),
			-EPROTO);
		assert_int_equal(bed_state(), ENGINE_GONE);
		bed_close();
		assert_int_equal(bed_open(NULL), 0);
		/* With one more that is wrong, nobody is asked a third time. */
		fake_set_fault(&bed.fake, faults[i], PROTOCOL_GENERATION, 2);
		assert_int_equal(bed_publish(1, 1, 0), -EPROTO);
		assert_int_equal(engine_generation(bed.engine), 0);
		bed_close();
		fake_forget(&bed.fake);
	}
	assert_files(files);
}

/* More than anybody asked for, of any kind of question. */
static void test_files_that_nobody_asked_for(void **state)
{
	unsigned files;

	(void)state;
	assert_int_equal(bed_open(NULL), 0);
	assert_int_equal(bed_publish(1, 1, 0), 0);
	files = settled_files();
	fake_set_fault(&bed.fake, FAKE_MANY_FILES, PROTOCOL_GENERATION, 1);
	assert_int_equal(bed_publish(2, 1, 0), 0);
	refuse(-EINVAL, PROTOCOL_GENERATION, 1); /* has files too */
	assert_int_equal(bed_publish(1, 1, 0), -EINVAL);
	assert_files(files);
	bed_close();
	files = settled_files();
	fake_set_fault(&bed.fake, FAKE_MANY_FILES, PROTOCOL_HELLO, 1);
	assert_int_equal(bed_open(NULL), 0);
	assert_true(bed.adopted);
	bed_close();
	assert_files(files);
}

/* In the middle of a question; then it is found again by whoever asks next. */
static void test_the_end_of_a_connection(void **state)
{
	struct fake_asked a;

	(void)state;
	fake_set_fault(&bed.fake, FAKE_CLOSES, PROTOCOL_HELLO, 1);
	assert_true(bed_open(NULL) < 0);
	assert_says("is lost");
	assert_int_equal(bed_open(NULL), 0);
	assert_int_equal(bed_publish(1, 1, 0), 0);
	fake_clear(&bed.fake);
	fake_set_fault(&bed.fake, FAKE_CLOSES, PROTOCOL_GENERATION, 2);
	assert_true(bed_publish(2, 1, 0) < 0);
	assert_int_equal(bed_state(), ENGINE_GONE);
	assert_int_equal(engine_generation(bed.engine), 1);
	assert_int_equal(bed_publish(2, 1, 0), 0);
	assert_int_equal(bed_state(), ENGINE_SERVING);
	assert_true(fake_asked(&bed.fake, PROTOCOL_GENERATION, 2, &a));
	assert_int_equal(a.after, 0);
	assert_int_equal(a.n_rings, 2);
	/* Once is made good for at once. */
	fake_set_fault(&bed.fake, FAKE_CLOSES, PROTOCOL_GENERATION, 1);
	assert_int_equal(bed_publish(3, 1, 0), 0);
	assert_int_equal(engine_generation(bed.engine), 3);
}

static void test_no_answer(void **state)
{
	int64_t began;

	(void)state;
	bed.wait_ms = 60;
	assert_int_equal(bed_open(NULL), 0);
	fake_set_fault(&bed.fake, FAKE_SILENT, PROTOCOL_GENERATION, 1);
	began = now_ms();
	assert_int_equal(bed_publish(1, 1, 0), -ETIMEDOUT);
	assert_in_range(now_ms() - began, 50, 1500);
	assert_says("does not answer");
	assert_int_equal(bed_state(), ENGINE_GONE);
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_HELLO), 1); /* nobody waits twice */
	assert_int_equal(bed_publish(1, 1, 0), 0);
	assert_int_equal(bed_state(), ENGINE_SERVING);
	bed_close();
	fake_set_fault(&bed.fake, FAKE_SILENT, PROTOCOL_HELLO, 1);
	assert_int_equal(bed_open(NULL), -ETIMEDOUT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, bed_setup, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nobody_is_there),
		TEST(test_detach_beside_one_that_does_not_answer),
		TEST(test_another_version),
		TEST(test_no_tables),
		TEST(test_an_interface_is_missing),
		TEST(test_not_enough_room),
		TEST(test_answers_that_are_none),
		TEST(test_files_that_nobody_asked_for),
		TEST(test_the_end_of_a_connection),
		TEST(test_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
