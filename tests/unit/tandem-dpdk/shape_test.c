/* SPDX-License-Identifier: BSD-2-Clause */
/* When devices are told of virtual MAC addresses, and of which: by a port that notes that, and by devices in a network namespace of the
 * test's own. What becomes of it is dpdk/port's and nic/nic's. */
#include "apps/tandem-dpdk/shape.h"
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controlplane/base/log.h"
#include "controlplane/nic/offload.h"
#include "dataplane/snapshot/snapshot.h"
#include "tests/unit/test.h"

enum { IFINDEX = 12, MANY = 3, CALLS = 4 };

/* What the port was told: the last bytes of the addresses, as digits, and a plus where others stay. */
static char told[CALLS][MANY + 2];
static unsigned n_told;
static int refusal;

uint32_t front_ifindex(const struct front *f)
{
	return f->tap.ifindex;
}

/* Of the kernel's devices the handover is the name. */
const char *handover_nic(const struct handover *h)
{
	return (const char *)h;
}

uint32_t handover_nic_ifindex(const struct handover *h)
{
	uint32_t ifindex = if_nametoindex(handover_nic(h));

	return ifindex ? ifindex : UINT16_MAX;
}

int port_want_macs(struct port *p, const uint8_t (*macs)[6], unsigned n, bool more)
{
	char *text = told[n_told++];

	assert_in_range(n_told, 1, CALLS);
	assert_in_range(n, 0, MANY);
	for (unsigned i = 0; i < n; i++)
		*text++ = (char)('0' + macs[i][5]);
	*text++ = more ? '+' : ' ';
	*text = '\0';
	p->takes_all = refusal;
	return refusal;
}

static struct ring_store *store;
static struct snapshot *sn;
static struct sealed former, latter;

static void give_digits(struct snapshot_address *out, const char *digits)
{
	for (unsigned i = 0; digits[i]; i++)
		out[i] = (struct snapshot_address){ .af = 4,
			.bytes = { 192, 0, 2, (uint8_t)i },
			.ifindex = IFINDEX,
			.mac = { 0, 0, 0x5e, 0, 1, (uint8_t)(digits[i] - '0') } };
}

/* A generation with these addresses: digits. */
static struct sealed generation(const char *digits)
{
	static const struct snapshot_port port = { .ifindex = IFINDEX, .mac = { 2, [5] = 1 } };
	static const uint32_t neighbours[1];
	static struct l4_line images[2][64];
	static unsigned n;
	struct snapshot_address addresses[MANY] = { 0 };
	struct l4_line *image = images[n++ % 2];
	const struct snapshot_input in = { .ports = &port,
		.n_ports = 1,
		.addresses = addresses,
		.n_addresses = (uint32_t)strlen(digits) };
	uint32_t lines;
	const char *what;

	give_digits(addresses, digits);
	assert_int_equal(snapshot_build(store, NULL, &in, neighbours, 1, 64, &sn, &what), 0);
	lines = sn->lines;
	memcpy(image, sn->image, lines * sizeof *image);
	snapshot_abort(store, sn);
	return (struct sealed){ .image = image, .lines = lines };
}

static unsigned n_logged;

void log_warn(const char *fmt, ...)
{
	(void)fmt;
	n_logged++;
}

void log_error(const char *fmt, ...)
{
	(void)fmt;
	n_logged++;
}

/* Lines of the log since it was asked last. */
static unsigned logged(void)
{
	unsigned n = n_logged;

	n_logged = 0;
	return n;
}

static char dir[] = "/tmp/tandem-shape-XXXXXX";
static struct front front = { .name = "front", .tap.ifindex = IFINDEX };
static struct shape shape;

static int setup(void **state)
{
	struct err e;

	(void)state;
	n_told = 0;
	refusal = 0;
	front.port = (struct port){ 0 };
	front.handover = NULL;
	former = latter = (struct sealed){ 0 };
	return shape_begin(&shape, &front, 1, dir, &e);
}

static int teardown(void **state)
{
	(void)state;
	shape_end(&shape);
	return 0;
}

/* A generation comes, and the port is told so before packets go by it, and so after that: NULL, nothing. */
static void publish(const char *digits, const char *first, const char *then)
{
	unsigned n = n_told = 0;

	former = latter;
	latter = generation(digits);
	shape_follow(&shape, former.image ? &former : NULL, &latter);
	assert_int_equal(n_told, first ? n + 1 : n);
	if (first)
		assert_string_equal(told[n], first);
	n = n_told;
	shape_follow(&shape, &latter, NULL);
	assert_int_equal(n_told, then ? n + 1 : n);
	if (then)
		assert_string_equal(told[n], then);
}

static void new_ones_come_first_and_others_go_last(void **state)
{
	(void)state;
	assert_string_equal(told[0], "+"); /* at the start, whatever there was stays */
	publish("1", "1+", "1 ");
	publish("1", NULL, NULL);
	publish("32", "23+", "23 ");
	publish("23", NULL, NULL);
	publish("", "+", " ");
	publish("", NULL, NULL);
}

/* What a former process left goes with the first generation, though that has none either. */
static void the_first_generation_settles_it(void **state)
{
	(void)state;
	publish("", "+", " ");
}

/* Nothing can be told until it has been mended. */
static void damage_list(void)
{
	char path[64];
	FILE *damaged;

	snprintf(path, sizeof path, "%s/nic", dir);
	damaged = fopen(path, "we");
	assert_non_null(damaged);
	fputs("what\n", damaged);
	fclose(damaged);
}

static void mend_list(void)
{
	char path[64];

	snprintf(path, sizeof path, "%s/nic", dir);
	assert_int_equal(unlink(path), 0);
}

static void what_failed_is_tried_again(void **state)
{
	(void)state;
	publish("1", "1+", "1 ");
	damage_list();
	publish("2", "2+", "2 ");
	publish("2", "2+", "2 ");
	mend_list();
	publish("2", "2+", "2 ");
	publish("2", NULL, NULL);
}

static void what_is_no_image_changes_nothing(void **state)
{
	struct protocol_change c;
	struct l4_line zeros[4] = { 0 };
	const struct sealed none = { .image = zeros, .lines = 4 };

	(void)state;
	publish("1", "1+", "1 ");
	n_told = 0;
	shape_follow(&shape, &latter, &none);
	shape_follow(&shape, &none, NULL);
	assert_int_equal(n_told, 0);
	publish("1", NULL, NULL);
	assert_true(shape_change(&shape, 0, &c));
}

static void changes_are_listed(void **state)
{
	uint8_t macs[1][6] = { { 0, 0, 0x5e, 0, 1, 1 } };
	struct protocol_change c;

	(void)state;
	front.port.macs = macs;
	front.port.n_macs = 1;
	refusal = -ENOTSUP;
	publish("12", "12+", "12 ");
	assert_true(shape_change(&shape, 0, &c));
	assert_int_equal(c.ifindex, IFINDEX);
	assert_int_equal(c.kind, PROTOCOL_MAC);
	assert_string_equal(c.what, "00:00:5e:00:01:01");
	assert_true(shape_change(&shape, 1, &c));
	assert_int_equal(c.kind, PROTOCOL_ALL_FRAMES);
	assert_true(shape_change(&shape, 2, &c));
	assert_int_equal(c.kind, PROTOCOL_ALL_GROUPS);
	assert_false(shape_change(&shape, 3, &c));
	assert_false(shape_change(&shape, UINT32_MAX, &c));
}

static bool has_change(enum protocol_change_kind kind, const char *what)
{
	struct protocol_change c;

	for (uint32_t i = 0; shape_change(&shape, i, &c); i++)
		if (c.kind == kind && c.ifindex == IFINDEX && !strcmp(c.what, what))
			return true;
	return false;
}

static void run(const char *what)
{
	char command[64];

	snprintf(command, sizeof command, "ip %s", what);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a test's own words */
}

static void put_back(void)
{
	struct err e;

	assert_int_equal(nic_restore(dir, &e), 0);
}

static void what_a_port_refuses_is_tried_again(void **state)
{
	(void)state;
	publish("1", "1+", "1 ");
	logged();
	refusal = -ENOTSUP;
	publish("12", "12+", "12 ");
	assert_int_equal(logged(), 1); /* and not with each generation */
	publish("12", "12+", "12 ");
	assert_int_equal(logged(), 0);
	refusal = 0;
	publish("12", "12+", "12 ");
	publish("12", NULL, NULL);
	refusal = -ENOTSUP;
	publish("2", "2+", "2 ");
	assert_int_equal(logged(), 1);
}

static void memory_that_is_missing_is_no_refusal(void **state)
{
	(void)state;
	logged();
	refusal = -ENOMEM;
	publish("1", "1+", "1 ");
	assert_int_equal(logged(), 1);
	assert_int_equal(shape.told.n, 0);
	assert_string_equal(shape.error.text, "interface front: out of memory");
	refusal = 0;
	publish("1", "1+", "1 ");
	publish("1", NULL, NULL);
}

static void what_a_device_refuses_is_tried_again(void **state)
{
	(void)state;
	front.handover = (struct handover *)"gone-nic";
	logged();
	publish("1", NULL, NULL);
	assert_int_equal(logged(), 2); /* neither this address nor all frames */
	publish("1", NULL, NULL);
	assert_int_equal(logged(), 0);
	front.handover = (struct handover *)"part";
	publish("1", NULL, NULL);
	assert_int_equal(logged(), 0);
	assert_true(has_change(PROTOCOL_MAC, "00:00:5e:00:01:01"));
	put_back();
}

/* Offloads of what frames come in by are off, as long as it is so; the list has each once. */
static void devices_below_are_told(void **state)
{
	struct protocol_change c;
	unsigned n = 0;

	(void)state;
	assert_int_equal(offload_set("part", "rx-gro", true), 0);
	front.handover = (struct handover *)"top";
	publish("", NULL, NULL);
	assert_int_equal(offload_get("part", "rx-gro"), 0);
	for (uint32_t i = 0; shape_change(&shape, i, &c); i++)
		n += !strcmp(c.what, "rx-gro");
	assert_int_equal(n, 1);
	run("link set part nomaster");
	shape_look(&shape);
	assert_int_equal(offload_get("part", "rx-gro"), 1);
	run("link set part master top");
	shape_look(&shape);
	assert_int_equal(offload_get("part", "rx-gro"), 0);
	put_back();
	assert_int_equal(offload_get("part", "rx-gro"), 1);
}

static void the_first_part_is_told_too(void **state)
{
	(void)state;
	run("link set part nomaster");
	front.handover = (struct handover *)"top";
	publish("", NULL, NULL);
	assert_int_equal(offload_get("part", "rx-gro"), 1);
	run("link set part master top");
	shape_look(&shape);
	assert_int_equal(offload_get("part", "rx-gro"), 0);
	put_back();
}

static void what_failed_below_is_tried_again(void **state)
{
	(void)state;
	front.handover = (struct handover *)"top";
	publish("", NULL, NULL);
	run("link set part nomaster");
	shape_look(&shape);
	assert_int_equal(offload_set("part", "rx-gro", true), 0);
	put_back();
	damage_list();
	run("link set part master top");
	logged();
	shape_look(&shape);
	shape_look(&shape);
	assert_int_equal(offload_get("part", "rx-gro"), 1);
	assert_int_equal(logged(), 1);
	mend_list();
	shape_look(&shape);
	assert_int_equal(offload_get("part", "rx-gro"), 0);
	assert_int_equal(logged(), 0);
	put_back();
}

static int begin(void **state)
{
	(void)state;
	store = ring_store_new(4096, 64);
	if (!store || !mkdtemp(dir) || unshare(CLONE_NEWNET))
		return -1;
	run("link add part type veth peer name other");
	run("link add top type bridge");
	run("link set part master top");
	return 0;
}

static int finish(void **state)
{
	(void)state;
	ring_store_free(store);
	return rmdir(dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(new_ones_come_first_and_others_go_last),
		TEST(the_first_generation_settles_it),
		TEST(what_failed_is_tried_again),
		TEST(what_is_no_image_changes_nothing),
		TEST(changes_are_listed),
		TEST(what_a_port_refuses_is_tried_again),
		TEST(memory_that_is_missing_is_no_refusal),
		TEST(what_a_device_refuses_is_tried_again),
		TEST(devices_below_are_told),
		TEST(the_first_part_is_told_too),
		TEST(what_failed_below_is_tried_again),
	};

	return cmocka_run_group_tests(tests, begin, finish);
}
