/* SPDX-License-Identifier: BSD-2-Clause */
/* A device by which the XDP engine serves is handed over and given back under its program, which stays there; where the kernel renames
 * devices that are up it stays so. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "tests/unit/nic/handover_lab.h"
#include "tests/unit/test.h"

/* The pin says whose the program is. */
static void attach(void)
{
	const struct bpf_insn pass[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT } };
	uint32_t ifindex = if_nametoindex("front");
	int program = bpf_prog_load(BPF_PROG_TYPE_XDP, "pass", "GPL", pass, 2, NULL);
	char command[128];

	assert_true(program >= 0);
	assert_int_equal(bpf_xdp_attach((int)ifindex, program, XDP_FLAGS_SKB_MODE, NULL), 0);
	close(program);
	snprintf(command, sizeof command, "mkdir -p %s/bpf/links/if%u", lab_dir, ifindex);
	lab_run(command);
}

static void detach(void)
{
	char command[128];

	assert_int_equal(bpf_xdp_detach((int)if_nametoindex("front"), XDP_FLAGS_SKB_MODE, NULL), 0);
	snprintf(command, sizeof command, "rm -r %s/bpf", lab_dir);
	lab_run(command);
}

/* Linux 6.2 and later do. */
static bool renames_what_is_up(void)
{
	bool does = lab_try("ip link set other up && ip link set other name else");

	if (does)
		lab_run("ip link set else name other");
	return does;
}

static void the_program_stays(void **state)
{
	char *before = lab_look(), *above = lab_look_above(), *with;
	struct handover *h;

	(void)state;
	attach();
	with = lab_look();
	h = lab_take();
	lab_run("ip -o link show front-nic | grep -q 'UP.*xdpgeneric'");
	lab_expect(lab_look_above, above);
	lab_give_back(h);
	lab_expect(lab_look, with);
	detach();
	lab_expect(lab_look, before);
	lab_expect_nothing_left();
	free(before);
	free(above);
	free(with);
}

/* How often its carrier has come and gone: the last number of what is told. */
static int transitions(const char *device)
{
	char command[96];
	FILE *told;
	int n = -1;

	snprintf(command, sizeof command, "ip -s -s -o link show %s | awk '{ print $NF }'", device);
	told = popen(command, "r");
	assert_non_null(told);
	assert_int_equal(fscanf(told, "%d", &n), 1);
	assert_int_equal(pclose(told), 0);
	return n;
}

static void the_device_stays_up(void **state)
{
	struct handover *h;
	int before;

	(void)state;
	if (!renames_what_is_up())
		skip();
	attach();
	before = transitions("front");
	h = lab_take();
	assert_int_equal(transitions("front-nic"), before);
	lab_give_back(h);
	assert_int_equal(transitions("front"), before);
	detach();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_program_stays, lab_with_much),
		cmocka_unit_test_setup(the_device_stays_up, lab_with_little),
	};

	return cmocka_run_group_tests(tests, lab_begin, lab_end);
}
