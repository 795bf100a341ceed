// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The XDP engine: look-ups around the stages of dataplane/l4. */
#include "bpf/maps.h"
#include "bpf/packet.bpf.h"
#include "dataplane/l4/cursor.h"
#include "dataplane/l4/flow.h"

/* Set before loading: makes the program report every packet in `trace`. */
const volatile bool trace_on;

/* Set before loading: coarse time is what the map test_time says, so that tests move it. */
const volatile bool test_time_on;

/* Lines of an image's map, which all generations share. */
const volatile uint32_t image_lines = L4_LINE_FIRST;

/* The number of buckets is 2^record_bits. */
const volatile uint32_t record_bits = 18;

enum { ASK_INTERVAL_NS = 100 * 1000 * 1000 };

struct l4_tables {
	struct xdp_md *ctx;
	const struct l4_line *image; /* image_lines of them */
};

/* The published image, or NULL. */
static __always_inline const struct l4_line *image_now(void)
{
	uint32_t zero = 0;
	void *map = bpf_map_lookup_elem(&generation, &zero);

	return map ? bpf_map_lookup_elem(map, &zero) : NULL;
}

/* The number that is used is the one that comes out of the comparison: Linux 6.1 does not know what was found about it
 * of a copy that the compiler put on the stack before. */
L4_INLINE const void *l4_tables_line(const struct l4_tables *t, uint32_t line)
{
	uint64_t at = line, end = image_lines;

	if (__builtin_constant_p(line) && line < L4_LINE_FIRST)
		return t->image + line;
	asm goto("if %0 >= %1 goto %l[outside]" : "+r"(at) : "r"(end) : : outside);
	return t->image + at;
/* cppcheck-suppress unusedLabel */
outside:
	/* A way of its own, or the callers would ask once more whether there is a line. */
	asm volatile("");
	return NULL;
}

L4_INLINE uint32_t l4_tables_slot(const struct l4_tables *t, uint32_t chunk, uint32_t slot)
{
	uint32_t at = chunk + slot / L4_CHUNK_SLOTS;
	const struct l4_chunk *c = bpf_map_lookup_elem(&rings, &at);

	(void)t;
	return c ? c->slots[slot % L4_CHUNK_SLOTS] : L4_SLOT_NONE;
}

L4_INLINE struct l4_record_bucket *l4_tables_records(const struct l4_tables *t, uint64_t hash)
{
	uint32_t row = (uint32_t)(hash >> (64 - record_bits));

	(void)t;
	return bpf_map_lookup_elem(&records, &row);
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

/* Takes the fields of a struct l4_want, for which its callers have no room. Two neighbours that share a row of `asked`
 * may wait for each other's interval; no more is lost. */
__attribute__((noinline)) int ask(uint64_t first, uint64_t second, uint32_t ifindex, uint32_t is6)
{
	struct l4_want want = {
		{ (uint32_t)first, first >> 32, (uint32_t)second, second >> 32 },
		ifindex,
		is6,
	};
	uint32_t row = (want.address[0] ^ want.address[1] ^ want.address[2] ^ want.address[3]) *
			       0x9e3779b1u >>
		       22;
	uint64_t now = bpf_ktime_get_coarse_ns(), *last = bpf_map_lookup_elem(&asked, &row);

	if (!last || (*last && now - *last < ASK_INTERVAL_NS))
		return 0;
	*last = now;
	bpf_ringbuf_output(&wants, &want, sizeof want, 0);
	return 0;
}

L4_INLINE void l4_tables_want(const struct l4_tables *t, const struct l4_want *want)
{
	const uint32_t *a = want->address;

	(void)t;
	ask(a[0] | (uint64_t)a[1] << 32, a[2] | (uint64_t)a[3] << 32, want->ifindex, want->is6);
}

/* The compiler is kept from making 32-bit sums with pointers of the length, which the verifier refuses. */
static __always_inline void frame_set(struct l4_frame *f, const struct xdp_md *ctx)
{
	uint64_t len;

	f->data = (uint8_t *)(long)ctx->data;
	f->end = (uint8_t *)(long)ctx->data_end;
	len = (uint64_t)(f->end - f->data);
	__asm__("" : "+r"(len));
	f->len = (uint32_t)len;
}

L4_INLINE bool l4_tables_resize(const struct l4_tables *t, struct l4_frame *f, uint32_t len)
{
	if (bpf_xdp_adjust_tail(t->ctx, (int)(len - f->len)))
		return false;
	frame_set(f, t->ctx);
	return true;
}

L4_INLINE bool l4_tables_grow(const struct l4_tables *t, struct l4_frame *f, uint32_t n)
{
	if (bpf_xdp_adjust_head(t->ctx, -(int)n))
		return false;
	frame_set(f, t->ctx);
	return true;
}

L4_INLINE struct l4_limit *l4_tables_limit(const struct l4_tables *t)
{
	uint32_t zero = 0;

	(void)t;
	return bpf_map_lookup_elem(&limits, &zero);
}

#include "dataplane/l4/refusal.h"

/* A global function, which the verifier looks at once and not once for every way that leads here. */
__attribute__((noinline)) int refuse(struct xdp_md *ctx, const struct l4_refusal *r)
{
	struct l4_tables t = { ctx, NULL };
	struct l4_frame f;

	if (!r)
		return L4_REFUSED_SILENTLY;
	frame_set(&f, ctx);
	return l4_refusal_make(&t, &f, r);
}

L4_INLINE enum l4_refused l4_tables_refuse(
	const struct l4_tables *t, struct l4_frame *f, const struct l4_refusal *r)
{
	(void)f;
	return refuse(t->ctx, r);
}

#include "dataplane/l4/packet.h"

/* These three are functions of their own since the verifier looks at such once and not on every path. They see the
 * generation that is published now, which may be later than the packet's: all that they decide by it is which
 * record is worth least. */
static __always_inline bool view_now(struct l4_tables *t, struct l4_view *v)
{
	*t = (struct l4_tables){ NULL, image_now() };
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

/* Takes the fields of a struct l4_record_write, since the stack is short. */
__attribute__((noinline)) int record_write(
	uint64_t hash, uint64_t was, uint64_t who, uint64_t what, bool begins)
{
	const struct l4_record_write r = { hash, was, who, what, begins };
	struct l4_record_bucket *b = l4_tables_records(NULL, hash);

	if (b)
		l4_record_write(NULL, b, &r);
	return 0;
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

static __always_inline void l4_tables_record(
	const struct l4_tables *t, const struct l4_record_write *r)
{
	(void)t;
	record_write(r->hash, r->was, r->who, r->what, r->begins);
}

static __always_inline void count(void *map, uint32_t id, uint64_t bytes)
{
	struct l4_counter *c = bpf_map_lookup_elem(map, &id);

	if (!c)
		return;
	c->packets++;
	c->bytes += bytes;
}

static __always_inline void count_verdict(enum l4_verdict v, const struct l4_result *r)
{
	uint32_t row = v;
	uint64_t *n = bpf_map_lookup_elem(&verdict_counters, &row);

	if (n)
		++*n;
	if (v < L4_V_MALFORMED || !r->vip_id)
		return;
	row = r->vip_id * L4_V_COUNT + v;
	n = bpf_map_lookup_elem(&drop_counters, &row);
	if (n)
		++*n;
}

static __always_inline void trace_packet(enum l4_verdict v, const struct l4_result *r)
{
	uint32_t zero = 0;
	struct l4_trace *e = bpf_map_lookup_elem(&trace, &zero);

	if (!e)
		return;
	*e = (struct l4_trace){ v, r->ifindex, r->vip_id, r->service_id, r->server_id };
}

__noinline int tandem_packet(struct xdp_md *ctx)
{
	struct l4_tables t = { ctx, image_now() };
	uint32_t bytes;
	struct l4_result result = { 0 }, *r = &result;
	struct l4_frame f;
	enum l4_verdict v;

	/* In memory: as registers its parts would be set anew before every branch that ends the packet's way. */
	asm volatile("" : "+r"(r) : : "memory");
	if (!t.image)
		return XDP_PASS;
	frame_set(&f, ctx);
	bytes = f.len;
	v = l4_process(&t, &f, ctx->ingress_ifindex, r);
	count_verdict(v, r);
	if (trace_on)
		trace_packet(v, r);
	if (v >= L4_V_MALFORMED)
		return XDP_DROP;
	if (v < L4_V_FORWARDED)
		return XDP_PASS;
	if (v == L4_V_FORWARDED) {
		count(&service_counters, r->service_id, bytes);
		count(&server_counters, r->server_id, bytes);
	}
	if (r->ifindex == ctx->ingress_ifindex)
		return XDP_TX;
	return (int)bpf_redirect_map(&tx_ports, r->ifindex, 0);
}

SEC("xdp")
int tandem_xdp(struct xdp_md *ctx)
{
	return tandem_packet(ctx);
}

char _license[] SEC("license") = "Dual BSD/GPL";
