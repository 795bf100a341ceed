/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether the DPDK engine that answers can serve this control plane: its tables are large enough, its interfaces ours. */
#include <errno.h>
#include <string.h>
#include "controlplane/base/log.h"
#include "controlplane/engine/dpdk_body.h"
#include "dataplane/l4/datagram.h"

void dpdk_need(struct dpdk *d, const struct engine *en, const struct engine_options *o)
{
	struct dpdk_needs *n = &d->needs;

	n->limits = *o->limits;
	n->lines = en->image_lines;
	n->chunks = en->ring_chunks;
	n->guard = en->guard_lines;
	for (unsigned i = 0; i < o->n_links && i < ENGINE_MAX_PORTS; i++) {
		n->ports[i].ifindex = o->devices ? o->devices[i]->ifindex : o->links[i]->ifindex;
		memcpy(n->ports[i].name, o->links[i]->name, sizeof n->ports[i].name);
		n->n_ports++;
	}
}

static int too_small(const char *limit, struct err *e)
{
	return err_set(e, -ENOSPC,
		"tandem-dpdk was started with other limits, and its tables are too small (limits.%s): "
		"restart it, so that it reads them",
		limit);
}

int dpdk_check_room(const struct dpdk_needs *n, const struct protocol_hello *h, struct err *e)
{
	if (h->lines < n->lines)
		return too_small("vips, services, servers, pools or guard_prefixes", e);
	if (h->chunks < n->chunks)
		return too_small("ring_slots", e);
	if (h->guard < n->guard)
		return too_small("guard_prefixes", e);
	return h->routes < n->limits.routes ? too_small("routes", e) : 0;
}

static const struct protocol_port *find_port(const struct protocol_hello *h, uint32_t ifindex)
{
	for (uint32_t i = 0; i < h->n_ports; i++)
		if (h->ports[i].ifindex == ifindex)
			return &h->ports[i];
	return NULL;
}

int dpdk_check_hello(const struct dpdk *d, const struct protocol_hello *h, struct err *e)
{
	const struct dpdk_needs *n = &d->needs;

	if (h->n_ports > PROTOCOL_PORTS || h->bank >= STORE_BANKS)
		return err_set(
			e, -EPROTO, "the DPDK engine says what cannot be: restart tandem-dpdk");
	for (unsigned i = 0; i < n->n_ports; i++)
		if (!find_port(h, n->ports[i].ifindex))
			return err_set(e, -ENODEV,
				"tandem-dpdk does not run interface %.*s: restart it, so that it "
				"reads which interfaces there are",
				IF_NAMESIZE, n->ports[i].name);
	return dpdk_check_room(n, h, e);
}

/* Nothing works with less of these. */
static int check_rows(const struct dpdk *d, struct err *e)
{
	const struct conf_limits *l = &d->needs.limits;
	const struct {
		enum store_kind kind;
		uint32_t rows;
		const char *limit;
	} needed[] = {
		{ STORE_NEIGHBOURS, l->neighbours, "neighbours" },
		{ STORE_FLOODS, l->services + 1, "services" },
		{ STORE_SERVICES, l->services + 1, "services" },
		{ STORE_SERVICE_DROPS, l->services + 1, "services" },
		{ STORE_SERVERS, l->servers + 1, "servers" },
		{ STORE_VIP_DROPS, l->vips + 1, "vips" },
	};

	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (d->store.tables[needed[i].kind].rows < needed[i].rows)
			return too_small(needed[i].limit, e);
	return 0;
}

/* Tables that work in any size, but were wanted larger: an engine keeps them while anything lives there. */
static void tell_smaller(const struct dpdk *d)
{
	const struct conf_limits *l = &d->needs.limits;
	const struct {
		enum store_kind kind;
		uint32_t entries, bucket;
		const char *limit;
	} wanted[] = {
		{ STORE_RECORDS, l->records, L4_BUCKET_RECORDS, "records" },
		{ STORE_SOURCES, l->guard_sources, L4_BUCKET_SOURCES, "guard_sources" },
		{ STORE_DATAGRAMS, l->datagrams, L4_BUCKET_DATAGRAMS, "datagrams" },
		{ STORE_PROXIED, l->syn_proxied, L4_BUCKET_PROXIED, "syn_proxied" },
	};

	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		if ((uint64_t)d->store.tables[wanted[i].kind].rows * wanted[i].bucket <
			wanted[i].entries)
			log_warn(
				"the DPDK engine has a smaller table than limits.%s says: it counts "
				"from the next start of tandem-dpdk that finds the table empty",
				wanted[i].limit);
}

static int check_store(const struct dpdk *d, struct err *e)
{
	const struct store_table *t = d->store.tables;
	int rc;

	if (t[STORE_NEIGHBOURS].blocks < STORE_BANKS || t[STORE_CELLS].blocks < STORE_BANKS ||
		t[STORE_CELLS].rows != 1u << neighbour_index_bits(t[STORE_NEIGHBOURS].rows))
		return err_set(e, -EPROTO,
			"the DPDK engine's tables of neighbours do not fit each other: stop "
			"tandem-dpdk, run tandemd --detach, and start both again");
	rc = check_rows(d, e);
	if (!rc)
		tell_smaller(d);
	return rc;
}

int dpdk_join_store(struct dpdk *d, struct err *e)
{
	const char *what = "";
	char dir[DPDK_PATH];
	int rc = dpdk_link_path(dir, sizeof dir, d->run_dir, PROTOCOL_DIR);

	if (!rc)
		rc = store_join(&d->store, dir, &what);
	if (rc == -EPROTO)
		return err_set(e, rc,
			"the DPDK engine's table %s/%s is of another version than this tandemd; "
			"restart tandem-dpdk",
			dir, what);
	if (rc)
		return err_set(e, rc,
			"cannot map the DPDK engine's table %s/" PROTOCOL_DIR "/%s: %s", d->run_dir,
			what, strerror(-rc));
	return check_store(d, e);
}

void dpdk_learn_drivers(struct dpdk *d)
{
	for (unsigned i = 0; i < d->needs.n_ports; i++) {
		const struct protocol_port *p = find_port(&d->hello, d->needs.ports[i].ifindex);

		if (!p)
			continue;
		memcpy(d->needs.ports[i].driver, p->driver, sizeof p->driver);
		memcpy(d->needs.ports[i].host_path, p->host_path, sizeof p->host_path);
		d->needs.ports[i].nic = p->nic;
	}
}
