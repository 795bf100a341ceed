/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The engine as one function, compiled once: what the attached program calls, and what the benchmark measures. */
#pragma once
#include <linux/bpf.h>

/* Takes a packet through all stages. Returns an enum xdp_action. */
int tandem_packet(struct xdp_md *ctx);
