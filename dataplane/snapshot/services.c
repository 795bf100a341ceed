/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>
#include "dataplane/l4/verdict.h"
#include "dataplane/snapshot/image.h"

uint32_t image_places(const struct snapshot_service *s)
{
	return s->n_ranges ? s->n_ranges : 1;
}

uint16_t snapshot_idle(const struct snapshot_service *s)
{
	uint64_t seconds = s->idle_s	       ? s->idle_s
			   : s->protocol == 17 ? SNAPSHOT_IDLE_UDP_S
					       : SNAPSHOT_IDLE_TCP_S;

	return (uint16_t)((seconds * 1000000000 >> L4_TIME_SHIFT) + 1);
}

static struct l4_pool *image_pool(const struct image *im, uint32_t pool)
{
	const struct l4_keys *keys = (const struct l4_keys *)&im->lines[L4_LINE_KEYS];

	return (struct l4_pool *)&im->lines[keys->pool_base + im->in->pools[pool].id];
}

/* A record tells its pool, not its service: the longest time of all decides whether it is void. */
static void image_pool_idles(struct image *im)
{
	for (uint32_t i = 0; i < im->in->n_services; i++) {
		const struct snapshot_service *s = &im->in->services[i];
		struct l4_pool *row;

		if (s->forward == L4_FORWARD_LOCAL)
			continue;
		row = image_pool(im, s->pool);
		if (row->idle < snapshot_idle(s))
			row->idle = snapshot_idle(s);
	}
}

/* The record of a client is that of its flows to all services of the pool. */
static uint16_t image_idle(const struct image *im, const struct snapshot_service *s)
{
	return s->client_affinity ? image_pool(im, s->pool)->idle : snapshot_idle(s);
}

static void take_range(struct ports_range *to, uint8_t af, const uint8_t *bytes, uint8_t protocol,
	struct snapshot_range r, uint32_t line)
{
	to->af = af;
	memcpy(to->bytes, bytes, af == 6 ? 16 : 4);
	to->from = (uint32_t)protocol << 16 | r.first;
	to->to = (uint32_t)protocol << 16 | r.last;
	to->line = line;
}

static bool is_port(struct snapshot_range r)
{
	return r.first == r.last;
}

static struct snapshot_range image_range(
	const struct image *im, const struct snapshot_service *s, uint32_t i)
{
	return s->n_ranges ? im->in->ranges[s->first_range + i]
			   : (struct snapshot_range){ s->port, s->port };
}

static void reverse_set(struct l4_reverse *row, const struct snapshot_service *s,
	const struct snapshot_address *vip, uint16_t port)
{
	row->service_id = s->id;
	row->cookies = s->syn_cookies;
	row->vip_id = vip->id;
	memcpy(row->vip, vip->bytes, vip->af == 6 ? 16 : 4);
	row->vip_port = L4_BE16(port);
}

/* Replies of one server: a row for each port, and one for all ranges. */
static int image_reverse_member(
	struct image *im, const struct snapshot_service *s, const struct snapshot_member *m)
{
	const struct snapshot_address *vip = &im->in->addresses[s->address];
	uint32_t all = 0;

	for (uint32_t i = 0; i < image_places(s); i++) {
		struct snapshot_range r = image_range(im, s, i);
		struct l4_reverse *row;

		if (!is_port(r)) {
			if (!all)
				all = image_take(im, 1, "servers");
			if (!all)
				return -ENOSPC;
			reverse_set((struct l4_reverse *)&im->lines[all], s, vip, 0);
			take_range(&im->replies[im->n_replies++], m->af, m->bytes, s->protocol, r,
				all);
			continue;
		}
		row = (struct l4_reverse *)image_row(im, "servers");
		if (!row)
			return -ENOSPC;
		image_key(&row->key, m->af, m->bytes, m->port ? m->port : r.first, s->protocol,
			L4_KIND_REVERSE);
		reverse_set(row, s, vip, r.first);
	}
	return 0;
}

static int image_reverse(struct image *im, const struct snapshot_service *s)
{
	const struct snapshot_pool *p = &im->in->pools[s->pool];
	int rc = 0;

	for (uint32_t i = 0; i < p->n_members && !rc; i++)
		rc = image_reverse_member(im, s, &im->in->members[p->first_member + i]);
	return rc;
}

/* The table of one address's ranges. */
static int image_table(struct image *im, const struct ports_range *ranges, uint32_t n,
	const char *what, struct l4_port_table *to)
{
	uint32_t line = image_take(im, ports_lines(n), what);
	int entries;

	if (!line)
		return -ENOSPC;
	entries = ports_fill(ranges, n, (struct l4_ports *)&im->lines[line]);
	if (entries < 0)
		return entries;
	*to = (struct l4_port_table){ line, (uint32_t)entries };
	return 0;
}

static struct l4_address *image_address_of(const struct image *im, const struct ports_range *r)
{
	uint32_t i = 0;

	while (im->in->addresses[i].af != r->af ||
		memcmp(im->in->addresses[i].bytes, r->bytes, r->af == 6 ? 16 : 4))
		i++;
	return (struct l4_address *)&im->lines[im->address_base + i];
}

static int image_taken(struct image *im)
{
	int rc = 0;

	ports_sort(im->taken, im->n_taken);
	for (uint32_t i = 0, n; i < im->n_taken && !rc; i += n) {
		n = ports_same(im->taken + i, im->n_taken - i);
		rc = image_table(im, im->taken + i, n, "services",
			&image_address_of(im, im->taken + i)->ports);
	}
	return rc;
}

static int image_replies(struct image *im)
{
	int rc = 0;

	ports_sort(im->replies, im->n_replies);
	for (uint32_t i = 0, n; i < im->n_replies && !rc; i += n) {
		const struct ports_range *r = im->replies + i;
		struct l4_replies *row = (struct l4_replies *)image_row(im, "servers");

		if (!row)
			return -ENOSPC;
		image_key(&row->key, r->af, r->bytes, 0, 0, L4_KIND_REPLIES);
		n = ports_same(r, im->n_replies - i);
		rc = image_table(im, r, n, "servers", &row->ports);
	}
	return rc;
}

/* From a second to a unit of coarse time, which is a little longer. */
static uint32_t tokens(uint32_t rate)
{
	uint64_t n = ((uint64_t)rate << L4_TIME_SHIFT) / 1000000000;

	return n > UINT32_MAX ? UINT32_MAX : n || !rate ? (uint32_t)n : 1;
}

static bool image_has_list(const struct image *im, uint32_t list)
{
	return im->guard && list < im->in->n_lists &&
	       (im->in->lists[list].n || im->in->lists[list].only);
}

/* The list of all services and the service's own, in the family of its VIP. */
static void guard_lists(
	struct l4_guard *g, const struct image *im, const struct snapshot_service *s)
{
	const struct guard_filters *filters = guard_store_filters(im->guard);
	bool is6 = im->in->addresses[s->address].af == 6;
	const struct guard_family *family = &filters->families[is6];
	uint32_t lists[L4_GUARD_LISTS] = { 0, s->list };
	bool denies = false;

	g->checks |= L4_GUARD_SOURCES;
	g->classes = family->classes;
	g->shorts = family->shorts;
	g->coarse = im->coarse[is6] * (uint32_t)sizeof(struct l4_line);
	g->coarse_starts = family->coarse.starts;
	g->coarse_seed = family->coarse.seed;
	g->coarse_window = family->coarse.window;
	g->fine = filters->fine;
	g->fine_shift = (uint8_t)filters->fine_shift;
	for (int i = 0; i < L4_GUARD_LISTS; i++) {
		const struct guard_place *place = guard_store_place(im->guard, lists[i]);

		if (i == L4_GUARD_OWN && !s->list)
			continue;
		g->lists[i] = is6 ? place->list6 : place->list4;
		g->denies[i] = is6 ? place->denies6 : place->denies4;
		denies |= g->denies[i];
	}
	if (g->checks == L4_GUARD_SOURCES)
		g->others = denies ? L4_V_DENIED : L4_V_FORWARDED;
}

static int image_guard(struct image *im, const struct snapshot_service *s, struct l4_service *row)
{
	struct l4_guard *g;
	bool rates = s->source_rate || s->source_syn_rate;

	if (!s->guard_checks && !rates && !image_has_list(im, 0) && !image_has_list(im, s->list))
		return 0;
	row->guard = image_take(im, 1, "services");
	if (!row->guard)
		return -ENOSPC;
	row->flags |= L4_SERVICE_SHIELDED;
	g = (struct l4_guard *)&im->lines[row->guard];
	g->checks = (uint8_t)(s->guard_checks | (rates ? L4_GUARD_RATES : 0));
	g->service_id = s->id;
	g->rate = tokens(s->source_rate);
	g->syn_rate = tokens(s->source_syn_rate);
	memcpy(g->key, im->in->key, sizeof g->key);
	if (image_has_list(im, 0) || image_has_list(im, s->list))
		guard_lists(g, im, s);
	return 0;
}

/* How many SYNs are no flood yet in a unit of coarse time, which is a little longer than a second. */
static uint32_t syn_limit(uint32_t threshold)
{
	uint64_t n = (((uint64_t)threshold << L4_TIME_SHIFT) + 999999999) / 1000000000;

	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static void image_service_pool(
	const struct image *im, const struct snapshot_service *s, struct l4_service *row)
{
	const struct ring *ring = im->rings[s->pool];

	row->ring_chunk = ring->chunk;
	row->ring_mask = ring->n - 1;
	row->member_base = im->member_lines[s->pool];
	row->n_members = im->pool_serves[s->pool] ? im->in->pools[s->pool].n_members : 0;
	row->flags = (uint8_t)((s->track_all ? L4_SERVICE_TRACK_ALL : 0) |
			       (s->track_none ? L4_SERVICE_UNTRACKED : 0) |
			       (s->quic_id_bytes ? L4_SERVICE_QUIC : 0) |
			       (s->client_affinity ? L4_SERVICE_CLIENT : 0) |
			       (s->reject ? L4_SERVICE_REJECT : 0));
	row->pool_id = im->in->pools[s->pool].id;
	row->idle = image_idle(im, s);
	row->quic_id_bytes = s->quic_id_bytes;
}

/* The row of a service but for its key. */
static int image_service(struct image *im, const struct snapshot_service *s, struct l4_service *row)
{
	row->id = s->id;
	row->vip_id = im->in->addresses[s->address].id;
	row->forward = (uint8_t)s->forward;
	if (s->forward != L4_FORWARD_LOCAL)
		image_service_pool(im, s, row);
	if (s->syn_cookies) {
		row->flags |= L4_SERVICE_COOKIES | L4_SERVICE_SHIELDED;
		row->syn_limit = syn_limit(s->syn_threshold);
	}
	return image_guard(im, s, row);
}

/* What is left of a VIP. */
static int image_rest(
	struct image *im, const struct snapshot_service *s, const struct l4_service *service)
{
	struct l4_address *vip = (struct l4_address *)&im->lines[im->address_base + s->address];

	if (vip->rest)
		return -EINVAL;
	vip->rest = image_take(im, 1, "services");
	if (!vip->rest)
		return -ENOSPC;
	memcpy(&im->lines[vip->rest], service, sizeof *service);
	return 0;
}

/* A row for each port, and one for all ranges. */
static int image_listen(
	struct image *im, const struct snapshot_service *s, const struct l4_service *service)
{
	const struct snapshot_address *vip = &im->in->addresses[s->address];
	uint32_t all = 0;

	for (uint32_t i = 0; i < image_places(s); i++) {
		struct snapshot_range r = image_range(im, s, i);
		struct l4_service *row;

		if (!is_port(r)) {
			if (!all)
				all = image_take(im, 1, "services");
			if (!all)
				return -ENOSPC;
			memcpy(&im->lines[all], service, sizeof *service);
			take_range(&im->taken[im->n_taken++], vip->af, vip->bytes, s->protocol, r,
				all);
			continue;
		}
		row = (struct l4_service *)image_row(im, "services");
		if (!row)
			return -ENOSPC;
		*row = *service;
		image_key(&row->key, vip->af, vip->bytes, r.first, s->protocol, L4_KIND_SERVICE);
	}
	return 0;
}

/* Rows by server ids, where a service of the pool looks for them. */
static int image_quic(struct image *im)
{
	for (uint32_t i = 0; i < im->in->n_pools; i++) {
		const struct snapshot_pool *p = &im->in->pools[i];

		for (uint32_t k = 0; im->pool_quic[i] && k < p->n_members; k++) {
			const struct snapshot_member *m = &im->in->members[p->first_member + k];
			struct l4_quic *row;

			if (!m->has_quic_id)
				continue;
			row = (struct l4_quic *)image_row(im, "servers");
			if (!row)
				return -ENOSPC;
			memcpy(row->key.address, m->quic_id, sizeof row->key.address);
			row->key.port = p->id;
			row->key.kind = L4_KIND_QUIC;
			row->server = m->id;
		}
	}
	return 0;
}

/* What guards look at first, from where their store has made it. */
static int image_filters(struct image *im)
{
	if (!im->guard || !im->in->n_lists)
		return 0;
	for (unsigned i = 0; i < 2; i++) {
		const struct guard_family *f = &guard_store_filters(im->guard)->families[i];
		uint32_t lines = L4_SHORTEST_LINES + f->coarse.n_lines;
		uint32_t first = image_take(im, lines, "guard_prefixes"), size = sizeof *im->lines;

		if (!first)
			return -ENOSPC;
		im->coarse[i] = first + L4_SHORTEST_LINES;
		memcpy(&im->lines[first], f->shortest, L4_SHORTEST_LINES * size);
		memcpy(&im->lines[im->coarse[i]], f->coarse.lines, f->coarse.n_lines * size);
	}
	return 0;
}

int image_services(struct image *im)
{
	int rc = image_filters(im);

	image_pool_idles(im);
	for (uint32_t i = 0; i < im->in->n_services && !rc; i++) {
		const struct snapshot_service *s = &im->in->services[i];
		struct l4_service service = { 0 };

		if (s->forward != L4_FORWARD_LOCAL)
			im->pool_quic[s->pool] |= s->quic_id_bytes > 0;
		rc = image_service(im, s, &service);
		if (!rc)
			rc = s->protocol == L4_PROTO_ANY ? image_rest(im, s, &service)
							 : image_listen(im, s, &service);
		if (!rc && s->forward == L4_FORWARD_NAT)
			rc = image_reverse(im, s);
	}
	if (!rc)
		rc = image_quic(im);
	if (!rc)
		rc = image_taken(im);
	return rc ? rc : image_replies(im);
}
