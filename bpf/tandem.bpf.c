// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The XDP engine: look-ups around the stages of dataplane/l4. */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include "bpf/capture.bpf.h"
#include "bpf/frame.bpf.h"
#include "bpf/maps.h"
#include "bpf/packet.bpf.h"
#include "dataplane/l4/cursor.h"
#include "dataplane/l4/flow.h"

/* Set before loading: whom the program reports each packet's end to. */
const volatile uint32_t reports = L4_REPORTS_NOBODY;

/* Set before loading: coarse time is what the map test_time says, so that tests move it. */
const volatile bool test_time_on;

/* Which numbers lines may have: all images' maps hold a power of two of them. */
const volatile uint32_t image_mask = L4_LINE_FIRST - 1;

/* And its bytes. */
const volatile uint32_t image_bytes_mask = sizeof(struct l4_line) * L4_LINE_FIRST - 1;

/* The number of buckets is 2^record_bits. */
const volatile uint32_t record_bits = 18;

/* The same of sources. */
const volatile uint32_t source_bits = 14;

/* The same of datagrams in fragments. */
const volatile uint32_t datagram_bits = 10;

/* The same of connections that began with a SYN cookie. */
const volatile uint32_t proxied_bits = 6;

enum { ASK_INTERVAL_NS = 100 * 1000 * 1000 };

struct l4_tables {
	struct xdp_md *ctx;
	const struct l4_line *image; /* image_mask + 1 of them */
	bool records;		     /* a record is noted, to be written */
	bool traced; /* the packet is; a constant, so that each program holds its own */
};

/* The published image, or NULL. */
static __always_inline const struct l4_line *image_now(void)
{
	uint32_t zero = 0;
	void *map = bpf_map_lookup_elem(&generation, &zero);

	return map ? bpf_map_lookup_elem(map, &zero) : NULL;
}

/* What is the traced packet's alone, or NULL. */
static __always_inline struct l4_traced *traced_now(void)
{
	uint32_t zero = 0;

	return bpf_map_lookup_elem(&traced, &zero);
}

L4_INLINE struct l4_way *l4_tables_way(const struct l4_tables *t)
{
	struct l4_traced *to = t && t->traced ? traced_now() : NULL;

	return to ? &to->way : NULL;
}

/* A mask and no comparison: of a number that the compiler put on the stack before, Linux 6.1 does not know what a comparison
 * found. */
L4_INLINE const void *l4_tables_line(const struct l4_tables *t, uint32_t line)
{
	uint64_t at = line;

	if (__builtin_constant_p(line) && line < L4_LINE_FIRST)
		return t->image + line;
	return t->image + (at & image_mask);
}

L4_INLINE uint32_t l4_tables_slot(const struct l4_tables *t, uint32_t chunk, uint32_t slot)
{
	uint32_t at = chunk + slot / L4_CHUNK_SLOTS;
	const struct l4_chunk *c = bpf_map_lookup_elem(&rings, &at);

	(void)t;
	return c ? c->slots[slot % L4_CHUNK_SLOTS] : L4_SLOT_NONE;
}

L4_INLINE const void *l4_tables_guard_line(const struct l4_tables *t, uint32_t line)
{
	(void)t;
	return bpf_map_lookup_elem(&guard, &line);
}

L4_INLINE uint8_t l4_tables_byte(const struct l4_tables *t, uint32_t at)
{
	uint64_t byte = at;

	return ((const uint8_t *)t->image)[byte & image_bytes_mask];
}

L4_INLINE struct l4_record_bucket *l4_tables_records(const struct l4_tables *t, uint64_t hash)
{
	uint32_t row = (uint32_t)(hash >> (64 - record_bits));

	(void)t;
	return bpf_map_lookup_elem(&records, &row);
}

L4_INLINE struct l4_source_bucket *l4_tables_sources(const struct l4_tables *t, uint64_t hash)
{
	uint32_t row = (uint32_t)(hash >> (64 - source_bits));
	struct l4_source_bucket *b = bpf_map_lookup_elem(&sources, &row);
	struct l4_traced *to;

	if (!b || !t || !t->traced)
		return b;
	to = traced_now();
	if (!to)
		return NULL;
	to->sources = *b;
	return &to->sources;
}

L4_INLINE struct l4_datagram_bucket *l4_tables_datagrams(const struct l4_tables *t, uint64_t hash)
{
	uint32_t row = (uint32_t)(hash >> (64 - datagram_bits));

	(void)t;
	return bpf_map_lookup_elem(&datagrams, &row);
}

L4_INLINE struct l4_flood *l4_tables_flood(const struct l4_tables *t, uint32_t service_id)
{
	struct l4_flood *f = bpf_map_lookup_elem(&floods, &service_id);
	struct l4_traced *to;

	if (!f || !t->traced)
		return f;
	to = traced_now();
	if (!to)
		return NULL;
	to->flood = *f;
	return &to->flood;
}

L4_INLINE struct l4_proxied_bucket *l4_tables_proxied(const struct l4_tables *t, uint64_t hash)
{
	uint32_t row = (uint32_t)(hash >> (64 - proxied_bits));
	struct l4_proxied_bucket *b = bpf_map_lookup_elem(&proxied, &row);
	struct l4_traced *to;

	if (!b || !t->traced)
		return b;
	to = traced_now();
	if (!to)
		return NULL;
	to->proxied = *b;
	return &to->proxied;
}

/* The kernel's cookie is made of addresses, ports, sequence number and the segment size that it finds in the header's options:
 * of a header that says just these. */
struct cookie_header {
	struct l4_tcp tcp;
	be32 mss;
};

/* The socket that listens for the flow, to be released, or NULL. */
static __always_inline struct bpf_sock *find_listener(
	struct xdp_md *ctx, const struct l4_flow *flow)
{
	struct bpf_sock_tuple tuple = { 0 };

	if (!flow->is6) {
		tuple.ipv4.saddr = flow->src[0];
		tuple.ipv4.daddr = flow->dst[0];
		tuple.ipv4.sport = flow->sport;
		tuple.ipv4.dport = flow->dport;
		return bpf_skc_lookup_tcp(ctx, &tuple, sizeof tuple.ipv4, BPF_F_CURRENT_NETNS, 0);
	}
	__builtin_memcpy(tuple.ipv6.saddr, flow->src, sizeof tuple.ipv6.saddr);
	__builtin_memcpy(tuple.ipv6.daddr, flow->dst, sizeof tuple.ipv6.daddr);
	tuple.ipv6.sport = flow->sport;
	tuple.ipv6.dport = flow->dport;
	return bpf_skc_lookup_tcp(ctx, &tuple, sizeof tuple.ipv6, BPF_F_CURRENT_NETNS, 0);
}

static __always_inline int64_t cookie4(
	struct bpf_sock *listener, const struct l4_flow *flow, struct cookie_header *tcp)
{
	struct iphdr ip = { .version = 4, .ihl = sizeof ip / 4 };

	ip.saddr = flow->src[0];
	ip.daddr = flow->dst[0];
	return bpf_tcp_gen_syncookie(listener, &ip, sizeof ip, (void *)tcp, sizeof *tcp);
}

static __always_inline int64_t cookie6(
	struct bpf_sock *listener, const struct l4_flow *flow, struct cookie_header *tcp)
{
	struct ipv6hdr ip = { .version = 6 };

	__builtin_memcpy(&ip.saddr, flow->src, sizeof ip.saddr);
	__builtin_memcpy(&ip.daddr, flow->dst, sizeof ip.daddr);
	return bpf_tcp_gen_syncookie(listener, &ip, sizeof ip, (void *)tcp, sizeof *tcp);
}

/* The kernel's cookie for a SYN, or a negative number. By the socket that listens, since the kernel takes cookies back for none that
 * has not been asked for one within two minutes. */
static __always_inline int64_t listener_cookie(
	struct xdp_md *ctx, const struct l4_flow *flow, uint32_t isn, uint32_t mss)
{
	struct bpf_sock *listener = find_listener(ctx, flow);
	struct cookie_header tcp = {
		.tcp = {
			.sport = flow->sport,
			.dport = flow->dport,
			.seq = L4_BE32(isn),
			.offset = sizeof tcp / 4 << 4,
			.flags = L4_TCP_SYN,
		},
		.mss = L4_BE32(2 << 24 | 4 << 16 | (mss & 0xffff)),
	};
	int64_t cookie;

	if (!listener)
		return -1;
	cookie = flow->is6 ? cookie6(listener, flow, &tcp) : cookie4(listener, flow, &tcp);
	bpf_sk_release(listener);
	return cookie;
}

__noinline int64_t host_cookie(
	struct xdp_md *ctx, const struct l4_flow *flow, uint32_t isn, uint32_t mss)
{
	return flow ? listener_cookie(ctx, flow, isn, mss) : -1;
}

L4_INLINE bool l4_tables_host_cookie(const struct l4_tables *t, const struct l4_flow *flow,
	uint32_t isn, uint16_t mss, struct l4_host_cookie *out)
{
	int64_t cookie = host_cookie(t->ctx, flow, isn, mss);

	out->cookie = (uint32_t)cookie;
	out->ms = (uint32_t)(bpf_ktime_get_ns() / 1000000);
	return cookie >= 0;
}

L4_INLINE uint16_t l4_tables_now(const struct l4_tables *t)
{
	uint32_t zero = 0;
	const uint64_t *now = test_time_on ? bpf_map_lookup_elem(&test_time, &zero) : NULL;

	(void)t;
	return (uint16_t)(now ? *now : bpf_ktime_get_coarse_ns() >> L4_TIME_SHIFT);
}

L4_INLINE void l4_tables_recorded(const struct l4_tables *t, enum l4_record_place place)
{
	uint32_t row = place;
	uint64_t *n = bpf_map_lookup_elem(&record_counters, &row);

	(void)t;
	if (n)
		++*n;
}

L4_INLINE const struct l4_route *l4_tables_route(
	const struct l4_tables *t, const struct l4_flow *flow)
{
	(void)t;
	if (flow->is6) {
		struct route6_key key = {
			128,
			{ flow->dst[0], flow->dst[1], flow->dst[2], flow->dst[3] },
		};

		return bpf_map_lookup_elem(&routes6, &key);
	}
	struct route4_key key = { 32, { flow->dst[0] } };

	return bpf_map_lookup_elem(&routes4, &key);
}

L4_INLINE struct l4_neighbour *l4_tables_neighbour(const struct l4_tables *t, uint32_t row)
{
	(void)t;
	return bpf_map_lookup_elem(&neighbours, &row);
}

L4_INLINE uint32_t l4_tables_find_neighbour(
	const struct l4_tables *t, const struct l4_neighbour_key *key)
{
	uint32_t *row = bpf_map_lookup_elem(&neighbour_rows, key);

	(void)t;
	return row ? *row : L4_NO_NEIGHBOUR;
}

/* Bytes that a frame may have which is given more room. */
enum { MOVED_MAX = 255, MOVED_BY = 63 };

/* Gives a frame n bytes more by moving it forward; 0: it has them. */
__noinline int frame_move(struct xdp_md *ctx, uint32_t n)
{
	struct l4_frame f;
	uint32_t bytes;

	frame_set(&f, ctx);
	bytes = f.len;
	n &= MOVED_BY;
	if (bytes > MOVED_MAX || bpf_xdp_adjust_head(ctx, -(int)n))
		return -1;
	frame_set(&f, ctx);
	for (uint32_t at = 0; at < MOVED_MAX && at < bytes; at++) {
		const uint8_t *from = l4_at(&f, n + at, 1);
		uint8_t *to = l4_at(&f, at, 1);

		if (!from || !to)
			return -1;
		*to = *from;
	}
	return 0;
}

/* What a socket of a host next door sends over a veth has hardly a byte of room behind it, but always some before. */
L4_INLINE bool l4_tables_resize(const struct l4_tables *t, struct l4_frame *f, uint32_t len)
{
	uint32_t more = len - f->len;

	if (bpf_xdp_adjust_tail(t->ctx, (int)more) && (more > MOVED_BY || frame_move(t->ctx, more)))
		return false;
	frame_set(f, t->ctx);
	return true;
}

L4_INLINE bool l4_tables_grow(const struct l4_tables *t, struct l4_frame *f, int n)
{
	if (bpf_xdp_adjust_head(t->ctx, -n))
		return false;
	frame_set(f, t->ctx);
	return true;
}

L4_INLINE struct l4_limit *l4_tables_limit(const struct l4_tables *t)
{
	uint32_t zero = 0;

	if (t->traced) {
		struct l4_traced *to = traced_now();

		return to ? &to->limit : NULL;
	}
	return bpf_map_lookup_elem(&limits, &zero);
}

L4_INLINE struct l4_note *l4_tables_note(const struct l4_tables *t)
{
	uint32_t zero = 0;

	if (t && t->traced) {
		struct l4_traced *to = traced_now();

		return to ? &to->note : NULL;
	}
	return bpf_map_lookup_elem(&notes, &zero);
}

#include "dataplane/l4/error.h"
#include "dataplane/l4/fragment.h"
#include "dataplane/l4/host.h"
#include "dataplane/l4/local.h"
#include "dataplane/l4/packet.h"
#include "dataplane/l4/rare.h"
#include "dataplane/l4/refusal.h"
#include "dataplane/l4/synproxy.h"
#include "dataplane/l4/vlan.h"
#include "dataplane/l4/wrap.h"

/* Written once the packet is through: that needs more stack than is left here. */
static __always_inline void l4_tables_record(
	const struct l4_tables *t, const struct l4_record_write *r)
{
	struct l4_note *note = l4_tables_note(t);

	if (!note)
		return;
	note->record = *r;
	((struct l4_tables *)t)->records = true;
}

static __always_inline void count(void *map, uint32_t id, uint64_t bytes)
{
	struct l4_counter *c = bpf_map_lookup_elem(map, &id);

	if (!c)
		return;
	c->packets++;
	c->bytes += bytes;
}

/* id: 0 is nobody's. The compiler is kept from concluding that the verdict is one. */
static __always_inline void count_drop(void *map, uint32_t id, enum l4_verdict v)
{
	struct drops *d = id ? bpf_map_lookup_elem(map, &id) : NULL;
	uint64_t at = v;

	__asm__("" : "+r"(at));
	if (d && at < L4_V_COUNT)
		d->counts[at]++;
}

static __always_inline void count_verdict(enum l4_verdict v, const struct l4_result *r)
{
	uint32_t row = v;
	uint64_t *n = bpf_map_lookup_elem(&verdict_counters, &row);

	if (n)
		++*n;
	if (v < L4_V_MALFORMED)
		return;
	count_drop(&vip_drops, r->vip_id, v);
	count_drop(&service_drops, r->service_id, v);
}

static __always_inline struct l4_trace trace_of(enum l4_verdict v, const struct l4_result *r)
{
	return (struct l4_trace){ v, r->ifindex, r->vip_id, r->service_id, r->server_id };
}

static __always_inline void report(enum l4_verdict v, const struct l4_result *r)
{
	uint32_t zero = 0;
	struct l4_captured *c;
	struct l4_trace *e;

	if (reports == L4_REPORTS_CAPTURE) {
		c = bpf_map_lookup_elem(&captured, &zero);
		if (c)
			c->end = trace_of(v, r);
		return;
	}
	e = bpf_map_lookup_elem(&trace, &zero);
	if (e)
		*e = trace_of(v, r);
}

/* Counts what became of a packet of so many bytes, unless it is traced, and lets the kernel do it: an enum
 * xdp_action. */
static __always_inline int finish(const struct l4_tables *t, struct xdp_md *ctx, enum l4_verdict v,
	const struct l4_result *r, uint32_t bytes)
{
	if (t->traced) {
		struct l4_way *way = l4_tables_way(t);

		if (way)
			way->end = trace_of(v, r);
	} else
		count_verdict(v, r);
	if (reports)
		report(v, r);
	if (v >= L4_V_MALFORMED)
		return XDP_DROP;
	if (v < L4_V_FORWARDED)
		return XDP_PASS | TANDEM_HOST;
	if (v == L4_V_FORWARDED && !t->traced) {
		count(&service_counters, r->service_id, bytes);
		count(&server_counters, r->server_id, bytes);
	}
	if (r->ifindex == ctx->ingress_ifindex)
		return XDP_TX;
	return (int)bpf_redirect_map(&tx_ports, r->ifindex, 0);
}

/* traced: a constant, so that each caller has a copy made for it. */
static __always_inline int take_packet(struct xdp_md *ctx, bool traced)
{
	struct l4_tables t = { ctx, image_now(), false, traced };
	uint32_t bytes;
	struct l4_result result = { 0 }, *r = &result;
	struct l4_frame f;
	enum l4_verdict v;
	int action;

	/* In memory: as registers its parts would be set anew before every branch that ends the packet's way. */
	asm volatile("" : "+r"(r) : : "memory");
	if (!t.image)
		return XDP_PASS;
	frame_set(&f, ctx);
	bytes = f.len;
	v = l4_process(&t, &f, ctx->ingress_ifindex, r);
	if (v < L4_V_FORWARDED) {
		action = finish(&t, ctx, v, r, bytes);
		return l4_host_is_called(&t) ? action : XDP_PASS;
	}
	action = v < L4_V_COUNT ? finish(&t, ctx, v, r, bytes) : TANDEM_NEXT + (int)v;
	return t.records ? action | TANDEM_RECORD : action;
}

__noinline int tandem_packet(struct xdp_md *ctx)
{
	return take_packet(ctx, false);
}

__noinline int traced_packet(struct xdp_md *ctx)
{
	return take_packet(ctx, true);
}

__noinline uint32_t ports_line(const struct l4_ports *table, uint32_t n, uint32_t port)
{
	return table ? l4_ports_line(table, n, port) : 0;
}

/* Behind the last line there is room for the rest of a table. */
static __always_inline uint32_t l4_tables_ports(
	const struct l4_tables *t, uint32_t table, uint32_t n, uint32_t port)
{
	return ports_line(l4_tables_line(t, table), n, port);
}

__noinline int has_virtual(uint32_t ifindex, uint64_t mac)
{
	struct l4_tables t = { NULL, image_now(), false, false };

	return t.image && l4_has_virtual(&t, ifindex, mac);
}

static __always_inline bool l4_tables_virtual(
	const struct l4_tables *t, uint32_t ifindex, uint64_t mac)
{
	(void)t;
	return has_virtual(ifindex, mac);
}

static __always_inline int find_quic_server(
	struct xdp_md *ctx, uint32_t l4, uint32_t id_bytes, uint32_t pool, bool is_traced)
{
	struct l4_tables t = { ctx, image_now(), false, is_traced };
	struct l4_frame f;
	struct l4_walk w;

	frame_set(&f, ctx);
	if (!t.image || !l4_walk_begin(&w, &t))
		return 0;
	return (int)l4_quic_server(&w, &f, l4 & L4_PAYLOAD_MASK, id_bytes, (uint16_t)pool);
}

__noinline int quic_server(struct xdp_md *ctx, uint32_t l4, uint32_t id_bytes, uint32_t pool)
{
	return find_quic_server(ctx, l4, id_bytes, pool, false);
}

__noinline int traced_quic(struct xdp_md *ctx, uint32_t l4, uint32_t id_bytes, uint32_t pool)
{
	return find_quic_server(ctx, l4, id_bytes, pool, true);
}

static __always_inline uint32_t l4_tables_quic(const struct l4_tables *t, const struct l4_frame *f,
	uint32_t l4, uint32_t id_bytes, uint16_t pool)
{
	(void)f;
	return (uint32_t)(t->traced ? traced_quic(t->ctx, l4, id_bytes, pool)
				    : quic_server(t->ctx, l4, id_bytes, pool));
}

__noinline int filter_fine(const struct l4_guard *g, uint64_t first, uint32_t stem)
{
	return g && l4_filter_fine(NULL, g, first, stem);
}

__noinline uint32_t list4_count(uint32_t line, uint32_t address)
{
	return l4_list4_count(NULL, line, address);
}

__noinline uint32_t list6_count(uint32_t line, uint64_t high, uint64_t low)
{
	return l4_list6_count(NULL, line, high, low);
}

static __always_inline bool l4_tables_fine(
	const struct l4_tables *t, const struct l4_guard *g, uint64_t first, uint32_t stem)
{
	(void)t;
	return filter_fine(g, first, stem);
}

static __always_inline uint32_t l4_tables_list4_count(
	const struct l4_tables *t, uint32_t line, uint32_t address)
{
	(void)t;
	return list4_count(line, address);
}

static __always_inline uint32_t l4_tables_list6_count(
	const struct l4_tables *t, uint32_t line, uint64_t high, uint64_t low)
{
	(void)t;
	return list6_count(line, high, low);
}

__noinline int source_rate(const struct l4_guard *g, uint64_t high, uint64_t low, uint32_t what)
{
	return (int)(g ? l4_rate(NULL, g, (struct l4_guarded){ high, low, what })
		       : L4_V_ENGINE_FAULT);
}

__noinline int traced_rate(const struct l4_guard *g, uint64_t high, uint64_t low, uint32_t what)
{
	const struct l4_tables t = { .traced = true };

	return (int)(g ? l4_rate(&t, g, (struct l4_guarded){ high, low, what })
		       : L4_V_ENGINE_FAULT);
}

static __always_inline enum l4_verdict l4_tables_rate(
	const struct l4_tables *t, const struct l4_guard *g, struct l4_guarded p)
{
	return (enum l4_verdict)(t && t->traced ? traced_rate(g, p.high, p.low, p.what)
						: source_rate(g, p.high, p.low, p.what));
}

__noinline int tandem_guard(const struct l4_guard *g, uint64_t high, uint64_t low, uint32_t what)
{
	return (int)(g ? l4_guard(NULL, g, (struct l4_guarded){ high, low, what })
		       : L4_V_ENGINE_FAULT);
}

__noinline int traced_guard(const struct l4_guard *g, uint64_t high, uint64_t low, uint32_t what)
{
	const struct l4_tables t = { .traced = true };

	return (int)(g ? l4_guard(&t, g, (struct l4_guarded){ high, low, what })
		       : L4_V_ENGINE_FAULT);
}

static __always_inline enum l4_verdict l4_tables_guard(
	const struct l4_tables *t, const struct l4_guard *g, struct l4_guarded p)
{
	return (enum l4_verdict)(t && t->traced ? traced_guard(g, p.high, p.low, p.what)
						: tandem_guard(g, p.high, p.low, p.what));
}

__noinline int tandem_guard_error(
	const struct l4_guard *g, uint64_t high, uint64_t low, uint32_t what)
{
	return (int)(g ? l4_guard_error(NULL, g, (struct l4_guarded){ high, low, what })
		       : L4_V_ENGINE_FAULT);
}

__noinline int traced_guard_error(
	const struct l4_guard *g, uint64_t high, uint64_t low, uint32_t what)
{
	const struct l4_tables t = { .traced = true };

	return (int)(g ? l4_guard_error(&t, g, (struct l4_guarded){ high, low, what })
		       : L4_V_ENGINE_FAULT);
}

static __always_inline enum l4_verdict l4_tables_guard_error(
	const struct l4_tables *t, const struct l4_guard *g, struct l4_guarded p)
{
	return (enum l4_verdict)(t && t->traced ? traced_guard_error(g, p.high, p.low, p.what)
						: tandem_guard_error(g, p.high, p.low, p.what));
}

/* These three are functions of their own since the verifier looks at such once and not on every path. They see the
 * generation that is published now, which may be later than the packet's: all that they decide by it is which
 * record is worth least. */
static __always_inline bool view_now(struct l4_tables *t, struct l4_view *v)
{
	*t = (struct l4_tables){ NULL, image_now(), false, NULL };
	if (!t->image)
		return false;
	*v = (struct l4_view){ t, l4_tables_line(t, L4_LINE_KEYS) };
	return v->keys;
}

__attribute__((noinline)) int record_rank(uint64_t what, uint16_t now)
{
	struct l4_tables t;
	struct l4_view v;

	return (int)(view_now(&t, &v) ? l4_record_rank(&v, what, now) : L4_PLACE_NONE);
}

__attribute__((noinline)) int record_agrees(uint64_t who, uint64_t what)
{
	struct l4_tables t;
	struct l4_view v;

	return view_now(&t, &v) && l4_record_agrees(&v, who, what);
}

static __always_inline enum l4_record_place l4_tables_rank(
	const struct l4_tables *t, uint64_t what, uint16_t now)
{
	(void)t;
	return record_rank(what, now);
}

static __always_inline bool l4_tables_agrees(const struct l4_tables *t, uint64_t who, uint64_t what)
{
	(void)t;
	return record_agrees(who, what);
}

__noinline int tandem_record(void)
{
	const struct l4_note *note = l4_tables_note(NULL);
	struct l4_record_bucket *b = note ? l4_tables_records(NULL, note->record.hash) : NULL;

	if (b)
		l4_record_write(NULL, b, &note->record);
	return 0;
}

__noinline int datagram_enter(
	uint64_t hash, uint64_t what, uint32_t from, uint32_t units, uint32_t last)
{
	return (int)l4_fragment_enter(NULL, hash, what, (struct l4_part){ from, units, last });
}

__noinline int traced_look(
	uint64_t hash, uint64_t what, uint32_t from, uint32_t units, uint32_t last)
{
	const struct l4_tables t = { .traced = true };

	return (int)l4_fragment_look(&t, hash, what, (struct l4_part){ from, units, last });
}

static __always_inline enum l4_verdict l4_tables_enter(
	const struct l4_tables *t, uint64_t hash, uint64_t what, struct l4_part part)
{
	return (enum l4_verdict)(
		t && t->traced ? traced_look(hash, what, part.from, part.units, part.last)
			       : datagram_enter(hash, what, part.from, part.units, part.last));
}

/* Two neighbours that share a row of `asked` may wait for each other's interval; no more is lost. */
static __always_inline void ask(const struct l4_want *want)
{
	uint32_t row = (want->address[0] ^ want->address[1] ^ want->address[2] ^ want->address[3] ^
			       want->mtu) *
			       0x9e3779b1u >>
		       22;
	uint64_t now = bpf_ktime_get_coarse_ns(), *last = bpf_map_lookup_elem(&asked, &row);

	if (!last || (*last && now - *last < ASK_INTERVAL_NS))
		return;
	*last = now;
	bpf_ringbuf_output(&wants, (void *)want, sizeof *want, 0);
}

/* Goes on with a packet as `next` says, a constant. */
static __always_inline enum l4_verdict take_up(
	enum l4_verdict next, const struct l4_tables *t, struct l4_frame *f, struct l4_result *r)
{
	const struct l4_note *note;

	if (next == L4_NEXT_FRAGMENT)
		return l4_fragment(t, f, r);
	if (next == L4_NEXT_SYNPROXY)
		return l4_synproxy(t, f, r);
	if (next == L4_NEXT_RARE)
		return l4_rare(t, f, t->ctx->ingress_ifindex, r);
	if (next == L4_NEXT_ERROR_IN)
		return l4_error_in(t, f, r);
	if (next == L4_NEXT_ERROR_OUT)
		return l4_error_out(t, f, r);
	if (next == L4_NEXT_WRAP)
		return l4_wrap(t, f, r);
	note = l4_tables_note(t);
	if (!note)
		return L4_V_ENGINE_FAULT;
	if (next == L4_NEXT_REFUSAL)
		return l4_refusal_answer(t, f, note, r);
	if (next == L4_NEXT_TAGS)
		return l4_vlan_leave(t, f, note, r);
	if (next == L4_NEXT_LOCAL)
		return l4_local(f, note, r);
	if (!t->traced)
		ask(&note->want);
	r->vip_id = note->vip_id;
	r->service_id = note->service_id;
	return (enum l4_verdict)note->why;
}

/* How long the packet in hand was when it came: it may have been wrapped up before its tags were left to be set. */
static __always_inline uint32_t bytes_come(
	enum l4_verdict next, const struct l4_tables *t, const struct l4_frame *f)
{
	const struct l4_note *note = next == L4_NEXT_TAGS ? l4_tables_note(t) : NULL;

	return note ? note->retag.bytes : f->len;
}

static __always_inline int go_on(struct xdp_md *ctx, enum l4_verdict next, bool traced)
{
	bool looks_up = next == L4_NEXT_FRAGMENT || next == L4_NEXT_SYNPROXY ||
			next == L4_NEXT_RARE || next == L4_NEXT_ERROR_IN ||
			next == L4_NEXT_ERROR_OUT;
	struct l4_tables t = { ctx, looks_up ? image_now() : NULL, false, traced };
	struct l4_result r = { 0 };
	struct l4_frame f;
	enum l4_verdict v;
	uint32_t bytes;

	if (looks_up && !t.image)
		return XDP_PASS;
	frame_set(&f, ctx);
	bytes = bytes_come(next, &t, &f);
	v = take_up(next, &t, &f, &r);
	if (v == L4_V_LOCAL && !traced)
		count(&service_counters, r.service_id, bytes);
	if (v == L4_V_SYN_COOKIE && !traced)
		count_drop(&service_drops, r.service_id, v);
	return v < L4_V_COUNT ? finish(&t, ctx, v, &r, bytes) : TANDEM_NEXT + (int)v;
}

/* What goes on with a packet as L4_NEXT_... says is a function of its own, and one for packets that are traced: it has a stack
 * of its own, and the verifier looks at it by itself. */
#define STAGE(name, next)                                \
	__noinline int tandem_##name(struct xdp_md *ctx) \
	{                                                \
		return go_on(ctx, next, false);          \
	}                                                \
                                                         \
	__noinline int traced_##name(struct xdp_md *ctx) \
	{                                                \
		return go_on(ctx, next, true);           \
	}

/* Those that leave packets to those that are listed after them, if to anybody. */
#define STAGES(X)                       \
	X(rare, L4_NEXT_RARE)           \
	X(error_in, L4_NEXT_ERROR_IN)   \
	X(error_out, L4_NEXT_ERROR_OUT) \
	X(wrap, L4_NEXT_WRAP)           \
	X(local, L4_NEXT_LOCAL)         \
	X(refusal, L4_NEXT_REFUSAL)     \
	X(want, L4_NEXT_WANT)           \
	X(tags, L4_NEXT_TAGS)

STAGES(STAGE)
STAGE(fragment, L4_NEXT_FRAGMENT)
STAGE(synproxy, L4_NEXT_SYNPROXY)

__noinline int tandem_fragment_end(void)
{
	l4_fragment_end(NULL);
	return 0;
}

__noinline int traced_fragment_end(void)
{
	const struct l4_tables t = { .traced = true };

	l4_fragment_end(&t);
	return 0;
}

__noinline int tandem_synproxy_end(void)
{
	l4_synproxy_end(NULL);
	return 0;
}

__noinline int traced_synproxy_end(void)
{
	const struct l4_tables t = { .traced = true };

	l4_synproxy_end(&t);
	return 0;
}

static __always_inline int pass_to_host(struct xdp_md *ctx, bool traced)
{
	struct l4_tables t = { ctx, image_now(), false, traced };
	struct l4_frame f;

	frame_set(&f, ctx);
	if (t.image)
		l4_host(&t, &f, ctx->ingress_ifindex);
	return XDP_PASS;
}

__noinline int tandem_host(struct xdp_md *ctx)
{
	return pass_to_host(ctx, false);
}

__noinline int traced_host(struct xdp_md *ctx)
{
	return pass_to_host(ctx, true);
}

__noinline int tandem_more(struct xdp_md *ctx, int action)
{
	if (action & TANDEM_RECORD)
		tandem_record();
	action &= ~TANDEM_RECORD;
#define X(name, next)                     \
	if (action == TANDEM_NEXT + next) \
		action = tandem_##name(ctx);
	STAGES(X)
#undef X
	return action & TANDEM_HOST ? tandem_host(ctx) : action;
}

SEC("xdp")
int tandem_xdp(struct xdp_md *ctx)
{
	return tandem_run(ctx);
}

/* The same for packets that are traced, which are run by hand. */
SEC("xdp")
int tandem_trace(struct xdp_md *ctx)
{
	int action = traced_packet(ctx);
	bool part = action == TANDEM_NEXT + L4_NEXT_FRAGMENT;

	if (part)
		action = traced_fragment(ctx);
	if (action == TANDEM_NEXT + L4_NEXT_PORTS)
		action = traced_packet(ctx);
	if (action == TANDEM_NEXT + L4_NEXT_SYNPROXY)
		action = traced_synproxy(ctx);
	if (action == TANDEM_NEXT + L4_NEXT_AGAIN) {
		action = traced_packet(ctx);
		traced_synproxy_end();
	}
	if (part)
		traced_fragment_end();
#define X(name, next)                     \
	if (action == TANDEM_NEXT + next) \
		action = traced_##name(ctx);
	STAGES(X)
#undef X
	return action & TANDEM_HOST ? traced_host(ctx) : action;
}

/* Takes the place of tandem_xdp while packets are captured. */
SEC("xdp")
int tandem_capture(struct xdp_md *ctx)
{
	int from_server = capture_in(ctx), action = tandem_run(ctx);

	capture_out(ctx, from_server);
	return action;
}

char _license[] SEC("license") = "Dual BSD/GPL";
