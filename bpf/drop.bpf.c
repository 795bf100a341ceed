// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Keeps every frame that a device takes in from the host's stack. Packet sockets, and XDP, have had it by then. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int tandem_drop(struct __sk_buff *skb)
{
	(void)skb;
	return TC_ACT_SHOT;
}

char _license[] SEC("license") = "Dual BSD/GPL";
