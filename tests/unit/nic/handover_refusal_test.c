/* SPDX-License-Identifier: BSD-2-Clause */
/* What is not taken over: nothing is changed, and a sentence says why. */
#include "controlplane/nic/handover.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/unit/nic/handover_lab.h"
#include "tests/unit/test.h"

static void refused(const char *setup, int code, const char *why)
{
	struct handover *h;
	struct err e;
	char *before;

	assert_int_equal(lab_new(false), 0);
	lab_run(setup);
	before = lab_look();
	assert_int_equal(handover_take(&h, lab_dir, "front", &e), code);
	if (!strstr(e.text, why))
		fail_msg("%s", e.text);
	lab_expect(lab_look, before);
	lab_expect_nothing_left();
	free(before);
}

static void what_stands_in_the_way_is_told(void **state)
{
	(void)state;
	refused("ip link add link front name upper type macvlan", -EBUSY,
		"front has the device upper (macvlan) upon it");
	refused("ip link add name br0 type bridge && ip link set front master br0", -EBUSY,
		"front is a part of br0 (bridge): take it out first");
	refused("ip link set other down && ip link set other name front-nic", -EBUSY,
		"the name front-nic is needed");
	refused("ip link set other down && ip link set other name tdm$("
		"ip -o link show front | cut -d: -f1)",
		-EBUSY, "the name tdm");
	refused("ip addr add 10.1.0.2/24 dev front && ip addr add 10.9.0.1/24 dev other && "
		"ip route add 10.50.0.0/16 nexthop via 10.1.0.1 nexthop via 10.9.0.2 && "
		"ip link set front down",
		-ENETDOWN, "front is down, but a leg of 1 multipath routes");
	refused("ip link del front", -ENODEV, "there is no device \"front\"");
	refused("ip link del front && ip tuntap add front mode tap", -EOPNOTSUPP,
		"front is a tap itself");
	refused("ip nexthop add id 7 via 10.1.0.1 dev front onlink && ip route add 10.9.0.0/16 nhid 7",
		-EOPNOTSUPP, "1 routes by front are made of nexthop objects");
	refused("tc qdisc add dev front clsact && tc filter add dev front ingress prio 1 protocol all "
		"u32 match u32 0 0",
		-EBUSY, "front has a traffic-control filter of priority 1 already");
}

/* But for the XDP engine's own, which its pin tells (handover_xdp_test.c). */
static void xdp_programs_are_refused(void **state)
{
	const struct bpf_insn pass[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT } };
	uint32_t ifindex = if_nametoindex("front");
	int program = bpf_prog_load(BPF_PROG_TYPE_XDP, "pass", "GPL", pass, 2, NULL);
	struct handover *h;
	struct err e;

	(void)state;
	assert_true(program >= 0);
	assert_int_equal(bpf_xdp_attach((int)ifindex, program, XDP_FLAGS_SKB_MODE, NULL), 0);
	close(program);
	assert_int_equal(handover_take(&h, lab_dir, "front", &e), -EBUSY);
	assert_non_null(strstr(e.text, "an XDP program is attached to front"));
	lab_expect_nothing_left();
}

static void loopback_is_refused(void **state)
{
	struct handover *h;
	struct err e;

	(void)state;
	assert_int_equal(handover_take(&h, lab_dir, "lo", &e), -EOPNOTSUPP);
	assert_string_equal(e.text, "lo is no Ethernet device");
	assert_int_equal(handover_take(&h, lab_dir, "../front", &e), -ENODEV);
	assert_int_equal(handover_take(&h, lab_dir, "", &e), -ENODEV);
	assert_int_equal(handover_take(&h, "/nowhere", "front", &e), -ENOENT);
}

static void one_process_at_a_time(void **state)
{
	struct handover *h = lab_take(), *other;
	struct err e;

	(void)state;
	assert_int_equal(handover_take(&other, lab_dir, "front", &e), -EBUSY);
	assert_string_equal(e.text, "another process has front: stop it first");
	assert_int_equal(handover_give_back_all(lab_dir, &e), -EBUSY);
	assert_int_equal(handover_check_dead(lab_dir, &e), -EBUSY);
	lab_give_back(h);
	lab_give_back_all(0);
}

static void another_namespace_is_left_alone(void **state)
{
	struct handover *h;
	struct err e;
	int pid, status;

	(void)state;
	handover_leave(lab_take());
	pid = fork();
	if (!pid)
		_exit(unshare(CLONE_NEWNET) || handover_take(&h, lab_dir, "front", &e) != -EXDEV ||
			handover_give_back_all(lab_dir, &e) != -EXDEV);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	lab_give_back_all(1);
}

/* Neither /dev/net/tun nor root. */
static void without_what_it_needs(void **state)
{
	struct handover *h;
	struct err e;
	int pid = fork(), status;

	(void)state;
	if (!pid) {
		if (unshare(CLONE_NEWNS) ||
			!lab_try("mount --make-rprivate / && mount -t tmpfs none /dev/net"))
			_exit(1);
		if (handover_take(&h, lab_dir, "front", &e) != -EOPNOTSUPP ||
			!strstr(e.text, "there is no /dev/net/tun"))
			_exit(2);
		if (chmod(lab_dir, 0777) || setuid(65534))
			_exit(3);
		_exit(handover_take(&h, lab_dir, "front", &e) == -EPERM &&
					strstr(e.text, "only root may take over interfaces")
				? 0
				: 4);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	lab_expect_nothing_left();
}

static void a_damaged_record_is_told(void **state)
{
	char command[128];
	struct handover *h;
	struct err e;

	(void)state;
	snprintf(command, sizeof command, "mkdir -p %s/handover && echo x >%s/handover/front",
		lab_dir, lab_dir);
	lab_run(command);
	assert_int_equal(handover_take(&h, lab_dir, "front", &e), -EBADMSG);
	assert_int_equal(handover_give_back_all(lab_dir, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "put it back by hand and remove the file"));
	snprintf(command, sizeof command, "rm -r %s/handover", lab_dir);
	lab_run(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_stands_in_the_way_is_told, lab_with_little),
		cmocka_unit_test_setup(xdp_programs_are_refused, lab_with_little),
		cmocka_unit_test_setup(loopback_is_refused, lab_with_little),
		cmocka_unit_test_setup(one_process_at_a_time, lab_with_little),
		cmocka_unit_test_setup(another_namespace_is_left_alone, lab_with_little),
		cmocka_unit_test_setup(without_what_it_needs, lab_with_little),
		cmocka_unit_test_setup(a_damaged_record_is_told, lab_with_little),
	};

	return cmocka_run_group_tests(tests, lab_begin, lab_end);
}
