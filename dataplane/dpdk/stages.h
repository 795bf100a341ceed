/* SPDX-License-Identifier: BSD-2-Clause */
/* All stages, and the way of one packet through them, for a body that has included lookups.h and defined what that leaves to
 * it. */
#pragma once
#include "dataplane/dpdk/lists.h"
#include "dataplane/dpdk/lookups.h"
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

static enum l4_verdict l4_tables_rate(
	const struct l4_tables *t, const struct l4_guard *g, struct l4_guarded p)
{
	return l4_rate(t, g, p);
}

static enum l4_verdict l4_tables_guard(
	const struct l4_tables *t, const struct l4_guard *g, struct l4_guarded p)
{
	return l4_guard(t, g, p);
}

static enum l4_verdict l4_tables_guard_error(
	const struct l4_tables *t, const struct l4_guard *g, struct l4_guarded p)
{
	return l4_guard_error(t, g, p);
}

static enum l4_verdict l4_tables_enter(
	const struct l4_tables *t, uint64_t hash, uint64_t what, struct l4_part part)
{
	return lookups_traced(t) ? l4_fragment_look(t, hash, what, part)
				 : l4_fragment_enter(t, hash, what, part);
}

static uint32_t l4_tables_ports(
	const struct l4_tables *t, uint32_t table, uint32_t n, uint32_t port)
{
	const struct l4_ports *ports = l4_tables_line(t, table);

	return ports ? l4_ports_line(ports, n, port) : 0;
}

static bool l4_tables_virtual(const struct l4_tables *t, uint32_t ifindex, uint64_t mac)
{
	return l4_has_virtual(t, ifindex, mac);
}

static uint32_t l4_tables_quic(const struct l4_tables *t, const struct l4_frame *f, uint32_t l4,
	uint32_t id_bytes, uint16_t pool)
{
	struct l4_walk w;

	return l4_walk_begin(&w, t) ? l4_quic_server(&w, f, l4, id_bytes, pool) : 0;
}

static struct l4_view stages_view(const struct l4_tables *t)
{
	return (struct l4_view){ t, l4_tables_line(t, L4_LINE_KEYS) };
}

static enum l4_record_place l4_tables_rank(const struct l4_tables *t, uint64_t what, uint16_t now)
{
	struct l4_view v = stages_view(t);

	return l4_record_rank(&v, what, now);
}

static bool l4_tables_agrees(const struct l4_tables *t, uint64_t who, uint64_t what)
{
	struct l4_view v = stages_view(t);

	return l4_record_agrees(&v, who, what);
}

static void l4_tables_record(const struct l4_tables *t, const struct l4_record_write *r)
{
	l4_record_write(t, l4_tables_records(t, r->hash), r);
}

/* The main path, again for packets that are taken up once more. */
static __attribute__((noinline)) enum l4_verdict stages_process(
	const struct l4_tables *t, struct l4_frame *f, uint32_t ifindex, struct l4_result *r)
{
	return l4_process(t, f, ifindex, r);
}

/* From what the main path has left of a packet, up to where that is known as whose it is. *bytes: how long it was when it was taken up
 * last. */
static enum l4_verdict stages_again(enum l4_verdict v, const struct l4_tables *t,
	struct l4_frame *f, uint32_t ifindex, struct l4_result *r, uint32_t *bytes)
{
	if (v == L4_NEXT_FRAGMENT)
		v = l4_fragment(t, f, r);
	if (v == L4_NEXT_PORTS)
		v = stages_process(t, f, ifindex, r);
	if (v == L4_NEXT_SYNPROXY)
		v = l4_synproxy(t, f, r);
	if (v == L4_NEXT_AGAIN) {
		*bytes = f->len;
		v = stages_process(t, f, ifindex, r);
		l4_synproxy_end(t);
	}
	l4_fragment_end(t);
	return v;
}

/* Whoever makes something else of the packet. */
static enum l4_verdict stages_take_up(enum l4_verdict next, const struct l4_tables *t,
	struct l4_frame *f, uint32_t ifindex, struct l4_result *r)
{
	switch ((unsigned)next) {
	case L4_NEXT_RARE:
		return l4_rare(t, f, ifindex, r);
	case L4_NEXT_ERROR_IN:
		return l4_error_in(t, f, r);
	case L4_NEXT_ERROR_OUT:
		return l4_error_out(t, f, r);
	case L4_NEXT_WRAP:
		return l4_wrap(t, f, r);
	case L4_NEXT_REFUSAL:
		return l4_refusal_answer(t, f, l4_tables_note(t), r);
	case L4_NEXT_WANT:
		if (!lookups_traced(t))
			l4_tables_want(t, &l4_tables_note(t)->want);
		return l4_tables_note(t)->why;
	case L4_NEXT_LOCAL:
		return l4_local(f, l4_tables_note(t), r);
	case L4_NEXT_TAGS:
		return l4_vlan_leave(t, f, l4_tables_note(t), r);
	default:
		return L4_V_ENGINE_FAULT;
	}
}

/* Goes on with a frame of which the main path said `v`; else as stages_run(), but that *bytes has been set. */
static enum l4_verdict stages_go_on(enum l4_verdict v, const struct l4_tables *t,
	struct l4_frame *f, uint32_t ifindex, struct l4_result *r, uint32_t *bytes)
{
	v = stages_again(v, t, f, ifindex, r, bytes);
	while (v >= L4_V_COUNT)
		v = stages_take_up(v, t, f, ifindex, r);
	if (v < L4_V_FORWARDED)
		l4_host(t, f, ifindex);
	return v;
}

/* What becomes of a frame that came in by an interface: the verdict and the frame as it is to leave, where to and on whose account in
 * *r, zero at first. *bytes: how many of its service came. Nothing is counted but places of records. A frame that is passed is
 * addressed to the host. */
static inline enum l4_verdict stages_run(const struct l4_tables *t, struct l4_frame *f,
	uint32_t ifindex, struct l4_result *r, uint32_t *bytes)
{
	*bytes = f->len;
	return stages_go_on(stages_process(t, f, ifindex, r), t, f, ifindex, r, bytes);
}
