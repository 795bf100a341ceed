/* SPDX-License-Identifier: BSD-2-Clause */
/* One program and one mode for all interfaces, or everything as before: on veth interfaces and a bridge, which
 * takes no native program, in namespaces of their own (root). */
#include "tests/unit/test.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include "bpf/bpffs.h"
#include "bpf/links.h"

enum { P0, P1, BRIDGE, PORTS };

static char root[] = "/tmp/tandem-links-XXXXXX";
static char dir[64];
static uint32_t ports[PORTS];

static int new_program(void)
{
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "pass", "GPL", pass, 2, NULL);

	assert_true(fd >= 0);
	return fd;
}

static uint32_t runs(unsigned port)
{
	uint32_t id = 0;

	assert_int_equal(bpf_xdp_query_id((int)ports[port], 0, &id), 0);
	return id;
}

static void assert_modes(const char *p0, const char *p1, const char *bridge)
{
	assert_string_equal(links_port_mode(ports[P0]), p0);
	assert_string_equal(links_port_mode(ports[P1]), p1);
	assert_string_equal(links_port_mode(ports[BRIDGE]), bridge);
}

static struct links_report commit(unsigned n, enum links_mode mode)
{
	struct links_change *c;
	struct links_report report;
	int program = new_program();

	assert_int_equal(links_change(&c, dir, program, ports, n, mode, &report), 0);
	links_commit(c);
	close(program);
	return report;
}

static int refuse(unsigned n, enum links_mode mode, struct links_report *report)
{
	struct links_change *c = NULL;
	int program = new_program();
	int rc = links_change(&c, dir, program, ports, n, mode, report);

	close(program);
	assert_null(c);
	return rc;
}

static void test_native_where_all_take_it(void **state)
{
	struct links_report r = commit(2, LINKS_AUTO);

	(void)state;
	assert_int_equal(r.not_native, 2);
	assert_modes("native", "native", "none");
	assert_int_equal(links_count(dir), 2);
}

static void test_one_refusal_makes_all_generic(void **state)
{
	struct links_report r = commit(PORTS, LINKS_AUTO);

	(void)state;
	assert_int_equal(r.not_native, BRIDGE);
	assert_modes("generic", "generic", "generic");
}

/* The same link stays, so that no packet meets an interface without program. */
static void test_a_restart_keeps_the_choice(void **state)
{
	struct links_report r;
	struct bpf_link_info before = { 0 }, after = { 0 };
	uint32_t size = sizeof before;
	char path[80];
	int fd;

	(void)state;
	commit(PORTS, LINKS_AUTO);
	snprintf(path, sizeof path, "%s/if%u", dir, ports[P0]);
	fd = bpf_obj_get(path);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &before, &size), 0);
	close(fd);
	r = commit(PORTS, LINKS_AUTO);
	assert_int_equal(r.not_native, BRIDGE);
	fd = bpf_obj_get(path);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &after, &size), 0);
	close(fd);
	assert_int_equal(before.id, after.id);
	assert_int_not_equal(before.prog_id, after.prog_id);
}

static void test_native_again_without_the_bridge(void **state)
{
	struct links_report r;

	(void)state;
	commit(PORTS, LINKS_AUTO);
	r = commit(2, LINKS_AUTO);
	assert_int_equal(r.not_native, 2);
	assert_modes("native", "native", "none");
}

/* Generic mode by the operator's wish is no reason to stay generic. */
static void test_modes_change(void **state)
{
	(void)state;
	commit(2, LINKS_GENERIC);
	assert_modes("generic", "generic", "none");
	commit(2, LINKS_AUTO);
	assert_modes("native", "native", "none");
	commit(2, LINKS_GENERIC);
	commit(2, LINKS_NATIVE);
	assert_modes("native", "native", "none");
	commit(PORTS, LINKS_AUTO);
	assert_modes("generic", "generic", "generic");
	commit(PORTS, LINKS_GENERIC);
	commit(2, LINKS_AUTO);
	assert_modes("native", "native", "none");
}

static void test_a_refused_native_leaves_nothing(void **state)
{
	struct links_report r;

	(void)state;
	assert_int_equal(refuse(PORTS, LINKS_NATIVE, &r), -EOPNOTSUPP);
	assert_int_equal(r.failed, BRIDGE);
	assert_modes("none", "none", "none");
	assert_int_equal(links_count(dir), 0);
}

static void test_a_refused_native_leaves_what_was(void **state)
{
	uint32_t before[PORTS];
	struct links_report r;

	(void)state;
	commit(PORTS, LINKS_GENERIC);
	for (unsigned i = 0; i < PORTS; i++)
		before[i] = runs(i);
	assert_int_equal(refuse(PORTS, LINKS_NATIVE, &r), -EOPNOTSUPP);
	assert_modes("generic", "generic", "generic");
	for (unsigned i = 0; i < PORTS; i++)
		assert_int_equal(runs(i), before[i]);
}

static void test_an_aborted_change_leaves_what_was(void **state)
{
	struct links_change *c;
	struct links_report r;
	int program = new_program();
	uint32_t before;

	(void)state;
	commit(1, LINKS_NATIVE);
	before = runs(P0);
	assert_int_equal(links_change(&c, dir, program, ports, PORTS, LINKS_AUTO, &r), 0);
	assert_modes("generic", "generic", "generic");
	links_abort(c);
	close(program);
	assert_modes("native", "none", "none");
	assert_int_equal(runs(P0), before);
	assert_int_equal(links_count(dir), 1);
}

/* Another's program is no question of modes: nobody falls back for it. */
static void test_a_foreign_program(void **state)
{
	int foreign = new_program();
	struct links_report r;
	uint32_t before, theirs;

	(void)state;
	commit(1, LINKS_AUTO);
	before = runs(P0);
	assert_int_equal(bpf_xdp_attach((int)ports[P1], foreign, XDP_FLAGS_SKB_MODE, NULL), 0);
	theirs = runs(P1);
	assert_int_equal(refuse(2, LINKS_AUTO, &r), -EEXIST);
	assert_int_equal(r.failed, P1);
	assert_int_equal(refuse(2, LINKS_GENERIC, &r), -EBUSY);
	assert_modes("native", "generic", "none");
	assert_int_equal(runs(P0), before);
	assert_int_equal(runs(P1), theirs);
	assert_int_equal(bpf_xdp_detach((int)ports[P1], XDP_FLAGS_SKB_MODE, NULL), 0);
	close(foreign);
}

static void test_an_interface_that_is_gone(void **state)
{
	uint32_t real = ports[P1];
	struct links_report r;

	(void)state;
	ports[P1] = 4711;
	assert_int_equal(refuse(2, LINKS_AUTO, &r), -ENODEV);
	ports[P1] = real;
	assert_int_equal(r.failed, P1);
	assert_modes("none", "none", "none");
}

static void test_remove(void **state)
{
	(void)state;
	commit(PORTS, LINKS_AUTO);
	assert_int_equal(links_remove(dir), 3);
	assert_modes("none", "none", "none");
	assert_int_equal(links_remove(dir), 0);
	assert_int_equal(rmdir(dir), 0); /* the mark is gone as well */
}

static int teardown(void **state)
{
	(void)state;
	return links_remove(dir) < 0;
}

static int group_setup(void **state)
{
	(void)state;
	if (!mkdtemp(root) || unshare(CLONE_NEWNET | CLONE_NEWNS) ||
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) || bpffs_mount(root))
		return -1;
	snprintf(dir, sizeof dir, "%s/links", root);
	if (system("ip link add p0 type veth peer name q0 && ip link add p1 type veth peer name q1 "
		   "&& ip link add bridge type bridge && ip link set p0 up && ip link set p1 up && "
		   "ip link set bridge up"))
		return -1;
	ports[P0] = if_nametoindex("p0");
	ports[P1] = if_nametoindex("p1");
	ports[BRIDGE] = if_nametoindex("bridge");
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	return bpffs_unmount(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_native_where_all_take_it, teardown),
		cmocka_unit_test_teardown(test_one_refusal_makes_all_generic, teardown),
		cmocka_unit_test_teardown(test_a_restart_keeps_the_choice, teardown),
		cmocka_unit_test_teardown(test_native_again_without_the_bridge, teardown),
		cmocka_unit_test_teardown(test_modes_change, teardown),
		cmocka_unit_test_teardown(test_a_refused_native_leaves_nothing, teardown),
		cmocka_unit_test_teardown(test_a_refused_native_leaves_what_was, teardown),
		cmocka_unit_test_teardown(test_an_aborted_change_leaves_what_was, teardown),
		cmocka_unit_test_teardown(test_a_foreign_program, teardown),
		cmocka_unit_test_teardown(test_an_interface_that_is_gone, teardown),
		cmocka_unit_test_teardown(test_remove, teardown),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
