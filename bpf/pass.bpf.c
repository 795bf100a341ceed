// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Passes every packet. The peer of a veth must run some XDP program before frames sent by XDP reach it. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
