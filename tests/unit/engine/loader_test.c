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
#include "bpf/tandem.skel.h"

static char run_dir[] = "/tmp/tandem-loader-XXXXXX";
static uint32_t ports[2];

static const struct loader_sizes sizes = { 4, 4, 8, 16, 16, 64, 8, 1024 };

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
	loader_close(l);
	assert_int_equal(runs(ports[0]), first); /* the process is gone, the program is not */

	l = open_loader(&sizes);
	assert_int_equal(loader_past(l)->links, 2);
	assert_int_equal(loader_past(l)->generation, 41);
	assert_true(loader_past(l)->counters);
	assert_int_equal(get_counter(l, 3), 1000);
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
	loader_close(l);
	larger.servers = 100;
	l = open_loader(&larger);
	assert_int_equal(get_counter(l, 8), 77);
	assert_int_equal(get_counter(l, 100), 0);
	publish(l, 2);
	attach(l, 1);
	loader_close(l);
	l = open_loader(&larger); /* the larger map was pinned */
	assert_int_equal(get_counter(l, 8), 77);
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
		cmocka_unit_test_teardown(test_all_or_nothing, teardown),
		cmocka_unit_test_teardown(test_an_image_that_is_too_long, teardown),
		cmocka_unit_test_teardown(test_detach_leaves_nothing, teardown),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
