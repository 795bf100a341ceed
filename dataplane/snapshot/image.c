/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "dataplane/l4/limit.h"
#include "dataplane/snapshot/arrivals.h"
#include "dataplane/snapshot/image.h"
#include "dataplane/snapshot/index.h"
#include "dataplane/snapshot/macs.h"

static uint32_t count_services(const struct snapshot_input *in)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < in->n_services; i++)
		n += image_places(&in->services[i]);
	return n;
}

/* Reverse rows: a server of a nat service needs one per service and port. */
static uint32_t count_reverse(const struct snapshot_input *in)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < in->n_services; i++)
		if (in->services[i].forward == L4_FORWARD_NAT)
			n += (uint64_t)in->pools[in->services[i].pool].n_members *
			     image_places(&in->services[i]);
	return n > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)n;
}

static uint32_t count_quic(const struct snapshot_input *in)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < in->n_members; i++)
		n += in->members[i].has_quic_id;
	return n;
}

uint32_t snapshot_lines(uint32_t addresses, uint32_t services, uint32_t servers,
	uint32_t server_ids, uint32_t pool_ids)
{
	/* An address may have a virtual MAC address. */
	uint32_t rows = 2 * addresses + services + servers + ARRIVALS_MAX, guards = services;
	/* A table with one range takes a line, and each range at most a quarter of one; a server with ranges has a row for
	 * them. */
	uint32_t tables = services + 2 * servers;

	return L4_LINE_FIRST + ARRIVALS_LINES_MAX + index_filter_lines(rows) +
	       index_bucket_lines(rows) + rows + guards + tables + servers +
	       server_ids / L4_LINE_SERVERS + 2 + pool_ids + 1;
}

uint32_t image_take(struct image *im, uint32_t n, const char *what)
{
	uint32_t first = im->used;

	if (n > im->max - im->used) {
		im->what = what;
		return 0;
	}
	im->used += n;
	return first;
}

void image_key(struct l4_key *k, uint8_t af, const uint8_t *bytes, uint16_t port, uint8_t protocol,
	uint8_t kind)
{
	memcpy(k->address, bytes, af == 6 ? 16 : 4);
	k->port = L4_BE16(port);
	k->protocol = protocol;
	k->kind = (uint8_t)(kind | (af == 6 ? L4_KIND_IS6 : 0));
}

uint32_t snapshot_device(const struct snapshot_port *p)
{
	return p->device ? p->device : p->ifindex;
}

void snapshot_tags(const struct snapshot_port *p, uint32_t out[L4_MAX_TAGS])
{
	for (unsigned i = 0; i < L4_MAX_TAGS; i++)
		out[i] = i < p->n_tags
				 ? l4_tag(L4_BE16(p->tags[i].protocol), L4_BE16(p->tags[i].id))
				 : 0;
}

static void image_port(struct image *im, uint32_t line, struct arrival a)
{
	struct l4_port *row = (struct l4_port *)&im->lines[line];

	row->arrival = a.ifindex;
	row->ifindex = a.port->ifindex;
	row->device = snapshot_device(a.port);
	memcpy(row->mac, a.port->mac, sizeof row->mac);
	row->mtu = a.port->mtu;
	row->has_virtual = macs_has_virtual(im->in, a.port);
}

static int image_ports(struct image *im)
{
	struct l4_root *root = (struct l4_root *)&im->lines[L4_LINE_ROOT];
	struct arrival arrivals[ARRIVALS_MAX];
	unsigned n = arrivals_list(im->in, arrivals);
	uint32_t size = arrivals_lines(arrivals, n);
	uint32_t base = size ? image_take(im, size, "interfaces") : 0;

	if (!base) {
		im->what = "interfaces";
		return -ENOSPC;
	}
	root->port_base = base;
	root->port_mask = size - 1;
	for (unsigned i = 0; i < n; i++)
		image_port(im, base + (arrivals[i].ifindex & (size - 1)), arrivals[i]);
	return 0;
}

static int image_index_lines(struct image *im, uint32_t rows)
{
	struct l4_root *root = (struct l4_root *)&im->lines[L4_LINE_ROOT];
	uint32_t filter = index_filter_lines(rows), buckets = index_bucket_lines(rows);

	root->filter_base = image_take(im, filter, "services");
	root->bucket_base = image_take(im, buckets, "services");
	if (!root->filter_base || !root->bucket_base)
		return -ENOSPC;
	root->filter_mask = filter * L4_FILTER_LINE_BITS - 1;
	root->bucket_mask = buckets - 1;
	return 0;
}

uint64_t snapshot_identity(const struct snapshot_member *m)
{
	static const uint64_t key[2] = { 0x6d656d6265722d69, 0 };
	struct l4_sip s = l4_sip_init(key);
	uint64_t words[2];

	memcpy(words, m->bytes, sizeof words);
	l4_sip_word(&s, words[0]);
	l4_sip_word(&s, words[1]);
	l4_sip_word(&s, (uint64_t)19 << 56 | (uint64_t)m->af << 16 | m->port);
	return l4_sip_end(&s);
}

static int image_maglev(struct image *im, uint32_t pool, uint16_t *slots, uint32_t n)
{
	const struct snapshot_pool *p = &im->in->pools[pool];
	struct maglev_member *members = calloc(p->n_members + 1u, sizeof *members);
	int rc;

	if (!members)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->n_members; i++) {
		const struct snapshot_member *m = &im->in->members[p->first_member + i];

		members[i].identity = snapshot_identity(m);
		members[i].weight = m->weight;
	}
	rc = maglev_fill(members, p->n_members, slots, n);
	free(members);
	return rc;
}

/* From ids to the pool's members. A base that serves no flows gives way to the owner. */
static void image_translate(
	const struct image *im, const struct snapshot_pool *p, uint16_t *out, uint32_t planes)
{
	const struct snapshot_slots *t = p->slots;
	uint16_t *base = out + t->n, *since = base + t->n;

	for (uint32_t i = 0; i < t->n; i++) {
		uint16_t owner = im->index_of[t->owner[i]], old;

		out[i] = owner;
		if (planes == RING_SETTLED)
			continue;
		if (t->base[i] == SNAPSHOT_SETTLED) {
			base[i] = owner;
			since[i] = 0;
			continue;
		}
		old = im->index_of[t->base[i]];
		if (old != L4_SLOT_NONE && !im->in->members[p->first_member + old].serves)
			old = L4_SLOT_NONE;
		out[i] = owner | L4_SLOT_TRACKED;
		base[i] = old == L4_SLOT_NONE ? owner : old;
		since[i] = t->since[i];
	}
}

static int image_fill_ring(
	struct image *im, uint32_t pool, uint16_t *slots, uint32_t n, uint32_t planes)
{
	const struct snapshot_pool *p = &im->in->pools[pool];

	if (!p->slots)
		return image_maglev(im, pool, slots, n);
	for (uint32_t i = 0; i < p->n_members; i++)
		im->index_of[im->in->members[p->first_member + i].id] = (uint16_t)i;
	image_translate(im, p, slots, planes);
	for (uint32_t i = 0; i < p->n_members; i++)
		im->index_of[im->in->members[p->first_member + i].id] = L4_SLOT_NONE;
	return 0;
}

static int image_pool_ring(struct image *im, uint32_t pool)
{
	const struct snapshot_pool *p = &im->in->pools[pool];
	uint32_t planes = p->slots && p->slots->n_tracked ? RING_TRACKED : RING_SETTLED;
	uint32_t n = p->slots ? p->slots->n : maglev_slots(p->n_members);
	uint64_t version = p->slots ? p->slots->version : 0;
	uint16_t *slots;
	int rc = ring_store_again(im->store, p->id, version, &im->rings[pool]);

	if (rc == -ENOENT) {
		slots = calloc((size_t)n * planes, sizeof *slots);
		rc = slots ? image_fill_ring(im, pool, slots, n, planes) : -ENOMEM;
		if (!rc)
			rc = ring_store_get(
				im->store, p->id, version, slots, n, planes, &im->rings[pool]);
		free(slots);
	}
	if (rc == -ENOSPC)
		im->what = "ring_slots";
	im->pool_serves[pool] = planes == RING_TRACKED;
	for (uint32_t i = 0; i < p->n_members; i++)
		im->pool_serves[pool] |= im->in->members[p->first_member + i].weight > 0;
	return rc;
}

/* How tunnels to a member are made. The flow's bits are all in the last word of the source. */
static void member_tunnel(struct l4_member *row, const struct snapshot_member *m)
{
	row->wrap = (m->af == 6 ? L4_WRAP_IS6 : 0) | (m->gue_port ? L4_WRAP_GUE : 0);
	row->gue_port = L4_BE16(m->gue_port);
	memcpy(row->source, m->source, m->af == 6 ? 16 : 4);
	if (m->source_bits)
		row->source_mask = L4_BE32(UINT32_MAX >> (L4_SOURCE_BITS - m->source_bits));
	row->source[m->af == 6 ? 3 : 0] &= ~row->source_mask;
	if (!(row->source[0] | row->source[1] | row->source[2] | row->source[3]))
		row->wrap |= L4_WRAP_NONE;
}

static int image_pool_members(struct image *im, uint32_t pool)
{
	const struct snapshot_pool *p = &im->in->pools[pool];
	const struct l4_keys *keys = (const struct l4_keys *)&im->lines[L4_LINE_KEYS];
	uint32_t base = image_take(im, p->n_members, "servers");

	if (!base)
		return -ENOSPC;
	im->member_lines[pool] = base;
	for (uint32_t i = 0; i < p->n_members; i++) {
		const struct snapshot_member *m = &im->in->members[p->first_member + i];
		struct l4_member *row = (struct l4_member *)&im->lines[base + i];
		struct l4_server_lines *servers =
			(struct l4_server_lines *)&im
				->lines[keys->server_base + m->id / L4_LINE_SERVERS];

		memcpy(row->address, m->bytes, m->af == 6 ? 16 : 4);
		row->id = m->id;
		row->port = L4_BE16(m->port);
		row->mtu = m->mtu ? m->mtu : UINT16_MAX;
		row->neighbour = im->neighbours[p->first_member + i];
		if (m->serves)
			servers->lines[m->id % L4_LINE_SERVERS] = base + i;
		member_tunnel(row, m);
	}
	return 0;
}

/* Rows found by stable ids. */
static int image_ids(struct image *im)
{
	struct l4_keys *keys = (struct l4_keys *)&im->lines[L4_LINE_KEYS];

	keys->n_servers = im->max_server + 1;
	keys->n_pools = im->max_pool + 1;
	keys->server_base = image_take(im, keys->n_servers / L4_LINE_SERVERS + 1, "servers");
	keys->pool_base = image_take(im, keys->n_pools, "pools");
	return keys->server_base && keys->pool_base ? 0 : -ENOSPC;
}

static void image_pool_row(struct image *im, uint32_t pool)
{
	const struct l4_keys *keys = (const struct l4_keys *)&im->lines[L4_LINE_KEYS];
	struct l4_pool *row =
		(struct l4_pool *)&im->lines[keys->pool_base + im->in->pools[pool].id];

	row->ring_chunk = im->rings[pool]->chunk;
	row->ring_mask = im->rings[pool]->n - 1;
	row->member_base = im->member_lines[pool];
}

static int image_pools(struct image *im)
{
	for (uint32_t i = 0; i < im->in->n_pools; i++) {
		int rc = image_pool_ring(im, i);

		if (!rc)
			rc = image_pool_members(im, i);
		if (rc)
			return rc;
		image_pool_row(im, i);
	}
	return 0;
}

struct l4_line *image_row(struct image *im, const char *what)
{
	uint32_t line = image_take(im, 1, what);

	if (!line)
		return NULL;
	im->rows[im->n_rows++] = line;
	return &im->lines[line];
}

static int image_addresses(struct image *im)
{
	im->address_base = im->used;
	for (uint32_t i = 0; i < im->in->n_addresses; i++) {
		const struct snapshot_address *a = &im->in->addresses[i];
		struct l4_address *row = (struct l4_address *)image_row(im, "vips");

		if (!row)
			return -ENOSPC;
		image_key(&row->key, a->af, a->bytes, 0, 0, L4_KIND_ADDRESS);
		row->id = a->id;
		row->ifindex = a->ifindex;
		/* Override, and for a gateway: router (RFC 4861, section 4.4). */
		row->nd_flags = a->gateway ? L4_BE32(0xa0000000) : L4_BE32(0x20000000);
		memcpy(row->mac, macs_answer(im->in, a), sizeof row->mac);
	}
	return 0;
}

static int image_macs(struct image *im)
{
	struct l4_root *root = (struct l4_root *)&im->lines[L4_LINE_ROOT];
	struct l4_key *keys = NULL;
	int n = macs_keys(im->in, &keys), rc = n < 0 ? n : 0;

	for (int i = 0; i < n && !rc; i++) {
		struct l4_virtual *row = (struct l4_virtual *)image_row(im, "vips");

		rc = row ? 0 : -ENOSPC;
		if (row)
			row->key = keys[i];
		root->flags |= L4_ROOT_VIRTUAL;
	}
	free(keys);
	return rc;
}

/* The row of a VLAN for frames that come in at the device, or at a part of it. */
static int image_vlan(struct image *im, const struct snapshot_port *p, uint32_t arrival)
{
	uint32_t line = image_take(im, 1, "interfaces");
	struct l4_port *row = (struct l4_port *)&im->lines[line];

	if (!line)
		return -ENOSPC;
	im->rows[im->n_rows++] = line;
	image_port(im, line, (struct arrival){ arrival, p });
	row->key.kind = L4_KIND_PORT;
	row->key.address[0] = arrival;
	snapshot_tags(p, &row->key.address[1]);
	return 0;
}

static int image_vlans(struct image *im)
{
	for (uint32_t i = 0; i < im->in->n_ports; i++) {
		const struct snapshot_port *p = &im->in->ports[i];
		int rc = p->n_tags ? image_vlan(im, p, p->device) : 0;

		for (unsigned k = 0; k < p->n_parts && p->n_tags && !rc; k++)
			rc = image_vlan(im, p, p->parts[k]);
		if (rc)
			return rc;
	}
	return 0;
}

static bool port_is_sound(const struct snapshot_port *p)
{
	if (p->n_tags > L4_MAX_TAGS || p->n_parts > SNAPSHOT_PARTS || (p->n_tags && !p->device))
		return false;
	for (unsigned i = 0; i < p->n_tags; i++)
		if (!p->tags[i].id || p->tags[i].id > 4094)
			return false;
	return true;
}

/* How many rows ports have: frames of each come in at one or more devices. */
static uint32_t count_arrivals(const struct snapshot_input *in)
{
	uint32_t n = in->n_ports;

	for (uint32_t i = 0; i < in->n_ports; i++)
		n += in->ports[i].n_parts;
	return n;
}

static bool ports_are_sound(const struct snapshot_input *in)
{
	for (uint32_t i = 0; i < in->n_ports; i++)
		if (!port_is_sound(&in->ports[i]))
			return false;
	return count_arrivals(in) <= ARRIVALS_MAX;
}

/* Ports are one, or ranges of the input's. */
static bool places_are_sound(const struct snapshot_input *in)
{
	for (uint32_t i = 0; i < in->n_services; i++) {
		const struct snapshot_service *s = &in->services[i];

		if (s->n_ranges && (s->port || s->first_range > in->n_ranges ||
					   s->n_ranges > in->n_ranges - s->first_range))
			return false;
		if (s->protocol == L4_PROTO_ANY &&
			(s->forward == L4_FORWARD_NAT || !s->client_affinity))
			return false;
	}
	return true;
}

/* Cookies are of TCP, for who sees both ways of a connection. */
static bool cookies_are_sound(const struct snapshot_service *s)
{
	return !s->syn_cookies ||
	       (s->protocol == L4_PROTO_TCP &&
		       (s->forward == L4_FORWARD_NAT || s->forward == L4_FORWARD_LOCAL));
}

static bool input_is_sound(const struct snapshot_input *in)
{
	if (!ports_are_sound(in) || !places_are_sound(in))
		return false;
	for (uint32_t i = 0; i < in->n_pools; i++)
		if (in->pools[i].first_member > in->n_members ||
			in->pools[i].n_members > in->n_members - in->pools[i].first_member)
			return false;
	for (uint32_t i = 0; i < in->n_members; i++)
		if (in->members[i].source_bits > L4_SOURCE_BITS)
			return false;
	for (uint32_t i = 0; i < in->n_services; i++)
		if (in->services[i].quic_id_bytes > L4_QUIC_ID_BYTES ||
			(in->services[i].quic_id_bytes && in->services[i].protocol != L4_PROTO_UDP))
			return false;
	for (uint32_t i = 0; i < in->n_services; i++)
		if (in->services[i].address >= in->n_addresses ||
			(in->services[i].pool >= in->n_pools &&
				in->services[i].forward != L4_FORWARD_LOCAL) ||
			(in->services[i].list && in->services[i].list >= in->n_lists) ||
			!cookies_are_sound(&in->services[i]))
			return false;
	for (uint32_t i = 0; i < in->n_members; i++)
		if (in->members[i].id > UINT16_MAX)
			return false;
	return true;
}

static void image_free(struct image *im)
{
	free(im->lines);
	free(im->rings);
	free(im->member_lines);
	free(im->pool_serves);
	free(im->pool_quic);
	free(im->rows);
	free(im->index_of);
	free(im->taken);
	free(im->replies);
}

static int image_alloc(struct image *im, uint32_t rows, uint32_t max_lines)
{
	const struct snapshot_input *in = im->in;

	for (uint32_t i = 0; i < in->n_members; i++)
		if (in->members[i].id > im->max_server)
			im->max_server = in->members[i].id;
	for (uint32_t i = 0; i < in->n_pools; i++)
		if (in->pools[i].id > im->max_pool)
			im->max_pool = in->pools[i].id;
	im->max = snapshot_lines(in->n_addresses, count_services(in),
			  in->n_members + count_reverse(in) + count_quic(in), im->max_server,
			  im->max_pool) +
		  (im->guard && in->n_lists ? guard_filters_lines(guard_store_filters(im->guard))
					    : 0);
	if (im->max > max_lines)
		im->max = max_lines;
	im->lines = calloc(im->max, sizeof *im->lines);
	im->rings = calloc(in->n_pools + 1u, sizeof(struct ring *));
	im->member_lines = calloc(in->n_pools + 1u, sizeof *im->member_lines);
	im->pool_serves = calloc(in->n_pools + 1u, sizeof *im->pool_serves);
	im->pool_quic = calloc(in->n_pools + 1u, sizeof *im->pool_quic);
	im->rows = calloc(rows + 1u, sizeof *im->rows);
	im->index_of = malloc((UINT16_MAX + 1) * sizeof *im->index_of);
	im->taken = calloc(count_services(in) + 1u, sizeof *im->taken);
	im->replies = calloc(in->n_ranges ? count_reverse(in) + 1u : 1u, sizeof *im->replies);
	if (!im->lines || !im->rings || !im->member_lines || !im->pool_serves || !im->pool_quic ||
		!im->rows || !im->index_of || !im->taken || !im->replies)
		return -ENOMEM;
	for (uint32_t i = 0; i <= UINT16_MAX; i++)
		im->index_of[i] = L4_SLOT_NONE;
	return 0;
}

static int image_fill(struct image *im, uint64_t generation, uint32_t rows)
{
	struct l4_root *root = (struct l4_root *)&im->lines[L4_LINE_ROOT];
	int rc;

	root->magic = L4_TABLES_MAGIC;
	root->version = L4_TABLES_VERSION;
	root->generation = generation;
	root->answers = im->in->answers;
	memcpy(root->flow_key, im->in->key, sizeof root->flow_key);
	rc = image_ports(im);
	if (!rc)
		rc = image_index_lines(im, rows);
	if (!rc)
		rc = image_ids(im);
	if (!rc)
		rc = image_pools(im);
	if (!rc)
		rc = image_addresses(im);
	if (!rc)
		rc = image_vlans(im);
	if (!rc)
		rc = image_macs(im);
	if (!rc)
		rc = image_services(im);
	if (!rc)
		rc = index_fill(im->lines, im->rows, im->n_rows);
	root->lines = im->used;
	return rc;
}

static void collect_ring(void *arg, const struct ring *r)
{
	struct snapshot *sn = arg;

	sn->rings[sn->n_rings++] = (struct snapshot_ring){ r->chunk, r->chunks, r->slots };
}

static int image_finish(struct image *im, struct snapshot **out)
{
	struct snapshot *sn = calloc(1, sizeof *sn);

	if (!sn)
		return -ENOMEM;
	sn->rings = calloc(im->in->n_pools ? im->in->n_pools : 1, sizeof *sn->rings);
	if (!sn->rings) {
		free(sn);
		return -ENOMEM;
	}
	ring_store_each_new(im->store, collect_ring, sn);
	sn->image = im->lines;
	sn->lines = im->used;
	im->lines = NULL;
	*out = sn;
	return 0;
}

int snapshot_build(struct ring_store *s, const struct guard_store *guard,
	const struct snapshot_input *in, const uint32_t *neighbours, uint64_t generation,
	uint32_t max_lines, struct snapshot **out, const char **what)
{
	uint32_t rows;
	struct image im = { .in = in,
		.neighbours = neighbours,
		.store = s,
		.guard = guard,
		.used = L4_LINE_FIRST };
	int rc = -EINVAL;

	*what = "";
	*out = NULL;
	if (!input_is_sound(in))
		return rc;
	rows = count_arrivals(in) + in->n_addresses + count_services(in) + count_reverse(in) +
	       count_quic(in) + macs_count(in);
	rc = image_alloc(&im, rows, max_lines);
	if (!rc)
		rc = image_fill(&im, generation, rows);
	if (!rc)
		rc = image_finish(&im, out);
	if (rc)
		snapshot_abort(s, NULL);
	*what = im.what ? im.what : "";
	image_free(&im);
	return rc;
}
