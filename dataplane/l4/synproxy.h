/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Answers to floods of SYNs. packet.h leaves TCP segments of services with SYN cookies to this while a flood is on, while cookies
 * may come back, or while connections live that began with one; what goes on from here as a segment of the same flow is taken up by
 * l4_process() again.
 *
 * A nat service's connection in a flood (as Linux' SYNPROXY has it):
 *
 *   client            here                        server
 *     | SYN seq=i       |                            |
 *     | <- SYN-ACK seq=cookie ack=i+1 window=0       |     nothing is kept
 *     | ACK i+1, cookie+1 -> SYN seq=i ------------> |     ASKED
 *     |                 | <------ SYN-ACK seq=s      |     OPENING: shift = cookie - s
 *     | <- ACK seq=cookie, 1 byte, window            |
 *     | ACK ------------> ACK ack=s+1 -------------> |     OPEN: numbers and windows are translated
 *
 * The client's first ACK becomes the server's SYN and the server's SYN-ACK the client's window: one packet comes of each, and
 * nothing waits here. What opens the window is sent one byte before what the client expects, as keep-alives are (RFC 9293,
 * section 3.8.4), so that the client answers it at once, and that completes the server's handshake. What is lost either end sends
 * again.
 *
 * An established connection's segment can look like a cookie, once in 2^23. Its server does not answer the SYN with one of its own,
 * and the record goes.
 *
 * The body defines what walk.h asks for, and before it includes this file:
 *
 *   struct l4_proxied_bucket *l4_tables_proxied(const struct l4_tables *t, uint64_t hash);
 *       the bucket for connections with this hash, found by its highest bits, or NULL: none is recorded
 *   bool l4_tables_host_cookie(const struct l4_tables *t, const struct l4_flow *flow, uint32_t isn, uint16_t mss,
 *           struct l4_host_cookie *out);
 *       a cookie that this host's own stack takes back, for a SYN of the flow; false: it has none to give
 */
#pragma once
#include "dataplane/l4/flood.h"
#include "dataplane/l4/proxied.h"
#include "dataplane/l4/segment.h"
#include "dataplane/l4/shift.h"
#include "dataplane/l4/verdict.h"
#include "dataplane/l4/walk.h"

/* How windows are scaled that the client is told of: it learns that before the server has said anything. */
enum { L4_PROXY_SCALE = 7 };

/* Lengths of what is written. */
enum {
	L4_PROXY_SYN_LEN = sizeof(struct l4_tcp) + 12,
	L4_PROXY_SYN_TIMES_LEN = sizeof(struct l4_tcp) + 20,
	L4_PROXY_OPENING_LEN = sizeof(struct l4_tcp) + 1,
};

/* What the lowest bits of a time stamp in a host's cookie say: scale:4 sack:1 ecn:1 (Linux, net/ipv4/syncookies.c). */
enum { L4_HOST_COOKIE_SAYS = 0x3f, L4_HOST_COOKIE_SACK = 0x10 };

enum { L4_TCP_KIND = L4_TCP_SYN | L4_TCP_ACK | L4_TCP_RST | L4_TCP_FIN };

/* A segment in this stage. */
struct l4_proxy {
	const struct l4_tables *tables;
	struct l4_proxying *note;
	struct l4_flood *flood;
	struct l4_proxied_bucket *bucket;
	const uint64_t *key;
	uint64_t hash;
	uint32_t l3, l4;
	uint16_t now;
	struct l4_tcp tcp; /* as it came */
	struct l4_proxied_found found;
};

/* The segment goes on as it is now. */
L4_INLINE enum l4_verdict l4_proxy_again(const struct l4_proxy *x)
{
	x->note->done = true;
	return L4_NEXT_AGAIN;
}

/* Replaces the segment by another one of its flow, of `len` bytes, a constant, that goes on. */
L4_INLINE enum l4_verdict l4_proxy_replace(
	const struct l4_proxy *x, struct l4_frame *f, struct l4_segment *s, uint32_t len)
{
	s->tcp.sport = x->tcp.sport;
	s->tcp.dport = x->tcp.dport;
	if (!l4_tables_resize(x->tables, f, x->l4 + len))
		return L4_V_ENGINE_FAULT;
	if (!(x->note->flow.is6 ? l4_segment_replace6(f, x->l3, x->l4, s, len)
				: l4_segment_replace4(f, x->l3, x->l4, s, len)))
		return L4_V_ENGINE_FAULT;
	return l4_proxy_again(x);
}

/* A window of so many bytes as it is written. */
L4_INLINE be16 l4_window(uint64_t bytes, uint32_t scale)
{
	uint64_t window = bytes >> (scale & 15);

	return L4_BE16(window < 0xffff ? window : 0xffff);
}

/* How many bytes a window means. */
L4_INLINE uint64_t l4_window_bytes(be16 window, uint32_t scale)
{
	return (uint64_t)__builtin_bswap16(window) << (scale == L4_TCP_UNSCALED ? 0 : scale & 15);
}

/* Answers the SYN with that cookie, by a segment of `len` bytes, a constant, whose options are written. */
L4_INLINE enum l4_verdict l4_proxy_answer(const struct l4_proxy *x, struct l4_frame *f,
	struct l4_segment *s, uint32_t cookie, uint32_t len, struct l4_result *r)
{
	const struct l4_proxying *p = x->note;

	s->tcp.sport = x->tcp.dport;
	s->tcp.dport = x->tcp.sport;
	s->tcp.seq = L4_BE32(cookie);
	s->tcp.ack = L4_BE32(__builtin_bswap32(x->tcp.seq) + 1);
	s->tcp.offset = (uint8_t)(len / 4 << 4);
	s->tcp.flags = L4_TCP_SYN | L4_TCP_ACK;
	l4_tell(x->tables, L4_STEP_SYNPROXY, L4_PROXY_ANSWERS, cookie);
	if (!l4_tables_resize(x->tables, f, l4_segment_end(x->l3, p->flow.is6, len)) ||
		!l4_segment_answer(f, x->l3, p->flow.is6, s, len))
		return L4_V_ENGINE_FAULT;
	r->ifindex = p->ifindex;
	return L4_V_SYN_COOKIE;
}

/* The largest segment that the interface takes. */
L4_INLINE uint16_t l4_proxy_mss(const struct l4_proxying *p)
{
	uint32_t headers = sizeof(struct l4_tcp) +
			   (p->flow.is6 ? sizeof(struct l4_ip6) : sizeof(struct l4_ip4));

	return (uint16_t)(p->mtu - headers);
}

/* With a cookie of our own, and a window that opens when the server has. */
L4_INLINE enum l4_verdict l4_proxy_own_cookie(
	const struct l4_proxy *x, struct l4_frame *f, struct l4_result *r)
{
	uint32_t cookie = l4_cookie_make(x->key, &x->note->flow, __builtin_bswap32(x->tcp.seq),
		&x->note->options.syn, x->now);
	struct l4_syn ours = x->note->options.syn;
	struct l4_segment s = { 0 };

	ours.mss = l4_proxy_mss(x->note);
	if (ours.scale != L4_TCP_UNSCALED)
		ours.scale = L4_PROXY_SCALE;
	l4_options_write(s.options, &ours);
	return l4_proxy_answer(x, f, &s, cookie, L4_PROXY_SYN_LEN, r);
}

/* With one of this host's own stack, which finds what else the SYN said in the time stamp that comes back. Without one there
 * is neither window scaling nor selective acknowledgement. The window lets a client begin (RFC 6928). */
L4_INLINE enum l4_verdict l4_proxy_host_cookie(
	const struct l4_proxy *x, struct l4_frame *f, struct l4_result *r)
{
	const struct l4_syn *theirs = &x->note->options.syn;
	struct l4_syn ours = { l4_proxy_mss(x->note), L4_TCP_UNSCALED, false };
	struct l4_segment s = { .tcp.window = l4_window(10u * ours.mss, 0) };
	struct l4_host_cookie cookie;
	uint32_t says = theirs->scale | (theirs->sack ? L4_HOST_COOKIE_SACK : 0);

	if (!l4_tables_host_cookie(
		    x->tables, &x->note->flow, __builtin_bswap32(x->tcp.seq), theirs->mss, &cookie))
		return l4_proxy_again(x);
	if (!x->note->options.has_time || !x->flood->times) {
		l4_options_write(s.options, &ours);
		return l4_proxy_answer(x, f, &s, cookie.cookie, L4_PROXY_SYN_LEN, r);
	}
	ours.sack = theirs->sack;
	if (theirs->scale != L4_TCP_UNSCALED)
		ours.scale = x->flood->scale;
	l4_options_write_times(s.options, &ours,
		(cookie.ms & ~(uint32_t)L4_HOST_COOKIE_SAYS) | says, x->note->options.time);
	return l4_proxy_answer(x, f, &s, cookie.cookie, L4_PROXY_SYN_TIMES_LEN, r);
}

/* A client's SYN. */
L4_INLINE enum l4_verdict l4_proxy_syn(
	const struct l4_proxy *x, struct l4_frame *f, struct l4_result *r)
{
	if (!l4_flood_syn(x->flood, x->note->syn_limit, x->now))
		return l4_proxy_again(x);
	if (!l4_source_is_host(f, x->l3, x->note->flow.is6))
		return L4_V_BOGON_SOURCE;
	if (!x->note->local)
		return l4_proxy_own_cookie(x, f, r);
	if (x->flood->ready)
		return l4_proxy_host_cookie(x, f, r);
	l4_tell(x->tables, L4_STEP_SYNPROXY, L4_PROXY_LEAVES, 0);
	return l4_proxy_again(x);
}

/* Makes a client's segment the SYN that its server has not seen. */
L4_INLINE enum l4_verdict l4_proxy_ask(
	const struct l4_proxy *x, struct l4_frame *f, uint32_t isn, uint32_t cookie)
{
	const struct l4_syn syn = l4_cookie_says(x->note->flow.is6, cookie);
	struct l4_segment s = {
		.tcp = {
			.seq = L4_BE32(isn),
			.offset = L4_PROXY_SYN_LEN / 4 << 4,
			.flags = L4_TCP_SYN,
			.window = l4_window(l4_window_bytes(x->tcp.window, syn.scale), 0),
		},
	};

	l4_tell(x->tables, L4_STEP_SYNPROXY, L4_PROXY_ASKS, cookie);
	l4_options_write(s.options, &syn);
	return l4_proxy_replace(x, f, &s, L4_PROXY_SYN_LEN);
}

/* Whether the segment acknowledges a cookie for a SYN with this sequence number. */
L4_INLINE bool l4_proxy_has_cookie(const struct l4_proxy *x, uint32_t isn)
{
	return l4_cookie_is_good(
		x->key, &x->note->flow, isn, __builtin_bswap32(x->tcp.ack) - 1, x->now);
}

/* Whether a client's segment brings a cookie back, and for which SYN's sequence number. Whoever finds the window shut and its first
 * ACK lost sends the byte before (RFC 9293, section 3.8.6.1, as Linux does it), or that ACK again. */
L4_INLINE bool l4_proxy_brings_cookie(const struct l4_proxy *x, uint32_t *isn)
{
	uint32_t seq = __builtin_bswap32(x->tcp.seq);

	if (x->note->part || (x->tcp.flags & L4_TCP_KIND) != L4_TCP_ACK ||
		!l4_flood_has_cookies(x->flood, x->now) ||
		x->note->ip_len != x->l4 - x->l3 + (x->tcp.offset >> 4) * 4u)
		return false;
	*isn = seq - 1;
	if (l4_proxy_has_cookie(x, *isn))
		return true;
	*isn = seq;
	return l4_proxy_has_cookie(x, *isn);
}

/* Begins the connection of a cookie that came back. */
L4_INLINE enum l4_verdict l4_proxy_begin(const struct l4_proxy *x, struct l4_frame *f, uint32_t isn)
{
	const struct l4_proxying *p = x->note;
	struct l4_proxied to;

	to = (struct l4_proxied){
		.who = x->hash,
		.shift = __builtin_bswap32(x->tcp.ack) - 1,
		.isn = isn,
		.idle = p->idle,
	};
	to.what =
		l4_proxied_scaled(l4_proxied_seen((uint64_t)p->service_id << L4_PROXIED_SERVICE_AT,
					  L4_PROXIED_ASKED, x->now),
			l4_cookie_says(p->flow.is6, to.shift).scale, L4_TCP_UNSCALED);
	__sync_fetch_and_add(&x->flood->begun, 1);
	if (!l4_proxied_begin(x->bucket, &to, x->now))
		return L4_V_PROXIED_FULL;
	return l4_proxy_ask(x, f, isn, to.shift);
}

/* The record's state behind a segment. */
L4_INLINE void l4_proxy_see(const struct l4_proxy *x, uint8_t state)
{
	uint64_t what;

	if (x->tcp.flags & (L4_TCP_FIN | L4_TCP_RST))
		state = L4_PROXIED_CLOSING;
	what = l4_proxied_seen(x->found.what, state, x->now);
	if (what != x->found.what)
		l4_proxied_exchange(x->found.at, x->found.what, what);
}

/* A client's segment as its server is to see it. */
L4_INLINE enum l4_verdict l4_proxy_to_server(const struct l4_proxy *x, const struct l4_frame *f)
{
	uint8_t state = l4_proxied_state(x->found.what);
	uint32_t client = l4_proxied_client_scale(x->found.what);
	struct l4_tcp *tcp = l4_at(f, x->l4, sizeof *tcp);
	struct l4_shifts d = { 0 };
	be16 window;

	if (!tcp)
		return L4_V_ENGINE_FAULT;
	l4_proxy_see(x, state == L4_PROXIED_OPENING ? L4_PROXIED_OPEN : state);
	if (tcp->flags & L4_TCP_ACK)
		l4_shift_field(&tcp->ack, -x->found.shift, &d);
	if (l4_proxied_server_scale(x->found.what) == L4_TCP_UNSCALED &&
		client != L4_TCP_UNSCALED && !(tcp->flags & L4_TCP_SYN)) {
		window = l4_window(l4_window_bytes(tcp->window, client), 0);
		d.even = l4_delta16(d.even, tcp->window, window);
		tcp->window = window;
	}
	l4_shift_sack(f, x->l4, &x->note->options, -x->found.shift, &d);
	l4_tell(x->tables, L4_STEP_SYNPROXY, L4_PROXY_TRANSLATES, x->found.shift);
	tcp->checksum = l4_shift_checksum(tcp->checksum, d);
	return l4_proxy_again(x);
}

/* What a client sends. */
L4_INLINE enum l4_verdict l4_proxy_request(
	const struct l4_proxy *x, struct l4_frame *f, struct l4_result *r)
{
	uint8_t state = l4_proxied_state(x->found.what);
	uint32_t kind = x->tcp.flags & L4_TCP_KIND, isn;

	if (kind == L4_TCP_SYN)
		return x->note->part ? l4_proxy_again(x) : l4_proxy_syn(x, f, r);
	/* A client may use its port again as soon as it has closed a connection. */
	if ((!x->found.at || state == L4_PROXIED_CLOSING) && l4_proxy_brings_cookie(x, &isn))
		return l4_proxy_begin(x, f, isn);
	if (!x->found.at)
		return l4_proxy_again(x);
	if (state != L4_PROXIED_ASKED)
		return l4_proxy_to_server(x, f);
	if (x->note->part || !(kind & L4_TCP_ACK) || kind & L4_TCP_RST ||
		__builtin_bswap32(x->tcp.ack) != x->found.shift + 1)
		return l4_proxy_again(x);
	return l4_proxy_ask(x, f, x->found.isn, x->found.shift);
}

/* The server has answered: its SYN-ACK becomes what opens the client's window. */
L4_INLINE enum l4_verdict l4_proxy_open(const struct l4_proxy *x, struct l4_frame *f, uint32_t seq)
{
	uint32_t client = l4_proxied_client_scale(x->found.what);
	struct l4_segment s = {
		.tcp = {
			.seq = L4_BE32(seq),
			.ack = x->tcp.ack,
			.offset = sizeof(struct l4_tcp) / 4 << 4,
			.flags = L4_TCP_ACK,
			.window = l4_window(l4_window_bytes(x->tcp.window, 0),
				client == L4_TCP_UNSCALED ? 0 : L4_PROXY_SCALE),
		},
	};

	l4_tell(x->tables, L4_STEP_SYNPROXY, L4_PROXY_OPENS, seq);
	return l4_proxy_replace(x, f, &s, L4_PROXY_OPENING_LEN);
}

/* The server's first word to the SYN that we have sent in the client's name. */
L4_INLINE enum l4_verdict l4_proxy_asked(const struct l4_proxy *x, struct l4_frame *f)
{
	uint32_t kind = x->tcp.flags & L4_TCP_KIND, cookie = x->found.shift;
	uint32_t client = l4_proxied_client_scale(x->found.what);
	struct l4_tcp *tcp = l4_at(f, x->l4, sizeof *tcp);
	struct l4_shifts d = { 0 };
	struct l4_proxied to = { .who = x->hash, .isn = x->found.isn, .idle = x->found.idle };

	if (!tcp)
		return L4_V_ENGINE_FAULT;
	if (kind == (L4_TCP_SYN | L4_TCP_ACK) && __builtin_bswap32(x->tcp.ack) == to.isn + 1) {
		to.shift = cookie - __builtin_bswap32(x->tcp.seq);
		to.what = l4_proxied_scaled(
			l4_proxied_seen(x->found.what, L4_PROXIED_OPENING, x->now), client,
			client == L4_TCP_UNSCALED ? L4_TCP_UNSCALED : x->note->options.syn.scale);
		l4_proxied_put(x->found.at, x->found.what, &to);
		return l4_proxy_open(x, f, cookie);
	}
	l4_tell(x->tables, L4_STEP_SYNPROXY, L4_PROXY_FORGETS, cookie);
	l4_proxied_exchange(x->found.at, x->found.what, L4_PROXIED_EMPTY);
	if (kind & L4_TCP_RST) { /* as the client expects it (RFC 5961, section 3.2) */
		l4_shift_field(&tcp->seq, cookie + 1 - __builtin_bswap32(tcp->seq), &d);
		tcp->checksum = l4_shift_checksum(tcp->checksum, d);
	}
	return l4_proxy_again(x);
}

/* A server's segment as the client is to see it. A SYN-ACK begins another connection that goes by the same numbers, of which
 * both ends have agreed about windows. */
L4_INLINE enum l4_verdict l4_proxy_to_client(struct l4_proxy *x, const struct l4_frame *f)
{
	uint32_t server = l4_proxied_server_scale(x->found.what);
	struct l4_tcp *tcp = l4_at(f, x->l4, sizeof *tcp);
	uint8_t state = l4_proxied_state(x->found.what);
	struct l4_shifts d = { 0 };
	be16 window;

	if (!tcp)
		return L4_V_ENGINE_FAULT;
	l4_shift_field(&tcp->seq, x->found.shift, &d);
	if (tcp->flags & L4_TCP_SYN) {
		state = L4_PROXIED_OPEN;
		if (l4_proxied_exchange(x->found.at, x->found.what,
			    l4_proxied_scaled(x->found.what, L4_TCP_UNSCALED, L4_TCP_UNSCALED)))
			x->found.what =
				l4_proxied_scaled(x->found.what, L4_TCP_UNSCALED, L4_TCP_UNSCALED);
	} else if (l4_proxied_client_scale(x->found.what) != L4_TCP_UNSCALED &&
		   server != L4_PROXY_SCALE) {
		window = l4_window(l4_window_bytes(tcp->window, server), L4_PROXY_SCALE);
		d.even = l4_delta16(d.even, tcp->window, window);
		tcp->window = window;
	}
	l4_tell(x->tables, L4_STEP_SYNPROXY, L4_PROXY_TRANSLATES, x->found.shift);
	tcp->checksum = l4_shift_checksum(tcp->checksum, d);
	l4_proxy_see(x, state);
	return l4_proxy_again(x);
}

/* What a server sends. */
L4_INLINE enum l4_verdict l4_proxy_reply(struct l4_proxy *x, struct l4_frame *f)
{
	uint8_t state = l4_proxied_state(x->found.what);

	if (!x->found.at)
		return l4_proxy_again(x);
	if (state == L4_PROXIED_ASKED)
		return x->note->part ? l4_proxy_again(x) : l4_proxy_asked(x, f);
	if (state == L4_PROXIED_OPENING && !x->note->part &&
		(x->tcp.flags & L4_TCP_KIND) == (L4_TCP_SYN | L4_TCP_ACK) &&
		__builtin_bswap32(x->tcp.ack) == x->found.isn + 1)
		return l4_proxy_open(x, f, __builtin_bswap32(x->tcp.seq) + x->found.shift);
	return l4_proxy_to_client(x, f);
}

/* As l4_process(), for segments that it leaves to this; L4_NEXT_AGAIN: it is to take the packet up again. */
L4_INLINE enum l4_verdict l4_synproxy(
	const struct l4_tables *t, struct l4_frame *f, struct l4_result *r)
{
	struct l4_note *note = l4_tables_note(t);
	const struct l4_root *root = l4_tables_line(t, L4_LINE_ROOT);
	const struct l4_tcp *tcp;
	struct l4_proxy x;

	if (!note || !root)
		return L4_V_ENGINE_FAULT;
	x.tables = t;
	x.note = &note->proxy;
	x.key = root->flow_key;
	x.l3 = x.note->l3 & L4_L3_MASK;
	x.l4 = x.note->l4 & L4_PAYLOAD_MASK;
	x.now = l4_tables_now(t);
	x.hash = l4_flow_hash(x.key, &x.note->flow);
	x.flood = l4_tables_flood(t, x.note->service_id);
	x.bucket = l4_tables_proxied(t, x.hash);
	tcp = l4_at(f, x.l4, sizeof *tcp);
	if (!x.flood || !x.bucket || !tcp)
		return L4_V_ENGINE_FAULT;
	r->vip_id = x.note->vip_id;
	r->service_id = x.note->service_id;
	x.tcp = *tcp;
	l4_options_read(f, x.l4 + sizeof *tcp, x.l4 + (tcp->offset >> 4) * 4u, x.note->flow.is6,
		&x.note->options);
	x.found = l4_proxied_find(x.bucket, x.hash, x.now);
	l4_tell(t, L4_STEP_PROXIED, x.found.what, (uint64_t)x.found.shift << 32 | x.found.isn);
	return x.note->reply ? l4_proxy_reply(&x, f) : l4_proxy_request(&x, f, r);
}

/* To be called once l4_process() has taken up the packet again, whatever came of it. */
L4_INLINE void l4_synproxy_end(const struct l4_tables *t)
{
	struct l4_note *note = l4_tables_note(t);

	if (note)
		note->proxy.done = false;
}
