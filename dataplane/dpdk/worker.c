/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/dpdk/worker.h"
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_prefetch.h>

/* No frame of a worker's is traced (tracer.c): that costs nothing here. */
#define LOOKUPS_TRACES false
#include "dataplane/dpdk/worker_body.h"

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
	struct l4_spot spot;
	struct rte_mbuf *frame;
	unsigned port; /* that it came in by */
};

/* The first pass: headers. The flow of a packet that may be some service's is the i-th in *h. */
static inline void read_headers(
	struct worker *w, struct ahead *a, struct flow_hashes *h, unsigned i)
{
	struct l4_walk *walk = &a->walk;

	take_frame(&a->f, a->frame);
	a->line = 0;
	a->aim.ours = false;
	a->read = l4_read(walk, &w->tables, &a->f, w->ports[a->port].ifindex, &a->aim);
	if (a->read != L4_V_FORWARDED || !a->aim.ours)
		return;
	a->tail = l4_service_tail(walk);
	a->tag = l4_ml_end(walk->keys->k, a->aim.dst, a->tail);
	a->line = L4_LINE_FIRST; /* any: find_line() says which */
	flow_hashes_add(h, i, &walk->packet.flow);
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
static inline void find_slot(
	struct worker *w, struct ahead *a, const struct flow_hashes *h, unsigned i)
{
	const struct l4_service *s =
		a->line ? l4_row_at(&a->walk, a->line, a->walk.packet.flow.dst, a->tail) : NULL;

	a->service = s;
	if (!s)
		return;
	a->spot.hash = s->flags & L4_SERVICE_CLIENT ? l4_service_hash(&a->walk, s)
						    : flow_hashes_of(h, i, a->walk.packet.flow.is6);
	rte_prefetch0(&w->tables.rings[s->ring_chunk].slots[(uint32_t)a->spot.hash & s->ring_mask]);
	if (s->flags & L4_SERVICE_TRACK_ALL)
		rte_prefetch0(l4_tables_records(&w->tables, a->spot.hash));
}

/* The fourth: the flow's server, where its slot says which. */
static inline void find_server(struct worker *w, struct ahead *a)
{
	const struct l4_service *s = a->service;

	if (!s)
		return;
	a->spot = l4_spot_of(&w->tables, s, a->spot.hash);
	rte_prefetch0(w->tables.image + s->member_base + a->spot.slot);
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
	unsigned keeper;
	uint32_t slot;

	if (likely(w->common->n_workers == 1) || a->read != L4_V_FORWARDED || !s)
		return false;
	slot = l4_slot_of(s, a->spot.slot);
	if (!(slot & L4_SLOT_TRACKED) && !(s->flags & L4_SERVICE_TRACK_ALL))
		return false;
	keeper = keeper_of(w, a->spot.hash);
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

/* What few frames need is kept out of the way of the others. */
static __attribute__((noinline)) enum l4_verdict decide_rest(
	enum l4_verdict v, struct worker *w, struct ahead *a, struct l4_result *r, uint32_t *bytes)
{
	return stages_go_on(v, &w->tables, &a->f, w->ports[a->port].ifindex, r, bytes);
}

static __attribute__((noinline)) enum l4_verdict decide(
	struct worker *w, struct ahead *a, struct l4_result *r, uint32_t *bytes)
{
	enum l4_verdict v = a->read;

	w->frame = a->frame;
	if (v == L4_V_FORWARDED)
		v = l4_process_on(&a->walk, &a->f, &a->aim, a->service, &a->spot, r);
	if (unlikely(v < L4_V_FORWARDED || v >= L4_V_COUNT))
		v = decide_rest(v, w, a, r, bytes);
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

/* Each pass is a function of its own, which has all registers to itself. */
#define PASS __attribute__((noinline))

static PASS void read_all(struct worker *w, struct ahead *ahead, unsigned n, struct flow_hashes *h)
{
	for (unsigned i = 0; i < n; i++)
		read_headers(w, &ahead[i], h, i);
}

static PASS void find_lines(struct worker *w, struct ahead *ahead, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		find_line(w, &ahead[i]);
}

static PASS void find_slots(
	struct worker *w, struct ahead *ahead, unsigned n, const struct flow_hashes *h)
{
	for (unsigned i = 0; i < n; i++)
		find_slot(w, &ahead[i], h, i);
}

static PASS void find_servers(struct worker *w, struct ahead *ahead, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		find_server(w, &ahead[i]);
}

static PASS void finish_all(struct worker *w, struct ahead *ahead, unsigned n)
{
	const struct capture *capture = __atomic_load_n(&w->common->capture, __ATOMIC_ACQUIRE);

	for (unsigned i = 0; i < n; i++)
		if (!hand_over(w, &ahead[i]))
			finish(w, capture, &ahead[i]);
}

/* Frames go through in passes, each of which asks for the memory that the next one reads. */
static void go_through(struct worker *w, struct ahead *ahead, unsigned n)
{
	static const uint64_t no_key[2];
	const struct l4_root *root = l4_tables_line(&w->tables, L4_LINE_ROOT);
	struct flow_hashes hashes;

	hashes.has4 = hashes.has6 = false;
	read_all(w, ahead, n, &hashes);
	find_lines(w, ahead, n);
	w->hash_flows(&hashes, root ? root->flow_key : no_key, n);
	find_slots(w, ahead, n, &hashes);
	find_servers(w, ahead, n);
	finish_all(w, ahead, n);
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
	bool published = worker_look_up(w);
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
