/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/test.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "dataplane/l4/verdict.h"
#include "dataplane/snapshot/guard.h"

enum { MAX = 300, SLOTS = 1 << 16 };

/* A site in plain arrays, and an input that points at them. */
struct site {
	struct snapshot_port ports[3];
	struct snapshot_address addresses[MAX];
	struct snapshot_service services[MAX];
	struct snapshot_pool pools[MAX];
	struct snapshot_member members[MAX];
	uint32_t neighbours[MAX];
	struct snapshot_input in;
};

static struct site site;
static struct l4_chunk rings[SLOTS / L4_CHUNK_SLOTS * 8];

static void random_bytes(uint8_t *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)lrand48();
}

/* VIPs with two services each, every third of IPv6; pools of `per_pool` servers. */
static void make_site(uint32_t n_vips, uint32_t n_pools, uint32_t per_pool)
{
	memset(&site, 0, sizeof site);
	site.in = (struct snapshot_input){ .ports = site.ports,
		.addresses = site.addresses,
		.services = site.services,
		.pools = site.pools,
		.members = site.members,
		.n_ports = 3,
		.n_addresses = n_vips,
		.n_services = 2 * n_vips,
		.n_pools = n_pools,
		.n_members = n_pools * per_pool };
	for (uint32_t i = 0; i < 3; i++) {
		site.ports[i] = (struct snapshot_port){ .ifindex = 2 + 8 * i, .mtu = 1500 };
		random_bytes(site.ports[i].mac, 6);
	}
	for (uint32_t i = 0; i < n_vips; i++) {
		struct snapshot_address *a = &site.addresses[i];

		*a = (struct snapshot_address){ .id = i + 1, .af = i % 3 ? 4 : 6, .ifindex = 2 };
		random_bytes(a->bytes, a->af == 6 ? 16 : 4);
		for (uint32_t k = 0; k < 2; k++)
			site.services[2 * i + k] = (struct snapshot_service){ .id = 2 * i + k + 1,
				.address = i,
				.protocol = k ? 17 : 6,
				.port = 80,
				.forward = L4_FORWARD_DSR,
				.pool = (2 * i + k) % n_pools };
	}
	for (uint32_t p = 0; p < n_pools; p++)
		site.pools[p] =
			(struct snapshot_pool){ p * per_pool, per_pool, (uint16_t)(p + 1), NULL };
	for (uint32_t i = 0; i < n_pools * per_pool; i++) {
		site.members[i] = (struct snapshot_member){ .id = i + 1, .af = 4, .weight = 1 };
		random_bytes(site.members[i].bytes, 4);
		site.neighbours[i] = i;
	}
}

static struct snapshot *build(struct ring_store *s)
{
	struct snapshot *sn = NULL;
	const char *what;

	assert_int_equal(
		snapshot_build(s, NULL, &site.in, site.neighbours, 1, UINT32_MAX, &sn, &what), 0);
	assert_non_null(sn);
	return sn;
}

/* What an engine does with the new rings. */
static void upload(const struct snapshot *sn)
{
	for (uint32_t i = 0; i < sn->n_rings; i++)
		memcpy(&rings[sn->rings[i].chunk], sn->rings[i].slots,
			sn->rings[i].chunks * sizeof *rings);
}

static const struct l4_key *find(const struct l4_line *image, const uint8_t *bytes, uint8_t af,
	uint16_t port, uint8_t protocol, uint8_t kind)
{
	const struct l4_root *root = (const struct l4_root *)&image[L4_LINE_ROOT];
	const uint64_t *k = ((const struct l4_keys *)&image[L4_LINE_KEYS])->k;
	uint32_t address[4] = { 0 }, tail, line, tag, bit;
	uint64_t sum;

	memcpy(address, bytes, af == 6 ? 16 : 4);
	kind |= af == 6;
	tail = l4_key_tail(L4_BE16(port), protocol, kind);
	sum = l4_ml_address(k, af == 6, address);
	bit = (uint32_t)(sum >> 32) & root->filter_mask;
	if (!(image[root->filter_base + bit / 512].words[bit / 64 % 8] >> bit % 64 & 1))
		return NULL;
	tag = l4_ml_end(k, sum, tail);
	line = l4_bucket_find(
		(const struct l4_bucket *)&image[root->bucket_base + (tag & root->bucket_mask)],
		tag);
	if (!line || !l4_key_is((const struct l4_key *)&image[line], address, tail))
		return NULL;
	return (const struct l4_key *)&image[line];
}

static const struct l4_service *find_service(const struct l4_line *image, uint32_t i)
{
	const struct snapshot_service *s = &site.services[i];
	const struct snapshot_address *a = &site.addresses[s->address];

	return (const struct l4_service *)find(
		image, a->bytes, a->af, s->port, s->protocol, L4_KIND_SERVICE);
}

static void test_everything_is_found(void **state)
{
	struct ring_store *s = ring_store_new(SLOTS, MAX);
	struct snapshot *sn;

	(void)state;
	make_site(100, 20, 5);
	sn = build(s);
	for (uint32_t i = 0; i < site.in.n_services; i++) {
		const struct l4_service *row = find_service(sn->image, i);

		assert_non_null(row);
		assert_int_equal(row->id, i + 1);
		assert_int_equal(row->vip_id, site.services[i].address + 1);
		assert_int_equal(row->n_members, 5);
		for (uint32_t m = 0; m < 5; m++) {
			const struct l4_member *member =
				(const struct l4_member *)&sn->image[row->member_base + m];

			assert_int_equal(member->id, site.services[i].pool * 5 + m + 1);
			assert_int_equal(member->neighbour, member->id - 1);
		}
	}
	for (uint32_t i = 0; i < site.in.n_addresses; i++) {
		const struct snapshot_address *a = &site.addresses[i];
		const struct l4_address *row = (const struct l4_address *)find(
			sn->image, a->bytes, a->af, 0, 0, L4_KIND_ADDRESS);

		assert_non_null(row);
		assert_int_equal(row->id, i + 1);
		assert_null(find(sn->image, a->bytes, a->af, 81, 6, L4_KIND_SERVICE));
	}
	snapshot_commit(s, sn);
	ring_store_free(s);
}

static void test_strangers_are_not_found(void **state)
{
	struct ring_store *s = ring_store_new(SLOTS, MAX);
	struct snapshot *sn;

	(void)state;
	make_site(100, 20, 5);
	sn = build(s);
	for (int i = 0; i < 100000; i++) {
		uint8_t bytes[16];

		random_bytes(bytes, sizeof bytes);
		assert_null(find(sn->image, bytes, 6, 0, 0, L4_KIND_ADDRESS));
		assert_null(find(sn->image, bytes, 6, 80, 6, L4_KIND_SERVICE));
	}
	snapshot_commit(s, sn);
	ring_store_free(s);
}

static void test_every_port_has_its_line(void **state)
{
	struct ring_store *s = ring_store_new(SLOTS, MAX);
	const struct l4_root *root;
	struct snapshot *sn;

	(void)state;
	make_site(1, 1, 1);
	sn = build(s);
	root = (const struct l4_root *)&sn->image[L4_LINE_ROOT];
	for (uint32_t i = 0; i < 3; i++) {
		const struct l4_port *p =
			(const struct l4_port *)&sn
				->image[root->port_base +
					(site.ports[i].ifindex & root->port_mask)];

		assert_int_equal(p->ifindex, site.ports[i].ifindex);
		assert_memory_equal(p->mac, site.ports[i].mac, 6);
	}
	assert_int_equal(root->port_mask + 1,
		32); /* 2, 10 and 18 differ in their low 5 bits and not before */
	snapshot_commit(s, sn);
	ring_store_free(s);
}

static const struct l4_port *find_vlan(
	const struct l4_line *image, uint32_t device, uint32_t outer, uint32_t inner)
{
	const uint32_t key[4] = { device, outer, inner, 0 };

	return (const struct l4_port *)find(
		image, (const uint8_t *)key, 6, 0, 0, L4_KIND_PORT & ~L4_KIND_IS6);
}

static const struct l4_port *find_port(const struct l4_line *image, uint32_t ifindex)
{
	const struct l4_root *root = (const struct l4_root *)&image[L4_LINE_ROOT];
	const struct l4_port *p =
		(const struct l4_port *)&image[root->port_base + (ifindex & root->port_mask)];

	return p->arrival == ifindex ? p : NULL;
}

static uint32_t tag_of(uint16_t protocol, uint16_t id)
{
	return l4_tag(L4_BE16(protocol), L4_BE16(id));
}

/* Port 0 is a bond of 101 and 102; port 1 a VLAN on it; port 2 one in another on device 9. */
static void make_vlans(void)
{
	make_site(1, 1, 1);
	site.ports[0].n_parts = site.ports[1].n_parts = 2;
	site.ports[0].parts[0] = site.ports[1].parts[0] = 101;
	site.ports[0].parts[1] = site.ports[1].parts[1] = 102;
	site.ports[1].device = site.ports[0].ifindex;
	site.ports[1].n_tags = 1;
	site.ports[1].tags[0] = (struct snapshot_tag){ 0x8100, 100 };
	site.ports[2].device = 9;
	site.ports[2].n_tags = 2;
	site.ports[2].tags[0] = (struct snapshot_tag){ 0x88a8, 7 };
	site.ports[2].tags[1] = (struct snapshot_tag){ 0x8100, 100 };
}

static void test_vlans_are_found_by_device_and_tags(void **state)
{
	struct ring_store *s = ring_store_new(SLOTS, MAX);
	const uint32_t inner = tag_of(0x8100, 100), outer = tag_of(0x88a8, 7);
	const struct l4_port *p;
	struct snapshot *sn;

	(void)state;
	make_vlans();
	sn = build(s);
	for (unsigned i = 0; i < 3; i++) {
		uint32_t arrival = i ? 100 + i : site.ports[0].ifindex;

		p = find_port(sn->image, arrival);
		assert_non_null(p);
		assert_int_equal(p->ifindex, site.ports[0].ifindex);
		assert_int_equal(p->device, site.ports[0].ifindex);
		p = find_vlan(sn->image, arrival, inner, 0);
		assert_non_null(p);
		assert_int_equal(p->ifindex, site.ports[1].ifindex);
		assert_int_equal(p->device, site.ports[0].ifindex);
	}
	p = find_vlan(sn->image, 9, outer, inner);
	assert_non_null(p);
	assert_int_equal(p->ifindex, site.ports[2].ifindex);
	assert_int_equal(p->device, 9);
	assert_memory_equal(p->mac, site.ports[2].mac, 6);
	assert_non_null(find_port(sn->image, site.ports[2].ifindex)); /* its MTU is asked for so */
	assert_null(find_port(sn->image, 9));
	assert_null(find_vlan(sn->image, 9, inner, outer));
	assert_null(find_vlan(sn->image, 9, outer, 0));
	assert_null(find_vlan(sn->image, 103, inner, 0));
	snapshot_commit(s, sn);
	ring_store_free(s);
}

static void refuse_ports(struct ring_store *s)
{
	uint32_t row = 0;
	struct snapshot *sn;
	const char *what;

	assert_int_equal(
		snapshot_build(s, NULL, &site.in, &row, 1, UINT32_MAX, &sn, &what), -EINVAL);
}

static const struct l4_key *find_mac(
	const struct l4_line *image, uint32_t ifindex, const uint8_t mac[6])
{
	uint32_t key[4] = { ifindex };

	memcpy(&key[1], mac, 6);
	return find(image, (const uint8_t *)key, 6, 0, 0, L4_KIND_MAC & ~L4_KIND_IS6);
}

/* Of the VLAN, and of what has its frames: neither the bond nor its parts have it. */
static void test_virtual_macs(void **state)
{
	static const uint8_t mac[6] = { 0, 0, 0x5e, 0, 1, 10 };
	struct ring_store *s = ring_store_new(SLOTS, MAX);
	const struct snapshot_address *a = &site.addresses[0];
	const struct l4_root *root;
	struct snapshot *sn;

	(void)state;
	make_vlans();
	sn = build(s);
	root = (const struct l4_root *)&sn->image[L4_LINE_ROOT];
	assert_int_equal(root->flags, 0);
	assert_memory_equal(
		((const struct l4_address *)find(sn->image, a->bytes, a->af, 0, 0, L4_KIND_ADDRESS))
			->mac,
		site.ports[0].mac, 6);
	snapshot_commit(s, sn);
	site.addresses[0].ifindex = site.ports[1].ifindex;
	memcpy(site.addresses[0].mac, mac, sizeof mac);
	sn = build(s);
	root = (const struct l4_root *)&sn->image[L4_LINE_ROOT];
	assert_int_equal(root->flags, L4_ROOT_VIRTUAL);
	assert_true(find_vlan(sn->image, 101, tag_of(0x8100, 100), 0)->has_virtual);
	assert_false(find_port(sn->image, 101)->has_virtual);
	assert_non_null(find_mac(sn->image, site.ports[1].ifindex, mac));
	assert_null(find_mac(sn->image, site.ports[0].ifindex, mac));
	assert_null(find_mac(sn->image, site.ports[1].ifindex, site.ports[1].mac));
	assert_memory_equal(
		((const struct l4_address *)find(sn->image, a->bytes, a->af, 0, 0, L4_KIND_ADDRESS))
			->mac,
		mac, 6);
	snapshot_commit(s, sn);
	ring_store_free(s);
}

static void test_vlans_that_contradict_themselves(void **state)
{
	struct ring_store *s = ring_store_new(SLOTS, MAX);

	(void)state;
	make_vlans();
	site.ports[1].device = 0;
	refuse_ports(s);
	make_vlans();
	site.ports[1].tags[0].id = 0;
	refuse_ports(s);
	make_vlans();
	site.ports[1].tags[0].id = 4095;
	refuse_ports(s);
	make_vlans();
	site.ports[2].n_tags = 3;
	refuse_ports(s);
	make_vlans();
	site.ports[0].n_parts = SNAPSHOT_PARTS + 1;
	refuse_ports(s);
	make_vlans();
	site.ports[2].tags[0] = site.ports[2].tags[1];
	site.ports[2].n_tags = 1;
	site.ports[2].device = site.ports[0].ifindex; /* twice the same VLAN */
	refuse_ports(s);
	ring_store_free(s);
}

static void test_reverse_rows(void **state)
{
	struct ring_store *s = ring_store_new(SLOTS, MAX);
	const struct l4_reverse *row;
	struct snapshot *sn;

	(void)state;
	make_site(2, 2, 3);
	site.services[2].forward = L4_FORWARD_NAT; /* of VIP 1, TCP, pool 0 */
	site.members[0].port = 8080;
	sn = build(s);
	row = (const struct l4_reverse *)find(
		sn->image, site.members[0].bytes, 4, 8080, 6, L4_KIND_REVERSE);
	assert_non_null(row);
	assert_int_equal(row->vip_port, L4_BE16(80));
	assert_memory_equal(row->vip, site.addresses[1].bytes, 4);
	assert_non_null(find(sn->image, site.members[1].bytes, 4, 80, 6, L4_KIND_REVERSE));
	assert_null(find(sn->image, site.members[1].bytes, 4, 80, 17, L4_KIND_REVERSE));
	assert_null(find(sn->image, site.members[3].bytes, 4, 80, 6, L4_KIND_REVERSE));
	snapshot_commit(s, sn);
	ring_store_free(s);
}

static void test_a_pool_without_servers(void **state)
{
	struct ring_store *s = ring_store_new(SLOTS, MAX);
	struct snapshot *sn;

	(void)state;
	make_site(2, 2, 2);
	site.members[0].weight = site.members[1].weight = 0;
	sn = build(s);
	assert_int_equal(find_service(sn->image, 0)->n_members, 0);
	assert_int_equal(find_service(sn->image, 1)->n_members, 2);
	snapshot_commit(s, sn);
	ring_store_free(s);
}

static void test_pools_with_the_same_members_share_a_ring(void **state)
{
	struct ring_store *s = ring_store_new(SLOTS, MAX);
	struct snapshot *sn;

	(void)state;
	make_site(2, 2, 4);
	memcpy(&site.members[4], &site.members[0], 4 * sizeof *site.members);
	sn = build(s);
	assert_int_equal(sn->n_rings, 1);
	assert_int_equal(
		find_service(sn->image, 0)->ring_chunk, find_service(sn->image, 1)->ring_chunk);
	snapshot_commit(s, sn);
	ring_store_free(s);
}

/* What packets use must not be written: a changed ring goes elsewhere, unchanged ones stay where they are, and
 * an aborted build leaves no trace. */
static void test_generations(void **state)
{
	struct ring_store *s = ring_store_new(SLOTS, MAX);
	uint32_t chunk[2];
	struct snapshot *sn;

	(void)state;
	make_site(2, 2, 4);
	sn = build(s);
	assert_int_equal(sn->n_rings, 2);
	chunk[0] = find_service(sn->image, 0)->ring_chunk;
	chunk[1] = find_service(sn->image, 1)->ring_chunk;
	snapshot_commit(s, sn);

	site.members[0].weight = 0;
	sn = build(s);
	assert_int_equal(sn->n_rings, 1);
	assert_int_not_equal(find_service(sn->image, 0)->ring_chunk, chunk[0]);
	assert_int_equal(find_service(sn->image, 1)->ring_chunk, chunk[1]);
	snapshot_abort(s, sn);

	site.members[0].weight = 1;
	sn = build(s);
	assert_int_equal(sn->n_rings, 0);
	assert_int_equal(find_service(sn->image, 0)->ring_chunk, chunk[0]);
	snapshot_commit(s, sn);
	ring_store_free(s);
}

/* Random changes: the published rings are at every moment what Maglev says, and nothing ever leaks. */
static void test_random_generations(void **state)
{
	struct ring_store *s = ring_store_new(SLOTS, MAX);

	(void)state;
	make_site(10, 10, 20); /* 10 rings of 2,048 slots: a third of the store */
	for (int round = 0; round < 500; round++) {
		uint32_t m = (uint32_t)(lrand48() % site.in.n_members);
		struct snapshot *sn;

		site.members[m].weight = (uint16_t)(lrand48() % 3);
		sn = build(s);
		upload(sn);
		for (uint32_t i = 0; i < site.in.n_services; i++) {
			const struct l4_service *row = find_service(sn->image, i);
			const uint16_t *slots = rings[row->ring_chunk].slots;
			bool seen[20] = { false };

			for (uint32_t k = 0; k <= row->ring_mask; k++)
				seen[slots[k]] = true;
			for (uint32_t k = 0; k < 20; k++)
				assert_int_equal(seen[k],
					site.members[site.services[i].pool * 20 + k].weight > 0);
		}
		if (lrand48() % 4)
			snapshot_commit(s, sn);
		else
			snapshot_abort(s, sn);
	}
	ring_store_free(s);
}

static void test_full(void **state)
{
	struct ring_store *s = ring_store_new(1024, MAX);
	struct snapshot *sn;
	const char *what;

	(void)state;
	make_site(5, 5, 2); /* 5 rings of 256 slots */
	assert_int_equal(
		snapshot_build(s, NULL, &site.in, site.neighbours, 1, UINT32_MAX, &sn, &what),
		-ENOSPC);
	assert_string_equal(what, "ring_slots");
	make_site(4, 4, 2);
	snapshot_commit(s, build(s)); /* what was taken before the failure is free again */
	/* Every ring can be replaced at once. */
	for (uint32_t i = 0; i < site.in.n_members; i++)
		site.members[i].weight = 7;
	site.members[0].weight = site.members[2].weight = site.members[4].weight =
		site.members[6].weight = 5;
	sn = build(s);
	assert_int_equal(sn->n_rings, 4);
	snapshot_commit(s, sn);
	assert_int_equal(
		snapshot_build(s, NULL, &site.in, site.neighbours, 1, 40, &sn, &what), -ENOSPC);
	assert_string_not_equal(what, "");
	ring_store_free(s);
}

static void test_inputs_that_contradict_themselves(void **state)
{
	struct ring_store *s = ring_store_new(SLOTS, MAX);
	struct snapshot *sn;
	const char *what;

	(void)state;
	make_site(3, 2, 2);
	site.services[1].pool = 2;
	assert_int_equal(
		snapshot_build(s, NULL, &site.in, site.neighbours, 1, UINT32_MAX, &sn, &what),
		-EINVAL);
	make_site(3, 2, 2);
	site.pools[1].first_member = 3;
	assert_int_equal(
		snapshot_build(s, NULL, &site.in, site.neighbours, 1, UINT32_MAX, &sn, &what),
		-EINVAL);
	make_site(3, 2, 2);
	site.addresses[2] = site.addresses[1]; /* both of IPv4: two rows with one key */
	site.addresses[2].af = site.addresses[1].af;
	assert_int_equal(
		snapshot_build(s, NULL, &site.in, site.neighbours, 1, UINT32_MAX, &sn, &what),
		-EINVAL);
	ring_store_free(s);
}

/* A service of the host's own stack has no pool. */
static void test_local(void **state)
{
	struct ring_store *s = ring_store_new(SLOTS, MAX);
	const struct l4_service *row;
	struct snapshot *sn;
	const char *what;

	(void)state;
	make_site(3, 2, 2);
	site.services[1].forward = L4_FORWARD_LOCAL;
	site.services[1].pool = UINT32_MAX;
	site.services[1].guard_checks = L4_GUARD_LAND;
	sn = build(s);
	row = find_service(sn->image, 1);
	assert_non_null(row);
	assert_int_equal(row->forward, L4_FORWARD_LOCAL);
	assert_int_equal(row->id, 2);
	assert_int_equal(row->n_members, 0);
	assert_true(row->guard);
	snapshot_commit(s, sn);
	site.services[1].forward = L4_FORWARD_DSR;
	assert_int_equal(
		snapshot_build(s, NULL, &site.in, site.neighbours, 1, UINT32_MAX, &sn, &what),
		-EINVAL);
	ring_store_free(s);
}

/* Filters of lists are a part of the image, which has room for as many as the store has. */
static void test_filters(void **state)
{
	enum { LIMIT = 100, SHORTEST = (1 << L4_SHORTEST_BITS) / 8, FEW = 2 * L4_SHORTEST_LINES };
	static struct snapshot_prefix prefixes[LIMIT];
	struct snapshot_list list = { .prefixes = prefixes, .n = LIMIT, .digest = 1 };
	struct l4_line *lines = calloc(guard_store_lines(LIMIT), sizeof *lines);
	struct guard_store *guard = guard_store_new(lines, LIMIT);
	struct ring_store *s = ring_store_new(SLOTS, MAX);
	const struct guard_family *f;
	const struct l4_guard *g;
	const uint8_t *at;
	struct snapshot *sn;
	const char *what;

	(void)state;
	for (int i = 0; i < LIMIT; i++)
		prefixes[i] = (struct snapshot_prefix){ i & 1 ? 6 : 4, { (uint8_t)i },
			i & 2 ? 16 : 32, false };
	make_site(3, 2, 2);
	site.in.lists = &list;
	site.in.n_lists = 1;
	assert_int_equal(guard_store_take(guard, &site.in), 0);
	assert_in_range(guard_filters_lines(guard_store_filters(guard)), 2 * L4_SHORTEST_LINES + 2,
		guard_store_image_lines(LIMIT));
	assert_int_equal(
		snapshot_build(s, guard, &site.in, site.neighbours, 1, UINT32_MAX, &sn, &what), 0);
	g = (const struct l4_guard *)&sn->image[find_service(sn->image, 0)->guard];
	f = &guard_store_filters(guard)->families[site.addresses[0].af == 6];
	assert_int_equal(g->others, L4_V_FORWARDED);
	at = (const uint8_t *)sn->image + g->coarse;
	assert_memory_equal(at, f->coarse.lines, f->coarse.n_lines * sizeof *lines);
	assert_memory_equal(at - SHORTEST, f->shortest, SHORTEST);
	snapshot_commit(s, sn);
	assert_int_equal(
		snapshot_build(s, guard, &site.in, site.neighbours, 1, FEW, &sn, &what), -ENOSPC);
	assert_string_equal(what, "guard_prefixes");
	guard_store_free(guard);
	ring_store_free(s);
	free(lines);
}

static const struct l4_member *member_of(const struct snapshot *sn, uint32_t service)
{
	return (const struct l4_member *)&sn->image[find_service(sn->image, service)->member_base];
}

/* What tunnels need, and what refused packets get. */
static void test_tunnels_and_answers(void **state)
{
	struct ring_store *s = ring_store_new(SLOTS, MAX);
	const struct l4_member *m;
	struct snapshot *sn;
	const char *what;

	(void)state;
	make_site(3, 2, 2);
	site.in.answers = 77;
	site.services[1].forward = L4_FORWARD_TUNNEL;
	site.services[1].reject = true;
	memcpy(site.members[0].source, "\x0a\x09\xff\xff", 4);
	site.members[0].source_bits = 16;
	site.members[2].af = 6;
	memset(site.members[2].source, 0xfd, 16);
	site.members[2].source_bits = 32;
	site.members[3].gue_port = 6081;
	sn = build(s);
	assert_int_equal(((const struct l4_root *)sn->image)->answers, 77);
	assert_int_equal(find_service(sn->image, 0)->flags & L4_SERVICE_REJECT, 0);
	assert_int_equal(find_service(sn->image, 1)->flags & L4_SERVICE_REJECT, L4_SERVICE_REJECT);
	assert_int_equal(find_service(sn->image, 1)->forward, L4_FORWARD_TUNNEL);
	m = member_of(sn, 0);
	assert_memory_equal(m->source, "\x0a\x09\0\0", 4); /* the flow's bits are free */
	assert_int_equal(m->source_mask, L4_BE32(0xffff));
	assert_int_equal(m->wrap, 0);
	m = member_of(sn, 1);
	assert_memory_equal(
		m->source, "\xfd\xfd\xfd\xfd\xfd\xfd\xfd\xfd\xfd\xfd\xfd\xfd\0\0\0\0", 16);
	assert_int_equal(m->source_mask, UINT32_MAX);
	assert_int_equal(m->wrap, L4_WRAP_IS6);
	assert_int_equal(m->gue_port, 0);
	assert_int_equal(m[1].source_mask, 0);
	assert_int_equal(m[1].wrap, L4_WRAP_GUE | L4_WRAP_NONE); /* it comes from nowhere */
	assert_int_equal(m[1].gue_port, L4_BE16(6081));
	snapshot_commit(s, sn);
	site.members[0].source_bits = 33;
	assert_int_equal(
		snapshot_build(s, NULL, &site.in, site.neighbours, 1, UINT32_MAX, &sn, &what),
		-EINVAL);
	ring_store_free(s);
}

static void test_lines_are_enough(void **state)
{
	struct ring_store *s = ring_store_new(SLOTS, MAX);
	struct snapshot *sn;
	const char *what;

	(void)state;
	make_site(140, 100, 3);
	for (uint32_t i = 0; i < 100; i++)
		site.services[i].forward = L4_FORWARD_NAT;
	for (uint32_t i = 0; i < 140; i++)
		site.addresses[i].mac[5] = (uint8_t)(i + 1);
	assert_int_equal(snapshot_build(s, NULL, &site.in, site.neighbours, 1,
				 snapshot_lines(140, 280, 300, 300, MAX), &sn, &what),
		0);
	snapshot_commit(s, sn);
	ring_store_free(s);
}

/* A slot table for a pool, kept until the next one for it: every slot is `owner`'s, and those before n_tracked have
 * the base. */
static void give_table(uint32_t pool, uint32_t n, uint16_t owner, uint16_t base, uint32_t n_tracked,
	uint64_t version)
{
	static struct snapshot_slots tables[8];
	static uint16_t planes[8][3][2048];
	struct snapshot_slots *t = &tables[pool];

	assert_true(n <= 2048);
	*t = (struct snapshot_slots){
		.n = n,
		.n_tracked = n_tracked,
		.owner = planes[pool][0],
		.base = planes[pool][1],
		.since = planes[pool][2],
		.version = version,
	};
	for (uint32_t i = 0; i < n; i++) {
		planes[pool][0][i] = owner;
		planes[pool][1][i] = i < n_tracked ? base : SNAPSHOT_SETTLED;
		planes[pool][2][i] = (uint16_t)(i + 7);
	}
	site.pools[pool].slots = t;
}

static uint16_t slot_at(const struct l4_service *row, uint32_t plane, uint32_t slot)
{
	uint32_t n = row->ring_mask + 1;

	return rings[row->ring_chunk + plane * (n / L4_CHUNK_SLOTS) + slot / L4_CHUNK_SLOTS]
		.slots[slot % L4_CHUNK_SLOTS];
}

/* Members 0 to 3 of pool 0 have the ids 1 to 4, of pool 1 the ids 5 to 8. */
static void test_tables_become_member_indices(void **state)
{
	struct ring_store *s = ring_store_new(SLOTS, MAX);
	const struct l4_service *row;
	struct snapshot *sn;

	(void)state;
	make_site(2, 2, 4);
	for (uint32_t i = 0; i < 8; i++)
		site.members[i].serves = i != 3;
	give_table(0, 512, 2, 3, 100, 1); /* base: the third */
	give_table(1, 512, 8, 0, 0, 2);
	sn = build(s);
	upload(sn);
	row = find_service(sn->image, 0);
	assert_int_equal(row->ring_mask, 511);
	for (uint32_t i = 0; i < 512; i++) {
		assert_int_equal(slot_at(row, 0, i), i < 100 ? (1 | L4_SLOT_TRACKED) : 1);
		assert_int_equal(slot_at(row, 1, i), i < 100 ? 2 : 1);
		assert_int_equal(slot_at(row, 2, i), i < 100 ? i + 7 : 0);
	}
	row = find_service(sn->image, 1);
	for (uint32_t i = 0; i < 512; i++)
		assert_int_equal(slot_at(row, 0, i), 3);
	assert_int_equal(sn->rings[0].chunks + sn->rings[1].chunks, 2 * 3 + 2);
	snapshot_commit(s, sn);
	ring_store_free(s);
}

/* Nobody, a server of another pool, one that is not there, one that serves no flows. */
static void test_sides_that_cannot_be(void **state)
{
	static const uint16_t no_base[] = { 0, 5, 299, UINT16_MAX - 1, 4 };
	struct ring_store *s = ring_store_new(SLOTS, MAX);
	const struct l4_service *row;
	struct snapshot *sn;

	(void)state;
	make_site(2, 2, 4);
	for (uint32_t i = 0; i < 8; i++)
		site.members[i].serves = i != 3;
	for (size_t i = 0; i < sizeof no_base / sizeof *no_base; i++) {
		give_table(0, 512, 2, no_base[i], 512, i + 1);
		sn = build(s);
		upload(sn);
		row = find_service(sn->image, 0);
		assert_int_equal(slot_at(row, 0, 9), 1 | L4_SLOT_TRACKED);
		assert_int_equal(slot_at(row, 1, 9), 1);
		snapshot_commit(s, sn);
	}
	for (size_t i = 0; i < 4; i++) {
		give_table(0, 512, no_base[i], 3, 256, 10 + i);
		sn = build(s);
		upload(sn);
		row = find_service(sn->image, 0);
		assert_int_equal(slot_at(row, 0, 9), L4_SLOT_NONE | L4_SLOT_TRACKED);
		assert_int_equal(slot_at(row, 1, 9), 2);
		assert_int_equal(slot_at(row, 0, 300), L4_SLOT_NONE);
		assert_int_equal(row->n_members, 4);
		snapshot_commit(s, sn);
	}
	ring_store_free(s);
}

/* A pool of drained servers has flows as long as a slot is tracked. */
static void test_drained_pools(void **state)
{
	struct ring_store *s = ring_store_new(SLOTS, MAX);
	struct snapshot *sn;

	(void)state;
	make_site(2, 2, 2);
	for (uint32_t i = 0; i < 4; i++) {
		site.members[i].weight = 0;
		site.members[i].serves = true;
	}
	give_table(0, 256, 0, 1, 1, 1);
	give_table(1, 256, 0, 0, 0, 2);
	sn = build(s);
	assert_int_equal(find_service(sn->image, 0)->n_members, 2);
	assert_int_equal(find_service(sn->image, 1)->n_members, 0);
	snapshot_commit(s, sn);
	ring_store_free(s);
}

/* A table of a known version is not even looked at; another one is, and lies elsewhere while packets use the first. */
static void test_versions_are_remembered(void **state)
{
	struct ring_store *s = ring_store_new(SLOTS, MAX);
	uint32_t chunk[2];
	struct snapshot *sn;

	(void)state;
	make_site(2, 2, 4);
	give_table(0, 512, 1, 2, 512, 1);
	give_table(1, 512, 6, 5, 512, 2);
	sn = build(s);
	assert_int_equal(sn->n_rings, 2);
	chunk[0] = find_service(sn->image, 0)->ring_chunk;
	chunk[1] = find_service(sn->image, 1)->ring_chunk;
	snapshot_commit(s, sn);

	give_table(0, 512, 3, 4, 512, 1);
	sn = build(s);
	assert_int_equal(sn->n_rings, 0);
	assert_int_equal(find_service(sn->image, 0)->ring_chunk, chunk[0]);
	snapshot_commit(s, sn);

	give_table(0, 512, 3, 4, 512, 3);
	sn = build(s);
	assert_int_equal(sn->n_rings, 1);
	assert_int_not_equal(find_service(sn->image, 0)->ring_chunk, chunk[0]);
	assert_int_equal(find_service(sn->image, 1)->ring_chunk, chunk[1]);
	snapshot_abort(s, sn);

	/* What was not published is not remembered. */
	sn = build(s);
	assert_int_equal(sn->n_rings, 1);
	snapshot_commit(s, sn);
	sn = build(s);
	assert_int_equal(sn->n_rings, 0);
	snapshot_commit(s, sn);
	ring_store_free(s);
}

/* Settled tables that say the same are one ring, tracked ones with other times are not. */
static void test_which_tables_are_shared(void **state)
{
	struct ring_store *s = ring_store_new(SLOTS, MAX);
	struct snapshot *sn;

	(void)state;
	make_site(2, 2, 4);
	for (uint32_t i = 0; i < 8; i++)
		site.members[i].serves = true;
	give_table(0, 512, 2, 0, 0, 1);
	give_table(1, 512, 6, 0, 0, 2);
	sn = build(s);
	assert_int_equal(sn->n_rings, 1);
	snapshot_commit(s, sn);
	give_table(0, 512, 2, 1, 1, 3);
	give_table(1, 512, 6, 0, 0, 2);
	sn = build(s);
	assert_int_equal(sn->n_rings, 1);
	assert_int_equal(sn->rings[0].chunks, 6);
	assert_int_not_equal(
		find_service(sn->image, 0)->ring_chunk, find_service(sn->image, 1)->ring_chunk);
	snapshot_commit(s, sn);
	ring_store_free(s);
}

/* limits.ring_slots counts owners: what it allows fits with all planes, and with all of them replaced at once,
 * again and again. */
static void test_room_for_all_planes_twice(void **state)
{
	struct ring_store *s = ring_store_new(2048, MAX);
	uint64_t version = 0;
	struct snapshot *sn;
	const char *what;

	(void)state;
	make_site(4, 4, 4);
	for (int round = 0; round < 20; round++) {
		for (uint32_t p = 0; p < 4; p++)
			give_table(p, 512, (uint16_t)(4 * p + 1), (uint16_t)(4 * p + 2),
				(uint32_t)(round + 1) * 7 + p, ++version);
		sn = build(s);
		assert_int_equal(sn->n_rings, 4);
		snapshot_commit(s, sn);
	}
	give_table(0, 1024, 1, 2, 1, ++version);
	assert_int_equal(
		snapshot_build(s, NULL, &site.in, site.neighbours, 1, UINT32_MAX, &sn, &what),
		-ENOSPC);
	assert_string_equal(what, "ring_slots");
	give_table(0, 512, 1, 2, 1, ++version);
	snapshot_commit(s, build(s));
	ring_store_free(s);
}

/* A pool's table grows and shrinks in the midst of others. */
static void test_tables_of_changing_size(void **state)
{
	static const uint32_t sizes[] = { 256, 512, 1024, 2048, 512 };
	struct ring_store *s = ring_store_new(4096, MAX);
	struct snapshot *sn;

	(void)state;
	make_site(2, 2, 2);
	give_table(1, 256, 3, 4, 256, 1000);
	for (int round = 0; round < 50; round++) {
		uint32_t n = sizes[round % 5];

		give_table(0, n, 1, 2, round % 2 ? n : 0, (uint64_t)round + 1);
		sn = build(s);
		upload(sn);
		assert_int_equal(find_service(sn->image, 0)->ring_mask, n - 1);
		assert_int_equal(slot_at(find_service(sn->image, 0), 0, n - 1),
			round % 2 ? L4_SLOT_TRACKED : 0);
		assert_int_equal(slot_at(find_service(sn->image, 1), 1, 255), 0);
		snapshot_commit(s, sn);
	}
	ring_store_free(s);
}

static const struct l4_pool *pool_row(const struct snapshot *sn, uint16_t id)
{
	const struct l4_keys *keys = (const struct l4_keys *)&sn->image[L4_LINE_KEYS];

	assert_true(id < keys->n_pools);
	return (const struct l4_pool *)&sn->image[keys->pool_base + id];
}

static uint32_t server_line(const struct snapshot *sn, uint16_t id)
{
	const struct l4_keys *keys = (const struct l4_keys *)&sn->image[L4_LINE_KEYS];
	const struct l4_server_lines *l = (const struct l4_server_lines *)&sn
						  ->image[keys->server_base + id / L4_LINE_SERVERS];

	assert_true(id < keys->n_servers);
	return l->lines[id % L4_LINE_SERVERS];
}

static void test_rows_by_id(void **state)
{
	struct ring_store *s = ring_store_new(SLOTS, MAX);
	const struct l4_service *row;
	struct snapshot *sn;

	(void)state;
	make_site(2, 2, 4); /* services 0 and 2 use pool 0, TCP; 1 and 3 pool 1, UDP */
	for (uint32_t i = 0; i < 8; i++)
		site.members[i].serves = i != 3;
	site.members[5].id = 200;
	site.pools[1].id = 17;
	site.services[0].idle_s = 10;
	site.services[2].idle_s = 100;
	sn = build(s);
	row = find_service(sn->image, 0);
	assert_int_equal(row->pool_id, 1);
	assert_int_equal(row->idle, 10); /* 9.31 units, rounded up */
	assert_int_equal(find_service(sn->image, 2)->idle, 94);
	assert_int_equal(find_service(sn->image, 1)->idle, 56); /* 60 s */
	assert_int_equal(pool_row(sn, 1)->idle, 94);
	assert_int_equal(pool_row(sn, 17)->idle, 56);
	assert_int_equal(pool_row(sn, 1)->ring_chunk, row->ring_chunk);
	assert_int_equal(pool_row(sn, 1)->ring_mask, row->ring_mask);
	assert_int_equal(pool_row(sn, 1)->member_base, row->member_base);
	assert_int_equal(pool_row(sn, 16)->ring_mask, 0);
	assert_int_equal(server_line(sn, 1), row->member_base);
	assert_int_equal(server_line(sn, 3), row->member_base + 2);
	assert_int_equal(server_line(sn, 4), 0); /* serves no flows */
	assert_int_equal(server_line(sn, 200), pool_row(sn, 17)->member_base + 1);
	assert_int_equal(server_line(sn, 199), 0);
	assert_int_equal(server_line(sn, 0), 0);
	snapshot_commit(s, sn);
	ring_store_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_is_found),
		cmocka_unit_test(test_strangers_are_not_found),
		cmocka_unit_test(test_every_port_has_its_line),
		cmocka_unit_test(test_vlans_are_found_by_device_and_tags),
		cmocka_unit_test(test_virtual_macs),
		cmocka_unit_test(test_vlans_that_contradict_themselves),
		cmocka_unit_test(test_reverse_rows),
		cmocka_unit_test(test_a_pool_without_servers),
		cmocka_unit_test(test_pools_with_the_same_members_share_a_ring),
		cmocka_unit_test(test_generations),
		cmocka_unit_test(test_random_generations),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_inputs_that_contradict_themselves),
		cmocka_unit_test(test_local),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_tunnels_and_answers),
		cmocka_unit_test(test_lines_are_enough),
		cmocka_unit_test(test_tables_become_member_indices),
		cmocka_unit_test(test_sides_that_cannot_be),
		cmocka_unit_test(test_drained_pools),
		cmocka_unit_test(test_versions_are_remembered),
		cmocka_unit_test(test_which_tables_are_shared),
		cmocka_unit_test(test_room_for_all_planes_twice),
		cmocka_unit_test(test_tables_of_changing_size),
		cmocka_unit_test(test_rows_by_id),
	};

	srand48(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
