// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The programs that tools/bench runs. bench_* call the engine's packet function, linked in from tandem.bpf.o,
 * and lay a fresh frame of another flow down before each call: BPF_PROG_TEST_RUN does not, it hands a program
 * what the repeat before left. floor_* are what such figures are read against. */
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "bpf/bench.bpf.h"
#include "bpf/packet.bpf.h"

struct bench_lane lanes[BENCH_LANES];

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BENCH_TABLE_LINES);
	__type(key, uint32_t);
	__type(value, struct bench_line);
} load_table SEC(".maps");

/* Frames are laid down in words that begin where header fields do, so that no field which the engine reads comes
 * from two stores: the processor would have to wait for both to leave its store buffer. */
typedef uint64_t __attribute__((may_alias)) word;

enum {
	SOURCE4 = 2, /* the word with ttl, protocol, checksum, source */
	PORTS4 = 3,  /* destination, ports */
	SOURCE6 = 3, /* the second half of the source */
	FLAGS4 = 5,  /* from the TCP header's length on */
	WORDS4 = 6,
	WORDS6 = 8,
};

/* The processor's, of which the next packet is on its way. */
static __always_inline struct bench_lane *lane_own(void)
{
	struct bench_lane *l = &lanes[bpf_get_smp_processor_id() & (BENCH_LANES - 1)];
	uint64_t packet = l->packets++;

	if (packet % BENCH_SLICE == 0)
		l->times[packet / BENCH_SLICE % (2 * BENCH_SLICES)] = bpf_ktime_get_ns();
	return l;
}

static __always_inline void *frame_of(const struct xdp_md *ctx, uint32_t len)
{
	uint8_t *data = (uint8_t *)(long)ctx->data;

	return data + len > (uint8_t *)(long)ctx->data_end ? NULL : data;
}

/* The number of the next packet's flow: a multiplication by an odd number visits all of them before any comes
 * back, far from each other one after the other. */
static __always_inline uint32_t flow_next(const struct bench_lane *l)
{
	return l->packets * 0x9e3779b97f4a7c15 & l->flow_mask;
}

static __always_inline word *word_at(uint8_t *f, uint32_t i)
{
	return (word *)(f + 6 + 8 * i);
}

static __always_inline void lay(uint8_t *f, const struct bench_lane *l, uint32_t n)
{
	*(word *)f = l->head;
#pragma GCC unroll 8
	for (uint32_t i = 0; i < n; i++)
		*word_at(f, i) = l->words[i];
}

/* The low 24 bits of the flow's number go into the source address, the others into the source port. */
static __always_inline bool lay4(const struct xdp_md *ctx, struct bench_lane *l, bool spread)
{
	uint8_t *f = frame_of(ctx, BENCH_FRAME4);
	uint32_t flow = flow_next(l);

	if (!f)
		return false;
	lay(f, l, WORDS4);
	*word_at(f, SOURCE4) = l->words[SOURCE4] | (word)bpf_htonl(flow & 0xffffff) << 32;
	*word_at(f, PORTS4) = l->words[PORTS4] | (word)(flow >> 24) << 32;
	if (spread) {
		uint32_t service = (flow * 0x85ebca6b >> 16) * l->services >> 16;

		*word_at(f, PORTS4) = l->words[PORTS4] | (word)bpf_htons(l->first_port + service)
								 << 48;
	}
	return true;
}

static __always_inline bool lay6(const struct xdp_md *ctx, struct bench_lane *l)
{
	uint8_t *f = frame_of(ctx, BENCH_FRAME6);
	uint32_t flow = flow_next(l);

	if (!f)
		return false;
	lay(f, l, WORDS6);
	*word_at(f, SOURCE6) = l->words[SOURCE6] | (word)bpf_htonl(flow) << 32;
	*(uint32_t *)(f + 70) = (uint32_t)l->words[WORDS6];
	return true;
}

SEC("xdp")
int bench_source_ip4(struct xdp_md *ctx)
{
	struct bench_lane *l = lane_own();
	uint8_t *f = frame_of(ctx, BENCH_FRAME4);
	uint32_t flow = flow_next(l);

	if (!f)
		return XDP_ABORTED;
	lay(f, l, WORDS4);
	*word_at(f, SOURCE4) = (l->words[SOURCE4] & 0xffffffff) |
			       (word)bpf_htonl(bench_source4(flow)) << 32;
	return tandem_run(ctx);
}

SEC("xdp")
int bench_source_ip6(struct xdp_md *ctx)
{
	struct bench_lane *l = lane_own();
	uint8_t *f = frame_of(ctx, BENCH_FRAME6);
	uint32_t flow = flow_next(l);

	if (!f)
		return XDP_ABORTED;
	lay(f, l, WORDS6);
	*word_at(f, SOURCE6 - 1) = bpf_cpu_to_be64(bench_source6(flow));
	*(uint32_t *)(f + 70) = (uint32_t)l->words[WORDS6];
	return tandem_run(ctx);
}

/* Takes away what the engine put in front of the frame. */
static __always_inline int settle(struct xdp_md *ctx, const struct bench_lane *l, int action)
{
	if (l->grown && bpf_xdp_adjust_head(ctx, l->grown))
		return XDP_ABORTED;
	return action;
}

SEC("xdp")
int bench_ip4(struct xdp_md *ctx)
{
	struct bench_lane *l = lane_own();

	if (!lay4(ctx, l, false))
		return XDP_ABORTED;
	return settle(ctx, l, tandem_run(ctx));
}

/* Spread over services, whose ports follow each other. */
SEC("xdp")
int bench_spread4(struct xdp_md *ctx)
{
	struct bench_lane *l = lane_own();

	if (!lay4(ctx, l, true))
		return XDP_ABORTED;
	return settle(ctx, l, tandem_run(ctx));
}

/* Every other packet is a SYN, from anywhere in 128.0.0.0/2: all of its addresses are hosts'. */
SEC("xdp")
int bench_flood4(struct xdp_md *ctx)
{
	struct bench_lane *l = lane_own();
	uint8_t *f = frame_of(ctx, BENCH_FRAME4);
	uint32_t source;

	if (!f || !lay4(ctx, l, false))
		return XDP_ABORTED;
	if (l->packets & 1) {
		source = bench_source4((uint32_t)l->packets) >> 2 | 0x80000000;
		*word_at(f, SOURCE4) = (l->words[SOURCE4] & 0xffffffff) | (word)bpf_htonl(source)
										  << 32;
		*word_at(f, FLAGS4) = (l->words[FLAGS4] & ~0xff00ull) | 0x0200;
	}
	return tandem_run(ctx);
}

/* For packets that the engine leaves as they came: only the flow is new. */
SEC("xdp")
int bench_passed4(struct xdp_md *ctx)
{
	struct bench_lane *l = lane_own();
	uint8_t *f = frame_of(ctx, BENCH_FRAME4);
	uint32_t flow = flow_next(l);

	if (!f)
		return XDP_ABORTED;
	*word_at(f, SOURCE4) = l->words[SOURCE4] | (word)bpf_htonl(flow & 0xffffff) << 32;
	return tandem_run(ctx);
}

SEC("xdp")
int bench_ip6(struct xdp_md *ctx)
{
	struct bench_lane *l = lane_own();

	if (!lay6(ctx, l))
		return XDP_ABORTED;
	return settle(ctx, l, tandem_run(ctx));
}

/* In the engine's place: what is left is the harness. */
__noinline int nothing(struct xdp_md *ctx)
{
	int action = XDP_TX;

	asm volatile("" : "+r"(action) : "r"(ctx)); /* no caller may conclude the answer */
	return action;
}

SEC("xdp")
int floor_harness(struct xdp_md *ctx)
{
	struct bench_lane *l = lane_own();

	if (!lay4(ctx, l, false))
		return XDP_ABORTED;
	return settle(ctx, l, nothing(ctx));
}

SEC("xdp")
int floor_swap(struct xdp_md *ctx)
{
	uint16_t *f = frame_of(ctx, 14), was[3];

	lane_own();
	if (!f)
		return XDP_ABORTED;
	__builtin_memcpy(was, f, sizeof was);
	__builtin_memcpy(f, f + 3, sizeof was);
	__builtin_memcpy(f + 3, was, sizeof was);
	return XDP_TX;
}

/* An outer IPv4 header and its link header, put in front and taken away. */
SEC("xdp")
int floor_encapsulate(struct xdp_md *ctx)
{
	const struct bench_lane *l = lane_own();
	uint8_t *f;

	if (bpf_xdp_adjust_head(ctx, -20))
		return XDP_ABORTED;
	f = frame_of(ctx, 34);
	if (!f)
		return XDP_ABORTED;
	lay(f, l, 3);
	*(uint32_t *)(f + 30) = (uint32_t)l->words[3];
	if (bpf_xdp_adjust_head(ctx, 20))
		return XDP_ABORTED;
	return XDP_TX;
}

/* A walk through the table: each step waits for what the one before loaded. Knuth's MMIX generator. */
SEC("xdp")
int floor_load(struct xdp_md *ctx)
{
	struct bench_lane *l = lane_own();
	uint32_t row = l->load_state >> 32 & l->flow_mask;
	const struct bench_line *line = bpf_map_lookup_elem(&load_table, &row);

	(void)ctx;
	if (!line)
		return XDP_ABORTED;
	l->load_state = l->load_state * 6364136223846793005 + 1442695040888963407 + line->words[0];
	return XDP_TX;
}

char _license[] SEC("license") = "Dual BSD/GPL";
