/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame that a case's packets are made from. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "tests/bench/xdp/site.h"

enum { FRAMES_MAX = 6 + 8 * 9 };

/* A frame of the least length that Ethernet and the headers allow; what varies between flows (bpf/bench.bpf.c)
 * is zero in it. *ifindex is where it comes in. Returns its length. */
size_t frames_make(uint8_t out[FRAMES_MAX], uint32_t *ifindex, const struct site_world *w,
	const struct bench_case *c);
