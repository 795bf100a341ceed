/* SPDX-License-Identifier: BSD-2-Clause */
/* The server side of tunnels, run by BPF_PROG_TEST_RUN. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdlib.h>
#include <string.h>
#include "bpf/decap.skel.h"
#include "bpf/decap.bpf.h"
#include "dataplane/l4/checksum.h"

enum { ROOM = 512, GUE_PORT = 6080 };

struct bytes {
	uint8_t at[ROOM];
	unsigned n;
};

static struct decap_bpf *bpf;

/* Who is who: 10.9.0.0/16 and fd09::/64 send tunnels to .5, for the VIP .80. */
#define FROM4  0x0a090107u
#define OTHER4 0x0a0a0107u
#define HOST4  0xc0000205u
#define VIP4   0xc0000250u

static const uint8_t from6[16] = { 0xfd, 9, [15] = 7 }, other6[16] = { 0xfd, 10, [15] = 7 },
		     host6[16] = { 0x20, 1, [15] = 5 }, vip6[16] = { 0x20, 1, [15] = 0x80 },
		     client6[16] = { 0x20, 2, [15] = 9 };

static void put(struct bytes *b, const void *from, unsigned n)
{
	assert_true(b->n + n <= ROOM);
	memcpy(b->at + b->n, from, n);
	b->n += n;
}

static void put_link(struct bytes *b, unsigned tags, uint16_t type)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 5, 2, 0, 0, 0, 0, 7 };

	put(b, macs, sizeof macs);
	for (unsigned i = 0; i < tags; i++)
		put(b, (uint8_t[]){ 0x81, 0, 0x20, (uint8_t)(i + 1) }, 4);
	put(b, &(uint16_t){ L4_BE16(type) }, 2);
}

static struct l4_ip4 ip4(uint32_t src, uint32_t dst, uint8_t protocol, uint16_t payload)
{
	struct l4_ip4 ip = { .version_ihl = 0x45,
		.total_len = L4_BE16(20 + payload),
		.ttl = 64,
		.protocol = protocol,
		.src = L4_BE32(src),
		.dst = L4_BE32(dst) };
	uint32_t words[5];

	memcpy(words, &ip, sizeof words);
	ip.checksum =
		(be16)~l4_fold((uint64_t)words[0] + words[1] + words[2] + words[3] + words[4]);
	return ip;
}

static struct l4_ip6 ip6(
	const uint8_t src[16], const uint8_t dst[16], uint8_t next, uint16_t payload)
{
	struct l4_ip6 ip = { .version_class_label = L4_BE32(0x60000000),
		.payload_len = L4_BE16(payload),
		.next_header = next,
		.hop_limit = 64 };

	memcpy(ip.src, src, 16);
	memcpy(ip.dst, dst, 16);
	return ip;
}

static uint64_t counter(enum decap_counter which)
{
	uint32_t row = which;
	uint64_t values[1024], sum = 0;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(bpf->maps.counters), &row, values), 0);
	for (int i = 0; i < libbpf_num_possible_cpus(); i++)
		sum += values[i];
	return sum;
}

static int run(const struct bpf_program *program, const struct bytes *in, struct bytes *out)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in->at, .data_size_in = in->n,
		.data_out = out->at, .data_size_out = ROOM);

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(program), &opts), 0);
	out->n = opts.data_size_out;
	return (int)opts.retval;
}

static void assert_bytes(const struct bytes *a, const struct bytes *b)
{
	assert_int_equal(a->n, b->n);
	assert_memory_equal(a->at, b->at, a->n);
}

/* What becomes of the frame, and that it is counted as that and nothing else. */
static void expect(const struct bytes *in, enum decap_counter what, const struct bytes *want)
{
	int action = what == DECAP_PASSED || what == DECAP_UNWRAPPED ? XDP_PASS : XDP_DROP;
	uint64_t before[DECAP_COUNTERS_MAX];
	struct bytes out;

	for (int i = 0; i < DECAP_COUNTERS_MAX; i++)
		before[i] = counter((enum decap_counter)i);
	assert_int_equal(run(bpf->progs.decap, in, &out), action);
	assert_bytes(&out, want);
	for (int i = 0; i < DECAP_COUNTERS_MAX; i++)
		assert_int_equal(counter((enum decap_counter)i), before[i] + (i == (int)what));
}

struct tunnel4 {
	unsigned tags;
	struct l4_ip4 outer, inner;
};

static struct tunnel4 tunnel4(void)
{
	return (struct tunnel4){ 0, ip4(FROM4, HOST4, 4, 28), ip4(0xcb007109, VIP4, 17, 8) };
}

static struct bytes frame4(const struct tunnel4 *t, bool outer)
{
	struct bytes b = { .n = 0 };

	put_link(&b, t->tags, 0x0800);
	if (outer)
		put(&b, &t->outer, 20);
	put(&b, &t->inner, 20);
	put(&b, "\x12\x34\x00\x50\x00\x08\x00\x00", 8);
	put(&b, "padding", 7);
	return b;
}

static void expect4(const struct tunnel4 *t, enum decap_counter what)
{
	struct bytes in = frame4(t, true), out = frame4(t, what != DECAP_UNWRAPPED);

	expect(&in, what, &out);
}

static void test_unwraps4(void **state)
{
	struct tunnel4 t = tunnel4();

	(void)state;
	for (t.tags = 0; t.tags <= 2; t.tags++)
		expect4(&t, DECAP_UNWRAPPED);
}

static void test_refuses4(void **state)
{
	struct tunnel4 t = tunnel4();

	(void)state;
	t.outer.src = L4_BE32(OTHER4);
	expect4(&t, DECAP_REFUSED_SOURCE);
	t = tunnel4();
	t.inner.dst = L4_BE32(HOST4);
	expect4(&t, DECAP_REFUSED_INNER);
	t = tunnel4();
	t.inner.total_len = L4_BE16(29); /* more than the outer header says */
	expect4(&t, DECAP_REFUSED_INNER);
	t = tunnel4();
	t.inner.total_len = L4_BE16(19);
	expect4(&t, DECAP_REFUSED_INNER);
	t = tunnel4();
	t.inner.version_ihl = 0x65;
	expect4(&t, DECAP_REFUSED_INNER);
	t = tunnel4();
	t.outer.total_len = L4_BE16(56); /* one more than the frame has */
	expect4(&t, DECAP_REFUSED_INNER);
	t = tunnel4();
	t.outer.frag = L4_BE16(0x2000);
	expect4(&t, DECAP_REFUSED_KIND);
	t = tunnel4();
	t.outer.version_ihl = 0x46;
	expect4(&t, DECAP_REFUSED_KIND);
	t = tunnel4();
	t.outer.protocol = 41; /* what is inside is not */
	expect4(&t, DECAP_REFUSED_INNER);
	t = tunnel4();
	t.outer.total_len = L4_BE16(19);
	expect4(&t, DECAP_REFUSED_INNER);
}

static void test_passes4(void **state)
{
	struct tunnel4 t = tunnel4();

	(void)state;
	t.outer.dst = L4_BE32(HOST4 + 1); /* somebody else's tunnel */
	expect4(&t, DECAP_PASSED);
	t = tunnel4();
	t.outer.protocol = 47;
	expect4(&t, DECAP_PASSED);
}

/* RFC 6040, section 4.2, figure 4: rows are the inner field, columns the outer; -1: dropped. */
static const int ecn_table[4][4] = {
	{ 0, 0, 0, -1 },
	{ 1, 1, 1, 3 },
	{ 2, 1, 2, 3 },
	{ 3, 3, 3, 3 },
};

static void test_ecn4(void **state)
{
	(void)state;
	for (uint8_t inner = 0; inner < 4; inner++)
		for (uint8_t outer = 0; outer < 4; outer++) {
			int is = ecn_table[inner][outer];
			struct tunnel4 t = tunnel4(), after = t;
			struct bytes in, out;

			t.outer.tos = (uint8_t)(0xa0 | outer);
			t.inner.tos = (uint8_t)(0xb8 | inner);
			t.inner.checksum = l4_checksum_update(t.inner.checksum,
				l4_delta16(0, L4_BE16(0x4500), L4_BE16(0x4500 | t.inner.tos)));
			in = frame4(&t, true);
			if (is < 0) {
				expect(&in, DECAP_REFUSED_ECN, &in);
				continue;
			}
			after.inner.tos = (uint8_t)(0xb8 | is);
			after.inner.checksum = l4_checksum_update(after.inner.checksum,
				l4_delta16(0, L4_BE16(0x4500), L4_BE16(0x4500 | after.inner.tos)));
			out = frame4(&after, false);
			expect(&in, DECAP_UNWRAPPED, &out);
		}
}

struct tunnel6 {
	struct l4_ip6 outer, inner;
	uint8_t extension; /* before the inner packet; 0: none */
};

static struct tunnel6 tunnel6(void)
{
	return (struct tunnel6){ ip6(from6, host6, 41, 48), ip6(client6, vip6, 17, 8), 0 };
}

static struct bytes frame6(const struct tunnel6 *t, unsigned tags, bool outer)
{
	struct bytes b = { .n = 0 };

	put_link(&b, tags, 0x86dd);
	if (outer)
		put(&b, &t->outer, 40);
	if (outer && t->extension)
		put(&b, (uint8_t[8]){ 41, 0, 1, 4 }, 8);
	put(&b, &t->inner, 40);
	put(&b, "\x12\x34\x00\x50\x00\x08\x00\x00", 8);
	put(&b, "tail", 4);
	return b;
}

static void expect6(const struct tunnel6 *t, enum decap_counter what)
{
	for (unsigned tags = 0; tags <= 2; tags++) {
		struct bytes in = frame6(t, tags, true),
			     out = frame6(t, tags, what != DECAP_UNWRAPPED);

		expect(&in, what, &out);
	}
}

static void test_tunnels6(void **state)
{
	struct tunnel6 t = tunnel6();

	(void)state;
	expect6(&t, DECAP_UNWRAPPED);
	memcpy(t.outer.src, other6, 16);
	expect6(&t, DECAP_REFUSED_SOURCE);
	t = tunnel6();
	memcpy(t.inner.dst, host6, 16);
	expect6(&t, DECAP_REFUSED_INNER);
	t = tunnel6();
	t.inner.payload_len = L4_BE16(9);
	expect6(&t, DECAP_REFUSED_INNER);
	t = tunnel6();
	t.inner.version_class_label = L4_BE32(0x40000000);
	expect6(&t, DECAP_REFUSED_INNER);
	t = tunnel6();
	memcpy(t.outer.dst, client6, 16);
	expect6(&t, DECAP_PASSED);
	t = tunnel6();
	t.outer.next_header = 4; /* what is inside is not */
	expect6(&t, DECAP_REFUSED_INNER);
}

/* A host would look for tunnels behind these, so they are refused there too. */
static void test_hidden_tunnels6(void **state)
{
	static const uint8_t kinds[] = { L4_PROTO_HOPOPTS, L4_PROTO_DSTOPTS, L4_PROTO_ROUTING,
		L4_PROTO_FRAGMENT };

	(void)state;
	for (size_t i = 0; i < sizeof kinds; i++) {
		struct tunnel6 t = tunnel6();

		t.outer.next_header = kinds[i];
		t.extension = 1;
		expect6(&t, DECAP_REFUSED_KIND);
	}
}

static void test_ecn6(void **state)
{
	(void)state;
	for (uint32_t inner = 0; inner < 4; inner++)
		for (uint32_t outer = 0; outer < 4; outer++) {
			int is = ecn_table[inner][outer];
			struct tunnel6 t = tunnel6(), after = t;
			struct bytes in, out;

			t.outer.version_class_label = L4_BE32(0x6a000000 | outer << 20);
			t.inner.version_class_label = L4_BE32(0x6b812345 | inner << 20);
			after.inner.version_class_label =
				L4_BE32(0x6b812345 | (uint32_t)(is & 3) << 20);
			in = frame6(&t, 1, true);
			out = is < 0 ? in : frame6(&after, 1, false);
			expect(&in, is < 0 ? DECAP_REFUSED_ECN : DECAP_UNWRAPPED, &out);
		}
}

/* A packet of one family in a header of the other: with as many bytes said to be behind that as `left`, and an ECN
 * field outside. */
static struct bytes crossing(unsigned tags, bool outer6, unsigned left, uint8_t ecn)
{
	struct l4_ip4 four = outer6 ? ip4(0xcb007109, VIP4, 17, 8)
				    : ip4(FROM4, HOST4, 41, (uint16_t)left);
	struct l4_ip6 six = outer6 ? ip6(from6, host6, 4, (uint16_t)left)
				   : ip6(client6, vip6, 17, 8);
	struct bytes b = { .n = 0 };

	if (outer6)
		six.version_class_label = L4_BE32(0x60000000 | (uint32_t)ecn << 20);
	else
		four.tos = ecn;
	put_link(&b, tags, outer6 ? 0x86dd : 0x0800);
	put(&b, outer6 ? (void *)&six : (void *)&four, outer6 ? 40 : 20);
	put(&b, outer6 ? (void *)&four : (void *)&six, outer6 ? 20 : 40);
	put(&b, "\x12\x34\x00\x50\x00\x08\x00\x00", 8);
	put(&b, "tail", 4);
	return b;
}

static struct bytes crossed(unsigned tags, bool was6)
{
	struct l4_ip4 four = ip4(0xcb007109, VIP4, 17, 8);
	struct l4_ip6 six = ip6(client6, vip6, 17, 8);
	struct bytes b = { .n = 0 };

	put_link(&b, tags, was6 ? 0x0800 : 0x86dd);
	put(&b, was6 ? (void *)&four : (void *)&six, was6 ? 20 : 40);
	put(&b, "\x12\x34\x00\x50\x00\x08\x00\x00", 8);
	put(&b, "tail", 4);
	return b;
}

static void test_crosses(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		bool outer6 = i % 2;
		unsigned tags = i / 2, len = outer6 ? 28 : 48;
		struct bytes in = crossing(tags, outer6, len, 0), out = crossed(tags, outer6);

		expect(&in, DECAP_UNWRAPPED, &out);
		in = crossing(tags, outer6, len - 1, 0); /* too little for what is inside */
		expect(&in, DECAP_REFUSED_INNER, &in);
		in = crossing(tags, outer6, len + 5, 0); /* more than the frame has */
		expect(&in, DECAP_REFUSED_INNER, &in);
		in = crossing(tags, outer6, len, 3);
		expect(&in, DECAP_REFUSED_ECN, &in);
	}
}

/* A GUE tunnel. */
struct gue {
	bool outer6, inner6;
	uint16_t port, checksum;
	int more;	/* in the length of UDP than is inside */
	uint16_t frag;	/* of IPv4 outside */
	uint8_t first;	/* of what is inside; 0: as it should be */
	bool elsewhere; /* not from one of the prefixes */
};

static struct bytes gue(const struct gue *g, bool outer)
{
	uint16_t inside = (g->inner6 ? 40 : 20) + 8;
	struct l4_udp udp = { L4_BE16(50000), L4_BE16(g->port), L4_BE16(8 + inside + g->more),
		g->checksum };
	struct l4_ip4 four = ip4(g->elsewhere ? OTHER4 : FROM4, HOST4, 17, 8 + inside),
		      inner4 = ip4(0xcb007109, VIP4, 17, 8);
	struct l4_ip6 six = ip6(g->elsewhere ? other6 : from6, host6, 17, 8 + inside),
		      inner6 = ip6(client6, vip6, 17, 8);
	struct bytes b = { .n = 0 };
	unsigned at;

	four.frag = L4_BE16(g->frag);
	put_link(&b, 1, (outer ? g->outer6 : g->inner6) ? 0x86dd : 0x0800);
	if (outer) {
		put(&b, g->outer6 ? (void *)&six : (void *)&four, g->outer6 ? 40 : 20);
		put(&b, &udp, sizeof udp);
	}
	at = b.n;
	put(&b, g->inner6 ? (void *)&inner6 : (void *)&inner4, g->inner6 ? 40 : 20);
	if (g->first)
		b.at[at] = g->first;
	put(&b, "\x12\x34\x00\x50\x00\x08\x00\x00", 8);
	put(&b, "tail", 4);
	return b;
}

static void expect_gue(struct gue g, enum decap_counter what)
{
	struct bytes in = gue(&g, true), out = gue(&g, what != DECAP_UNWRAPPED);

	expect(&in, what, &out);
}

static void test_gue(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct gue g = { .outer6 = i & 1, .inner6 = i & 2, .port = GUE_PORT }, bad;

		expect_gue(g, DECAP_UNWRAPPED);
		bad = g, bad.port++;
		expect_gue(bad, DECAP_PASSED);
		bad = g, bad.elsewhere = true;
		expect_gue(bad, DECAP_REFUSED_SOURCE);
		bad = g, bad.more = -1; /* too little for what is inside */
		expect_gue(bad, DECAP_REFUSED_INNER);
		bad = g, bad.more = 1; /* more than the outer header says */
		expect_gue(bad, DECAP_REFUSED_INNER);
		bad = g, bad.checksum = 1;
		expect_gue(bad, DECAP_REFUSED_KIND);
		bad = g, bad.first = 0x05; /* variant 0, with a header of its own */
		expect_gue(bad, DECAP_REFUSED_KIND);
		bad = g, bad.frag = 0x2000;
		expect_gue(bad, bad.outer6 ? DECAP_UNWRAPPED : DECAP_REFUSED_KIND);
		bad = g, bad.frag = 5; /* a later one has no ports */
		expect_gue(bad, bad.outer6 ? DECAP_UNWRAPPED : DECAP_PASSED);
	}
}

/* Every length of a tunnel's frame: nothing is read behind its end. */
static void test_cut_short(void **state)
{
	struct tunnel4 t4 = tunnel4();
	struct tunnel6 t6 = tunnel6();
	struct gue g = { .port = GUE_PORT };
	struct bytes whole4 = frame4(&t4, true), whole6 = frame6(&t6, 0, true),
		     whole_gue = gue(&g, true), out;

	(void)state;
	for (unsigned n = 14; n < 14 + 20 + 28; n++) {
		whole4.n = n;
		assert_int_equal(
			run(bpf->progs.decap, &whole4, &out), n < 14 + 20 ? XDP_PASS : XDP_DROP);
	}
	for (unsigned n = 14; n < 14 + 40 + 48; n++) {
		whole6.n = n;
		assert_int_equal(
			run(bpf->progs.decap, &whole6, &out), n < 14 + 40 ? XDP_PASS : XDP_DROP);
	}
	for (unsigned n = 18; n < 18 + 20 + 8 + 28; n++) {
		whole_gue.n = n;
		assert_int_equal(run(bpf->progs.decap, &whole_gue, &out),
			n < 18 + 20 + 8 ? XDP_PASS : XDP_DROP);
	}
}

struct segment {
	bool is6;
	uint8_t flags;
	uint8_t options[40];
	unsigned n_options; /* a multiple of 4 */
	bool foreign;	    /* from another address than the VIP */
};

static uint64_t add_up(const uint8_t *at, unsigned n)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += i % 2 ? (uint64_t)at[i] << 8 : at[i];
	return sum;
}

/* The frame with a right checksum. */
static struct bytes segment(const struct segment *s)
{
	struct l4_tcp tcp = { .sport = L4_BE16(80),
		.dport = L4_BE16(999),
		.offset = (uint8_t)((5 + s->n_options / 4) << 4),
		.flags = s->flags };
	uint16_t payload = (uint16_t)(sizeof tcp + s->n_options);
	struct l4_ip4 four = ip4(s->foreign ? HOST4 : VIP4, 0xcb007109, 6, payload);
	struct l4_ip6 six = ip6(s->foreign ? host6 : vip6, client6, 6, payload);
	struct bytes b = { .n = 0 };
	unsigned l4;
	uint64_t sum;

	put_link(&b, 0, s->is6 ? 0x86dd : 0x0800);
	put(&b, s->is6 ? (void *)&six : (void *)&four, s->is6 ? 40 : 20);
	l4 = b.n;
	put(&b, &tcp, sizeof tcp);
	put(&b, s->options, s->n_options);
	sum = add_up(b.at + l4 - (s->is6 ? 32 : 8), s->is6 ? 32 : 8) + L4_BE16(6) +
	      L4_BE16(payload) + add_up(b.at + l4, payload);
	memcpy(b.at + l4 + 16, &(uint16_t){ (uint16_t)~l4_fold(sum) }, 2);
	return b;
}

/* `was` leaves as `is`: with the other options and a checksum that is right. */
static void expect_segment(const struct segment *was, const struct segment *is)
{
	struct bytes in = segment(was), want = segment(is), out;
	uint64_t before = counter(DECAP_CLAMPED);

	assert_int_equal(run(bpf->progs.clamp, &in, &out), TC_ACT_UNSPEC);
	assert_bytes(&out, &want);
	assert_int_equal(counter(DECAP_CLAMPED), before + (memcmp(in.at, want.at, in.n) != 0));
}

/* The MSS with so many NOPs before it. */
static struct segment offering(uint16_t mss, unsigned nops)
{
	struct segment s = { .flags = 0x12, .n_options = (nops + 4 + 3) / 4 * 4 };

	memset(s.options, 1, sizeof s.options);
	memcpy(s.options + nops, (uint8_t[]){ 2, 4, (uint8_t)(mss >> 8), (uint8_t)mss }, 4);
	return s;
}

static void test_clamps(void **state)
{
	struct segment s, smaller;

	(void)state;
	for (int is6 = 0; is6 < 2; is6++)
		for (unsigned nops = 0; nops <= 36; nops++) {
			s = offering(1460, nops);
			smaller = offering(is6 ? 1400 : 1440, nops);
			s.is6 = smaller.is6 = is6;
			expect_segment(&s, &smaller);
		}
	s = offering(65535, 0);
	smaller = offering(1440, 0);
	expect_segment(&s, &smaller);
	/* Behind another option, one of whose bytes looks like an MSS. */
	s = (struct segment){ .flags = 0x52,
		.options = { 8, 10, 2, 4, 0xff, 0xff, 0, 0, 0, 0, 1, 2, 4, 0x40, 0, 0 },
		.n_options = 16 };
	smaller = s;
	smaller.options[13] = 1440 >> 8;
	smaller.options[14] = 1440 & 0xff;
	expect_segment(&s, &smaller);
}

static void test_leaves_alone(void **state)
{
	struct segment s = offering(1440, 0);

	(void)state;
	expect_segment(&s, &s);
	s = offering(536, 3);
	expect_segment(&s, &s);
	s = offering(9000, 0);
	s.flags = 0x10; /* no SYN */
	expect_segment(&s, &s);
	s.flags = 0x02; /* a client's */
	expect_segment(&s, &s);
	s.flags = 0x12;
	s.foreign = true;
	expect_segment(&s, &s);
	s.foreign = false;
	s.options[1] = 3; /* no MSS */
	expect_segment(&s, &s);
	s = offering(9000, 4);
	s.options[3] = 0; /* the end of options */
	expect_segment(&s, &s);
	s = offering(9000, 4);
	s.options[0] = 8;
	s.options[1] = 1; /* shorter than itself */
	expect_segment(&s, &s);
	s = offering(9000, 0);
	s.n_options = 0;
	expect_segment(&s, &s);
}

static void allow(struct bpf_map *map, bool is6, const void *address)
{
	struct decap_address key = { .is6 = is6 };
	uint8_t yes = 1;

	memcpy(key.words, address, is6 ? 16 : 4);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), &key, &yes, 0), 0);
}

static int setup(void **state)
{
	struct decap_prefix4 p4 = { 16, { L4_BE32(FROM4) } };
	struct decap_prefix6 p6 = { .plen = 64 };
	struct decap_settings settings = { 1440, 1400, GUE_PORT, 0 };
	uint32_t zero = 0;
	uint8_t yes = 1;

	(void)state;
	bpf = decap_bpf__open_and_load();
	if (!bpf)
		return -1;
	memcpy(p6.words, from6, 16);
	allow(bpf->maps.locals, false, &(uint32_t){ L4_BE32(HOST4) });
	allow(bpf->maps.vips, false, &(uint32_t){ L4_BE32(VIP4) });
	allow(bpf->maps.locals, true, host6);
	allow(bpf->maps.vips, true, vip6);
	return bpf_map_update_elem(bpf_map__fd(bpf->maps.from4), &p4, &yes, 0) ||
	       bpf_map_update_elem(bpf_map__fd(bpf->maps.from6), &p6, &yes, 0) ||
	       bpf_map_update_elem(bpf_map__fd(bpf->maps.settings), &zero, &settings, 0);
}

static int teardown(void **state)
{
	(void)state;
	decap_bpf__destroy(bpf);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unwraps4),
		cmocka_unit_test(test_refuses4),
		cmocka_unit_test(test_passes4),
		cmocka_unit_test(test_ecn4),
		cmocka_unit_test(test_tunnels6),
		cmocka_unit_test(test_hidden_tunnels6),
		cmocka_unit_test(test_ecn6),
		cmocka_unit_test(test_crosses),
		cmocka_unit_test(test_gue),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_clamps),
		cmocka_unit_test(test_leaves_alone),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
