/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/dpdk/worker.h"
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_prefetch.h>

static inline struct worker *worker_of(const struct l4_tables *t)
{
	return (struct worker *)t;
}

/* The kernel is in another address space: it makes its own cookies of what it is given. */
static inline bool l4_tables_host_cookie(const struct l4_tables *t, const struct l4_flow *flow,
	uint32_t isn, uint16_t mss, struct l4_host_cookie *out)
{
	(void)t;
	(void)flow;
	(void)isn;
	(void)mss;
	(void)out;
	return false;
}

static inline void take_frame(struct l4_frame *f, struct rte_mbuf *m)
{
	uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);

	*f = (struct l4_frame){ data, data + m->data_len, m->data_len };
}

static inline bool l4_tables_grow(const struct l4_tables *t, struct l4_frame *f, int n)
{
	struct rte_mbuf *m = worker_of(t)->frame;

	if (n > 0 ? !rte_pktmbuf_prepend(m, (uint16_t)n) : !rte_pktmbuf_adj(m, (uint16_t)-n))
		return false;
	take_frame(f, m);
	return true;
}

static inline bool l4_tables_resize(const struct l4_tables *t, struct l4_frame *f, uint32_t len)
{
	struct rte_mbuf *m = worker_of(t)->frame;

	if (len <= f->len) {
		if (rte_pktmbuf_trim(m, (uint16_t)(f->len - len)))
			return false;
	} else {
		uint16_t more = (uint16_t)(len - f->len);
		char *end = rte_pktmbuf_append(m, more);

		if (!end)
			return false;
		memset(end, 0, more);
	}
	take_frame(f, m);
	return true;
}

/* Two that share a row of `asked` may wait for each other's interval; no more is lost. */
static inline void l4_tables_want(const struct l4_tables *t, const struct l4_want *want)
{
	struct worker *w = worker_of(t);
	const struct worker_common *c = w->common;
	uint32_t sum = want->address[0] ^ want->address[1] ^ want->address[2] ^ want->address[3] ^
		       want->mtu;
	uint64_t *last = &w->asked[sum * 0x9e3779b1u >> 22], now = rte_rdtsc();

	if (!c->wants || (*last && now - *last < c->want_cycles))
		return;
	if (rte_ring_mp_enqueue_elem(c->wants, (void *)want, sizeof *want))
		return;
	*last = now;
	w->has_told = true;
}

#include "dataplane/dpdk/stages.h"

_Static_assert(1u << (32 - 22) == WORKER_ASKED, "rows of `asked`");

static void free_frames(struct rte_mbuf **frames, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		rte_pktmbuf_free(frames[i]);
}

static void flush(struct worker *w, unsigned port)
{
	struct worker_out *out = &w->out[port];
	unsigned sent = rte_eth_tx_burst(
		w->ports[port].ethdev, w->ports[port].queue, out->frames, (uint16_t)out->n);

	if (unlikely(sent < out->n)) {
		w->verdicts[L4_V_LINK_BUSY] += out->n - sent;
		free_frames(out->frames + sent, out->n - sent);
	}
	out->n = 0;
}

static void send_by(struct worker *w, unsigned port, struct rte_mbuf *m)
{
	struct worker_out *out = &w->out[port];

	out->frames[out->n++] = m;
	if (out->n == RTE_DIM(out->frames))
		flush(w, port);
}

static void leave(struct worker *w, uint32_t ifindex, struct rte_mbuf *m)
{
	for (unsigned i = 0; i < w->n_ports; i++)
		if (w->ports[i].ifindex == ifindex) {
			send_by(w, i, m);
			return;
		}
	w->verdicts[L4_V_ENGINE_FAULT]++;
	rte_pktmbuf_free(m);
}

static void pass(struct worker *w, unsigned port, struct rte_mbuf *m)
{
	struct rte_ring *to = w->ports[port].to_host;

	if (to && !rte_ring_sp_enqueue(to, m)) {
		w->has_told = true;
		return;
	}
	w->verdicts[L4_V_HOST_BUSY]++;
	rte_pktmbuf_free(m);
}

static inline void count(struct l4_counter *c, uint32_t id, uint32_t n, uint32_t bytes)
{
	if (id >= n)
		return;
	c[id].packets++;
	c[id].bytes += bytes;
}

/* 0 is nobody's. */
static inline void count_drop(
	uint64_t (*drops)[L4_V_COUNT], uint32_t id, uint32_t n, enum l4_verdict v)
{
	if (id && id < n)
		drops[id][v]++;
}

static inline void account(
	struct worker *w, enum l4_verdict v, const struct l4_result *r, uint32_t bytes)
{
	w->verdicts[v]++;
	if (v == L4_V_FORWARDED || v == L4_V_LOCAL)
		count(w->services, r->service_id, w->n_services, bytes);
	if (v == L4_V_FORWARDED)
		count(w->servers, r->server_id, w->n_servers, bytes);
	if (v >= L4_V_MALFORMED)
		count_drop(w->vip_drops, r->vip_id, w->n_vip_drops, v);
	if (v >= L4_V_MALFORMED || v == L4_V_SYN_COOKIE)
		count_drop(w->service_drops, r->service_id, w->n_service_drops, v);
}

/* A frame between the passes of its burst. */
struct ahead {
	struct l4_walk walk;
	struct l4_frame f;
	struct l4_aim aim;
	enum l4_verdict read; /* L4_V_FORWARDED: it goes on, below */
	uint32_t tail, tag;   /* of the key of its service, and the key's hash */
	uint32_t line;	      /* of that service, perhaps; 0: none */
	const struct l4_service *service;
	uint64_t hash;
	struct rte_mbuf *frame;
	unsigned port; /* that it came in by */
};

/* The first pass: headers. */
static inline void read_headers(struct worker *w, struct ahead *a)
{
	struct l4_walk *walk = &a->walk;

	take_frame(&a->f, a->frame);
	a->line = 0;
	a->read = l4_read(walk, &w->tables, &a->f, w->ports[a->port].ifindex, &a->aim);
	if (a->read != L4_V_FORWARDED || !a->aim.ours)
		return;
	a->tail = l4_service_tail(walk);
	a->tag = l4_ml_end(walk->keys->k, a->aim.dst, a->tail);
	a->line = L4_LINE_FIRST; /* any: find_line() says which */
	rte_prefetch0(
		w->tables.image + walk->root->bucket_base + (a->tag & walk->root->bucket_mask));
}

/* The second: where the service is. */
static inline void find_line(struct worker *w, struct ahead *a)
{
	const struct l4_bucket *bucket;

	if (!a->line)
		return;
	bucket = l4_bucket_of(&a->walk, a->tag);
	a->line = bucket ? l4_bucket_find(bucket, a->tag) : 0;
	rte_prefetch0(w->tables.image + a->line);
}

/* The third: the service, and the flow's slot and record. */
static inline void find_slot(struct worker *w, struct ahead *a)
{
	const struct l4_service *s = l4_row_at(&a->walk, a->line, a->walk.packet.flow.dst, a->tail);

	a->service = s;
	if (!s)
		return;
	a->hash = l4_service_hash(&a->walk, s);
	rte_prefetch0(&w->tables.rings[s->ring_chunk].slots[(uint32_t)a->hash & s->ring_mask]);
	if (s->flags & L4_SERVICE_TRACK_ALL)
		rte_prefetch0(l4_tables_records(&w->tables, a->hash));
}

/* The worker that keeps a flow's record, which is that of all flows of a bucket. */
static inline unsigned keeper_of(const struct worker *w, uint64_t hash)
{
	return (unsigned)((hash >> 32) * w->common->n_workers >> 32);
}

/* Whether a frame needs a record that another worker keeps; then that has it now. Later fragments, and what SYN cookies' stage takes up
 * again, are seen to where they come: few are, and records stand several writers. */
static inline bool hand_over(struct worker *w, struct ahead *a)
{
	const struct l4_service *s = a->service;
	uint32_t slot;
	unsigned keeper;

	if (likely(w->common->n_workers == 1) || a->read != L4_V_FORWARDED || !s)
		return false;
	slot = l4_slot_of(
		s, l4_tables_slot(&w->tables, s->ring_chunk, (uint32_t)a->hash & s->ring_mask));
	if (!(slot & L4_SLOT_TRACKED) && !(s->flags & L4_SERVICE_TRACK_ALL))
		return false;
	keeper = keeper_of(w, a->hash);
	if (keeper == w->number)
		return false;
	a->frame->hash.usr = a->port;
	if (rte_ring_mp_enqueue(w->common->handed_over[keeper], a->frame)) {
		w->verdicts[L4_V_WORKER_BUSY]++;
		rte_pktmbuf_free(a->frame);
	} else {
		w->has_handed_over[keeper / 64] |= 1ull << keeper % 64;
	}
	return true;
}

static inline enum l4_verdict decide(
	struct worker *w, struct ahead *a, struct l4_result *r, uint32_t *bytes)
{
	uint32_t ifindex = w->ports[a->port].ifindex;
	enum l4_verdict v = a->read;

	w->frame = a->frame;
	if (v == L4_V_FORWARDED)
		v = l4_process_on(&a->walk, &a->f, &a->aim, a->service, &a->hash, r);
	if (unlikely(v < L4_V_FORWARDED || v >= L4_V_COUNT))
		v = stages_go_on(v, &w->tables, &a->f, ifindex, r, bytes);
	return v;
}

/* The same, while packets are captured. */
static __attribute__((noinline)) enum l4_verdict decide_captured(struct worker *w,
	const struct capture *to, struct ahead *a, struct l4_result *r, uint32_t *bytes)
{
	enum l4_verdict v;

	capture_in(&w->leg, a->frame, w->ports[a->port].ifindex);
	v = decide(w, a, r, bytes);
	w->leg.end = (struct l4_trace){ v, r->ifindex, r->vip_id, r->service_id, r->server_id };
	w->capture_lost += capture_out(to, &w->leg, a->frame);
	w->has_told = true;
	return v;
}

/* The last: all the rest. */
static inline void finish(struct worker *w, const struct capture *capture, struct ahead *a)
{
	struct rte_mbuf *m = a->frame;
	struct l4_result r = { 0 };
	uint32_t bytes = a->f.len;
	enum l4_verdict v;

	if (unlikely(capture))
		v = decide_captured(w, capture, a, &r, &bytes);
	else
		v = decide(w, a, &r, &bytes);
	account(w, v, &r, bytes);
	if (v < L4_V_FORWARDED)
		pass(w, a->port, m);
	else if (v < L4_V_MALFORMED)
		leave(w, r.ifindex, m);
	else
		rte_pktmbuf_free(m);
}

/* Drivers that take tags out of frames say what they were. False: the frame is lost. */
static inline bool restore_tag(struct worker *w, struct rte_mbuf **m)
{
	if (likely(!((*m)->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)))
		return true;
	if (!rte_vlan_insert(m)) {
		(*m)->ol_flags &= ~(RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_TX_VLAN);
		return true;
	}
	w->verdicts[L4_V_ENGINE_FAULT]++;
	rte_pktmbuf_free(*m);
	return false;
}

/* Frames go through in passes, each of which asks for the memory that the next one reads. */
static void go_through(struct worker *w, struct ahead *ahead, unsigned n)
{
	const struct capture *capture = __atomic_load_n(&w->common->capture, __ATOMIC_ACQUIRE);

	for (unsigned i = 0; i < n; i++)
		read_headers(w, &ahead[i]);
	for (unsigned i = 0; i < n; i++)
		find_line(w, &ahead[i]);
	for (unsigned i = 0; i < n; i++)
		find_slot(w, &ahead[i]);
	for (unsigned i = 0; i < n; i++)
		if (!hand_over(w, &ahead[i]))
			finish(w, capture, &ahead[i]);
}

static void take_burst(struct worker *w, unsigned port, struct rte_mbuf **frames, unsigned n)
{
	struct ahead ahead[WORKER_BURST];
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(frames[i], void *));
	for (unsigned i = 0; i < n; i++)
		if (restore_tag(w, &frames[i])) {
			ahead[kept].frame = frames[i];
			ahead[kept++].port = port;
		}
	go_through(w, ahead, kept);
}

/* Frames whose records this worker keeps, from others. */
static unsigned take_handed_over(struct worker *w)
{
	struct rte_ring *from = w->common->handed_over[w->number];
	struct rte_mbuf *frames[WORKER_BURST];
	struct ahead ahead[WORKER_BURST];
	unsigned n;

	if (!from)
		return 0;
	n = rte_ring_sc_dequeue_burst(from, (void **)frames, WORKER_BURST, NULL);
	for (unsigned i = 0; i < n; i++) {
		/* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): the ring has filled n */
		ahead[i].frame = frames[i];
		ahead[i].port = ahead[i].frame->hash.usr;
	}
	go_through(w, ahead, n);
	return n;
}

/* No table is published: all is the host's. */
static void pass_burst(struct worker *w, unsigned port, struct rte_mbuf **frames, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (restore_tag(w, &frames[i]))
			pass(w, port, frames[i]);
}

static void use_bank(struct worker *w, uint32_t bank)
{
	struct l4_tables *t = &w->tables;

	t->neighbours = store_block(w->store, STORE_NEIGHBOURS, bank);
	w->neighbour_index.cells = store_block(w->store, STORE_CELLS, bank);
	w->neighbour_index.rows = t->neighbours;
}

static void follow(struct worker *w, const struct generation *g)
{
	struct l4_tables *t = &w->tables;

	use_bank(w, g->bank);
	t->image = g->sealed.image;
	t->lines = g->sealed.lines;
	t->rings = g->area->chunks;
	t->n_chunks = g->area->n_chunks;
	t->guard = g->area->guard;
	t->n_guard = g->area->n_guard;
}

static unsigned poll_host(struct worker *w, unsigned port)
{
	struct worker_out *out = &w->out[port];
	unsigned n;

	if (!w->ports[port].from_host)
		return 0;
	n = rte_ring_sc_dequeue_burst(w->ports[port].from_host, (void **)(out->frames + out->n),
		(unsigned)RTE_DIM(out->frames) - out->n, NULL);
	out->n += n;
	return n;
}

/* What was published last, if anything was. */
static inline bool look_up(struct worker *w)
{
	const struct worker_common *c = w->common;
	const struct generation *g = __atomic_load_n(&c->generation, __ATOMIC_ACQUIRE);

	if (unlikely(!g))
		return false;
	follow(w, g); /* each time: another one may lie where the last one was */
	w->tables.routes = __atomic_load_n(&c->routes[g->bank], __ATOMIC_ACQUIRE);
	w->own.now = (uint16_t)__atomic_load_n(&c->now, __ATOMIC_RELAXED);
	return true;
}

static unsigned receive(struct worker *w, unsigned port, struct rte_mbuf **frames)
{
	const struct worker_port *p = &w->ports[port];

	return p->sends_only ? 0 : rte_eth_rx_burst(p->ethdev, p->queue, frames, WORKER_BURST);
}

static void ring_bells_of_workers(struct worker *w)
{
	for (unsigned i = 0; i < RTE_DIM(w->has_handed_over); i++)
		while (w->has_handed_over[i]) {
			unsigned bit = (unsigned)__builtin_ctzll(w->has_handed_over[i]);

			w->has_handed_over[i] &= w->has_handed_over[i] - 1;
			bell_ring(w->common->bells[i * 64 + bit]);
		}
}

static inline void ring_bells(struct worker *w)
{
	if (unlikely(w->has_told && w->common->bell))
		bell_ring(w->common->bell);
	w->has_told = false;
	if (w->common->n_workers > 1)
		ring_bells_of_workers(w);
}

bool worker_has_frames(const struct worker *w)
{
	const struct rte_ring *from = w->common->handed_over[w->number];

	for (unsigned i = 0; i < w->n_ports; i++)
		if (w->ports[i].from_host && !rte_ring_empty(w->ports[i].from_host))
			return true;
	return from && !rte_ring_empty(from);
}

unsigned worker_poll(struct worker *w)
{
	bool published = look_up(w);
	struct rte_mbuf *frames[WORKER_BURST];
	unsigned sum = 0;

	for (unsigned i = 0; i < w->n_ports; i++) {
		unsigned n = receive(w, i, frames);

		if (likely(published))
			take_burst(w, i, frames, n);
		else
			pass_burst(w, i, frames, n);
		sum += n;
	}
	if (likely(published))
		sum += take_handed_over(w);
	for (unsigned i = 0; i < w->n_ports; i++) {
		sum += poll_host(w, i);
		if (w->out[i].n)
			flush(w, i);
	}
	ring_bells(w);
	rte_rcu_qsbr_quiescent(w->common->grace, w->number);
	return sum;
}

void worker_trace(struct worker *w, uint32_t ifindex, struct rte_mbuf *frame, struct l4_way *way)
{
	struct l4_traced traced = { 0 };
	struct l4_result r = { 0 };
	enum l4_verdict v = L4_V_NOT_OURS;
	struct l4_frame f;
	uint32_t bytes;

	w->frame = frame;
	take_frame(&f, frame);
	if (look_up(w)) {
		w->tables.traced = &traced;
		v = stages_run(&w->tables, &f, ifindex, &r, &bytes);
		w->tables.traced = NULL;
	}
	*way = traced.way;
	way->end = (struct l4_trace){ v, r.ifindex, r.vip_id, r.service_id, r.server_id };
}

void worker_init(struct worker *w, const struct worker_common *common, const struct store *s,
	unsigned number)
{
	struct l4_tables *t = &w->tables;

	memset(w, 0, sizeof *w);
	w->common = common;
	w->number = number;
	t->own = &w->own;
	t->n_neighbours = s->tables[STORE_NEIGHBOURS].rows;
	w->store = s;
	w->neighbour_index.n_rows = t->n_neighbours;
	w->neighbour_index.bits = store_bits(s, STORE_CELLS);
	memcpy(w->neighbour_index.key, store_block(s, STORE_CELLS_KEY, 0),
		sizeof w->neighbour_index.key);
	t->neighbour_index = &w->neighbour_index;
	use_bank(w, 0);
	t->records = store_block(s, STORE_RECORDS, 0);
	t->record_bits = store_bits(s, STORE_RECORDS);
	t->sources = store_block(s, STORE_SOURCES, 0);
	t->source_bits = store_bits(s, STORE_SOURCES);
	t->datagrams = store_block(s, STORE_DATAGRAMS, 0);
	t->datagram_bits = store_bits(s, STORE_DATAGRAMS);
	t->proxied = store_block(s, STORE_PROXIED, 0);
	t->proxied_bits = store_bits(s, STORE_PROXIED);
	t->floods = store_block(s, STORE_FLOODS, 0);
	t->n_floods = s->tables[STORE_FLOODS].rows;
	w->own.places = store_block(s, STORE_PLACES, number + 1);
	w->verdicts = store_block(s, STORE_VERDICTS, number + 1);
	w->services = store_block(s, STORE_SERVICES, number + 1);
	w->n_services = s->tables[STORE_SERVICES].rows;
	w->servers = store_block(s, STORE_SERVERS, number + 1);
	w->n_servers = s->tables[STORE_SERVERS].rows;
	w->vip_drops = store_block(s, STORE_VIP_DROPS, number + 1);
	w->n_vip_drops = s->tables[STORE_VIP_DROPS].rows;
	w->service_drops = store_block(s, STORE_SERVICE_DROPS, number + 1);
	w->n_service_drops = s->tables[STORE_SERVICE_DROPS].rows;
}
