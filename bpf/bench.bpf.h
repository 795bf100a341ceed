/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What tools/bench and the programs that it runs (bench.bpf.c) tell each other. */
#pragma once
#include <stdint.h>

/* Frames up to their last transport header, as bench.bpf.c lays them down again before each packet. */
enum {
	BENCH_FRAME4 = 14 + 20 + 20,
	BENCH_FRAME6 = 14 + 40 + 20,
	BENCH_WORDS = 9,
	BENCH_TABLE_LINES = 1 << 19, /* 32 MiB, as the table of records has by default */
	BENCH_LANES = 64,	     /* a power of two; the benchmark runs on processors below it */
	/* Packets: one or two milliseconds. A neighbour on the same core, or a clock that changes, makes whole slices slow. */
	BENCH_SLICE = 32768,
	BENCH_SLICES = 128, /* of a run, at most */
};

/* One processor's work. Filled by the benchmark between runs; during one only its processor touches it. */
struct bench_lane {
	uint64_t packets; /* so far; a multiple of BENCH_SLICE when a run begins */
	uint64_t times[2 *
		       BENCH_SLICES]; /* when each slice began, modulo that: bpf_ktime_get_ns() */
	uint64_t flow_mask;	      /* flows - 1: their number is a power of two, at most 2^32 */
	uint64_t load_state;	      /* of the walk through the table */
	/* That packets are spread over; the frame's own port is 0 then. */
	uint16_t services, first_port;
	int32_t grown; /* bytes that the engine puts in front of a frame */
	/* The frame as it is laid down, in words that begin where header fields do: its first 8 bytes, and those
	 * from 6 + 8 * i on. */
	uint64_t head, words[BENCH_WORDS];
} __attribute__((aligned(128)));

/* Where the packets of a flow come from that is judged by its source: anywhere, each from another /24 or /64. Multiplied by
 * an odd number the flows' numbers are spread evenly. */
#define BENCH_SOURCE4_FACTOR 0x9e3779b1u
#define BENCH_SOURCE6_FACTOR 0x9e3779b97f4a7c15u

static inline uint32_t bench_source4(uint32_t flow)
{
	return flow * BENCH_SOURCE4_FACTOR;
}

static inline uint64_t bench_source6(uint32_t flow)
{
	return 0x2000000000000000 | flow * BENCH_SOURCE6_FACTOR >> 3;
}

/* A line of the table for the random load; as large as a bucket of records. */
struct bench_line {
	uint64_t words[8];
};
