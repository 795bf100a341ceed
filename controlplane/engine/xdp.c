/* SPDX-License-Identifier: BSD-2-Clause */
/* The XDP engine behind engine.h: owns the tables that the loader made, compiles and publishes. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "bpf/loader.h"
#include "bpf/tandem.skel.h"
#include "controlplane/base/log.h"
#include "controlplane/engine/xdp.h"
#include "controlplane/engine/neighbours.h"
#include "dataplane/l4/result.h"
#include "dataplane/snapshot/guard.h"

enum { ENGINE_MAX_PORTS = 64 };

struct engine {
	struct loader *loader;
	struct tandem_bpf *bpf;
	struct ring_store *ring_store;
	struct neighbours *neighbours;
	struct guard_store *guard_store;
	struct l4_chunk *rings;		   /* the map, mapped */
	struct l4_line *guard;		   /* likewise */
	struct l4_neighbour *rows;	   /* likewise */
	struct l4_record_bucket *records;  /* likewise */
	struct l4_flood *floods;	   /* likewise */
	struct l4_proxied_bucket *proxied; /* likewise */
	uint32_t *hop_rows; /* neighbour rows of the members that were compiled last */
	uint32_t n_hop_rows;
	size_t rings_size, guard_size, rows_size, records_size, floods_size, proxied_size;
	uint32_t image_lines;
	uint64_t generation;
	struct engine_port ports[ENGINE_MAX_PORTS];
	unsigned n_ports;
	enum links_mode mode;
	bool attached, dry;
	struct ring_buffer *wants;
	struct event *wants_event;
	void (*neighbour_wanted)(void *arg, uint32_t ifindex, const struct addr *addr);
	void (*path_told)(void *arg, const struct addr *from, const struct addr *to, uint16_t port,
		uint32_t mtu);
	void *arg;
};

static int open_error(int rc, const char *run_dir, struct err *e)
{
	switch (rc) {
	case -EPERM:
	case -EACCES:
		return err_set(e, rc,
			"may not load BPF programs or mount a bpffs at %s/bpf; run as root, or "
			"with CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON and CAP_SYS_ADMIN",
			run_dir);
	case -ENOENT:
		return err_set(e, rc,
			"cannot mount a bpffs at %s/bpf: the directory is missing, or the kernel "
			"was built without CONFIG_BPF_SYSCALL",
			run_dir);
	case -EOPNOTSUPP:
		return err_set(e, rc,
			"the kernel refuses the XDP program: tandem needs Linux 6.1 or later "
			"with CONFIG_BPF_JIT");
	case -ENOMEM:
		return err_set(
			e, rc, "no memory for the engine's tables; lower the values under limits");
	default:
		return err_set(e, rc, "cannot set up the XDP engine under %s/bpf: %s", run_dir,
			strerror(-rc));
	}
}

static int want_one(void *arg, void *data, size_t size)
{
	struct engine *en = arg;
	const struct l4_want *w = data;
	struct addr a = { 0 }, from = { 0 };

	if (size < sizeof *w || !en->neighbour_wanted || !en->path_told)
		return 0;
	a.af = from.af = w->is6 ? 6 : 4;
	memcpy(a.bytes, w->address, addr_size(&a));
	memcpy(from.bytes, w->from, addr_size(&from));
	if (w->mtu)
		en->path_told(en->arg, &from, &a, L4_BE16(w->port), w->mtu);
	else
		en->neighbour_wanted(en->arg, w->ifindex, &a);
	return 0;
}

static void wants_ready(evutil_socket_t fd, short what, void *arg)
{
	struct engine *en = arg;

	(void)fd;
	(void)what;
	ring_buffer__consume(en->wants);
}

static int open_wants(struct engine *en, struct event_base *base)
{
	en->wants = ring_buffer__new(bpf_map__fd(en->bpf->maps.wants), want_one, en, NULL);
	if (!en->wants)
		return -errno;
	if (!base)
		return 0;
	en->wants_event = event_new(
		base, ring_buffer__epoll_fd(en->wants), EV_READ | EV_PERSIST, wants_ready, en);
	return en->wants_event && !event_add(en->wants_event, NULL) ? 0 : -ENOMEM;
}

static void *map_memory(const struct bpf_map *map, size_t *size)
{
	size_t page = 4096;
	void *p;

	*size = ((size_t)bpf_map__max_entries(map) * bpf_map__value_size(map) + page - 1) / page *
		page;
	p = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	return p == MAP_FAILED ? NULL : p;
}

static int set_ports(struct engine *en, const struct engine_options *o)
{
	struct neighbour_port ports[ENGINE_MAX_PORTS];

	if (o->n_links > sizeof en->ports / sizeof *en->ports)
		return -E2BIG;
	for (unsigned i = 0; i < o->n_links; i++) {
		const struct host_link *l = o->links[i], *real = o->devices ? o->devices[i] : l;
		struct engine_port *p = &en->ports[i];

		*p = (struct engine_port){ .ifindex = l->ifindex, .mode = "none" };
		p->real_ifindex = real->ifindex;
		p->real_mtu = real->mtu;
		memcpy(p->device, l->name, sizeof p->device);
		memcpy(p->mac, l->mac, sizeof p->mac);
		memcpy(p->real, real->name, sizeof p->real);
		ports[i] =
			(struct neighbour_port){ .ifindex = l->ifindex, .device = real->ifindex };
		ports[i].mtu = (uint16_t)(l->mtu > UINT16_MAX ? UINT16_MAX : l->mtu);
		memcpy(ports[i].mac, l->mac, sizeof ports[i].mac);
	}
	en->n_ports = o->n_links;
	return neighbours_set_ports(en->neighbours, ports, o->n_links);
}

/* Neighbours that the former process knew serve until the kernel says otherwise. */
static void inherit_neighbours(struct engine *en)
{
	const struct loader_past *past = loader_past(en->loader);

	for (uint32_t i = 0; i < past->n_neighbours; i++) {
		const struct l4_neighbour *r = &past->neighbours[i];
		struct addr a = { .af = r->is6 ? 6 : 4 };

		if (!r->usable)
			continue;
		memcpy(a.bytes, r->address, addr_size(&a));
		neighbours_learn(en->neighbours, r->ifindex, &a, r->mac, false);
	}
}

static int index_set(void *arg, const struct l4_neighbour_key *key, uint32_t row)
{
	const struct engine *en = arg;

	return bpf_map_update_elem(bpf_map__fd(en->bpf->maps.neighbour_rows), key, &row, BPF_ANY);
}

static void index_remove(void *arg, const struct l4_neighbour_key *key)
{
	const struct engine *en = arg;

	bpf_map_delete_elem(bpf_map__fd(en->bpf->maps.neighbour_rows), key);
}

static const struct neighbours_index index_ops = { index_set, index_remove };

static int open_tables(struct engine *en, const struct engine_options *o)
{
	int rc;

	en->rings = map_memory(en->bpf->maps.rings, &en->rings_size);
	en->guard = map_memory(en->bpf->maps.guard, &en->guard_size);
	en->rows = map_memory(en->bpf->maps.neighbours, &en->rows_size);
	en->records = map_memory(en->bpf->maps.records, &en->records_size);
	en->floods = map_memory(en->bpf->maps.floods, &en->floods_size);
	en->proxied = map_memory(en->bpf->maps.proxied, &en->proxied_size);
	en->ring_store = ring_store_new(o->limits->ring_slots, o->limits->pools);
	if (!en->rings || !en->guard || !en->rows || !en->records || !en->floods || !en->proxied ||
		!en->ring_store)
		return -ENOMEM;
	en->guard_store = guard_store_new(en->guard, o->limits->guard_prefixes);
	if (!en->guard_store)
		return -ENOMEM;
	rc = neighbours_new(&en->neighbours, en->rows, o->limits->neighbours, &index_ops, en);
	return rc ? rc : set_ports(en, o);
}

static void tell_past(const struct loader_past *past)
{
	if (past->other_layout)
		log_warn("the tables left by another version of tandem have another "
			 "layout: counters start fresh");
	if (past->records_kept)
		log_warn("the table of records keeps its size while it holds live flows: "
			 "limits.records counts from the next start that finds it empty");
	if (past->proxied_kept)
		log_warn("the table of connections begun by SYN cookies keeps its size while it "
			 "holds some: limits.syn_proxied counts from the next start that finds it "
			 "empty");
	if (past->links)
		log_info("%u interface(s) still run the former process' program; it "
			 "serves until the first snapshot is published, %s",
			past->links, past->counters ? "counters go on" : "counters start fresh");
}

int engine_open(struct engine **out, struct event_base *base, const struct engine_options *o,
	bool *adopted, struct err *e)
{
	const struct conf_limits *lim = o->limits;
	struct loader_sizes sizes = {
		.addresses = lim->vips,
		.services = lim->services,
		.servers = lim->servers,
		.routes = lim->routes,
		.neighbours = lim->neighbours,
		.image_lines = snapshot_lines(lim->vips, lim->services, lim->servers, lim->servers,
				       lim->pools) +
			       guard_store_image_lines(lim->guard_prefixes),
		.ring_chunks = ring_store_chunks(lim->ring_slots),
		.guard_lines = guard_store_lines(lim->guard_prefixes),
		.records = lim->records,
		.sources = lim->guard_sources,
		.datagrams = lim->datagrams,
		.proxied = lim->syn_proxied,
	};
	struct engine *en = calloc(1, sizeof *en);
	int rc;

	if (!en)
		return err_set(e, -ENOMEM, "out of memory");
	en->image_lines = sizes.image_lines;
	en->mode = o->mode == CONF_XDP_NATIVE	 ? LINKS_NATIVE
		   : o->mode == CONF_XDP_GENERIC ? LINKS_GENERIC
						 : LINKS_AUTO;
	en->neighbour_wanted = o->neighbour_wanted;
	en->path_told = o->path_told;
	en->arg = o->arg;
	en->dry = o->dry;
	rc = loader_open(&en->loader, o->dry ? NULL : o->run_dir, &sizes, o->dry);
	if (!rc) {
		en->bpf = loader_bpf(en->loader);
		en->generation = loader_past(en->loader)->generation;
		rc = open_tables(en, o);
	}
	if (!rc)
		rc = open_wants(en, base);
	if (rc) {
		engine_close(en);
		return open_error(rc, o->run_dir, e);
	}
	inherit_neighbours(en);
	tell_past(loader_past(en->loader));
	*adopted = loader_past(en->loader)->links > 0;
	*out = en;
	return 0;
}

void engine_close(struct engine *en)
{
	if (!en)
		return;
	if (en->wants_event)
		event_free(en->wants_event);
	ring_buffer__free(en->wants);
	neighbours_free(en->neighbours);
	free(en->hop_rows);
	ring_store_free(en->ring_store);
	guard_store_free(en->guard_store);
	if (en->rings)
		munmap(en->rings, en->rings_size);
	if (en->guard)
		munmap(en->guard, en->guard_size);
	if (en->rows)
		munmap(en->rows, en->rows_size);
	if (en->records)
		munmap(en->records, en->records_size);
	if (en->floods)
		munmap(en->floods, en->floods_size);
	if (en->proxied)
		munmap(en->proxied, en->proxied_size);
	loader_close(en->loader);
	free(en);
}

static void learn_port(struct engine_port *p, const struct snapshot_port *from)
{
	memcpy(p->mac, from->mac, sizeof p->mac);
	snapshot_tags(from, p->tags);
	p->n_parts = from->n_parts;
	memcpy(p->parts, from->parts, sizeof p->parts);
}

static int publish_ports(struct engine *en, const struct snapshot_input *in)
{
	struct neighbour_port ports[ENGINE_MAX_PORTS];

	if (in->n_ports > sizeof ports / sizeof *ports)
		return -E2BIG;
	for (uint32_t i = 0; i < in->n_ports; i++) {
		ports[i].ifindex = in->ports[i].ifindex;
		ports[i].mtu = in->ports[i].mtu;
		memcpy(ports[i].mac, in->ports[i].mac, sizeof ports[i].mac);
		ports[i].device = snapshot_device(&in->ports[i]);
		snapshot_tags(&in->ports[i], ports[i].tags);
		for (unsigned k = 0; k < en->n_ports; k++)
			if (en->ports[k].ifindex == ports[i].ifindex)
				learn_port(&en->ports[k], &in->ports[i]);
	}
	return neighbours_set_ports(en->neighbours, ports, in->n_ports);
}

/* The neighbour row of every member's next hop. Most are what they were. */
static int resolve_hops(struct engine *en, const struct snapshot_input *in, uint32_t *rows)
{
	for (uint32_t i = 0; i < in->n_members; i++) {
		const struct snapshot_member *m = &in->members[i];
		struct addr hop = { .af = m->hop_af };
		int rc;

		rows[i] = i < en->n_hop_rows ? en->hop_rows[i] : L4_NO_NEIGHBOUR;
		memcpy(hop.bytes, m->hop_bytes, sizeof hop.bytes);
		rc = m->hop_ifindex
			     ? neighbours_get_again(en->neighbours, m->hop_ifindex, &hop, &rows[i])
			     : -ENODEV;
		if (rc == -ENODEV)
			rows[i] = L4_NO_NEIGHBOUR;
		else if (rc)
			return rc;
		else
			neighbours_mark(en->neighbours, rows[i]);
	}
	return 0;
}

/* The devices that run the program, each once. */
static unsigned devices(const struct engine *en, uint32_t ifindexes[ENGINE_MAX_PORTS])
{
	unsigned n = 0;

	for (unsigned i = 0; i < en->n_ports; i++) {
		unsigned k = 0;

		while (k < n && ifindexes[k] != en->ports[i].real_ifindex)
			k++;
		if (k == n)
			ifindexes[n++] = en->ports[i].real_ifindex;
	}
	return n;
}

static const struct engine_port *port_on(const struct engine *en, uint32_t ifindex)
{
	unsigned i = 0;

	while (i + 1 < en->n_ports && en->ports[i].real_ifindex != ifindex)
		i++;
	return &en->ports[i];
}

static const char *device_name(const struct engine *en, uint32_t ifindex)
{
	return port_on(en, ifindex)->real;
}

unsigned engine_native_mtu(void)
{
	return LINKS_NATIVE_MTU;
}

static int attach_error(const struct engine *en, int rc, const struct links_report *report,
	const uint32_t *ifindexes, unsigned n, struct err *e)
{
	const char *device;

	if (report->failed >= n)
		return err_set(e, rc, "cannot pin the engine's links and maps: %s", strerror(-rc));
	device = device_name(en, ifindexes[report->failed]);
	if (rc == -EBUSY || rc == -EEXIST)
		return err_set(e, -EBUSY,
			"interface %s runs another XDP program; detach it first (ip link set dev "
			"%s xdp off)",
			device, device);
	if (en->mode == LINKS_NATIVE &&
		port_on(en, ifindexes[report->failed])->real_mtu > LINKS_NATIVE_MTU)
		return err_set(e, rc,
			"interface %s has an MTU of %u, but native XDP takes at most %u (some drivers "
			"less): lower its MTU, or set engine.mode to \"generic\"",
			device, port_on(en, ifindexes[report->failed])->real_mtu, LINKS_NATIVE_MTU);
	return err_set(e, rc, "cannot attach the XDP program to interface %s in %s mode: %s",
		device,
		en->mode == LINKS_NATIVE    ? "native"
		: en->mode == LINKS_GENERIC ? "generic"
					    : "native or generic",
		strerror(-rc));
}

static void tell_modes(
	struct engine *en, const struct links_report *report, const uint32_t *ifindexes, unsigned n)
{
	for (unsigned i = 0; i < en->n_ports; i++)
		en->ports[i].mode = links_port_mode(en->ports[i].real_ifindex);
	for (unsigned i = 0; i < n; i++)
		log_info("interface %s runs XDP in %s mode", device_name(en, ifindexes[i]),
			links_port_mode(ifindexes[i]));
	if (report->not_native < n &&
		port_on(en, ifindexes[report->not_native])->real_mtu > LINKS_NATIVE_MTU)
		log_warn(
			"interface %s has an MTU of %u, but native XDP takes at most %u: all interfaces "
			"run in generic mode, which is much slower (once its MTU is lower: tandemctl "
			"engine detach, then start tandemd again)",
			device_name(en, ifindexes[report->not_native]),
			port_on(en, ifindexes[report->not_native])->real_mtu, LINKS_NATIVE_MTU);
	else if (report->not_native < n)
		log_warn("interface %s does not take XDP in native mode: all interfaces run in "
			 "generic mode, which is much slower (should it take native mode now: "
			 "tandemctl engine detach, then start tandemd again)",
			device_name(en, ifindexes[report->not_native]));
}

/* Packets go by the tables from now on. A dry engine only learns where they may leave. */
static int attach(struct engine *en, struct err *e)
{
	struct links_report report = { ENGINE_MAX_PORTS, ENGINE_MAX_PORTS };
	uint32_t ifindexes[ENGINE_MAX_PORTS];
	unsigned n = devices(en, ifindexes);
	int rc;

	rc = en->dry ? loader_set_ports(en->loader, ifindexes, n)
		     : loader_attach(en->loader, ifindexes, n, en->mode, &report);
	if (rc)
		return attach_error(en, rc, &report, ifindexes, n, e);
	en->attached = true;
	if (!en->dry)
		tell_modes(en, &report, ifindexes, n);
	return 0;
}

static int publish_error(int rc, const char *what, struct err *e)
{
	if (rc == -ENOSPC)
		return err_set(e, rc,
			"the engine's table for %s is full; raise limits.%s and restart tandemd "
			"(packets keep flowing meanwhile)",
			what, what);
	if (rc == -ENOMEM)
		return err_set(
			e, rc, "no memory for the next snapshot; packets flow on by the last one");
	return err_set(e, rc, "cannot publish the snapshot: %s", strerror(-rc));
}

static int take_lists(struct engine *en, const struct snapshot_input *in, const char **what)
{
	*what = "guard_prefixes";
	return guard_store_take(en->guard_store, in);
}

static int compile(
	struct engine *en, const struct snapshot_input *in, struct snapshot **sn, const char **what)
{
	uint32_t *rows = calloc(in->n_members + 1u, sizeof *rows);
	int rc = -ENOMEM;

	*what = "neighbours";
	if (rows)
		rc = resolve_hops(en, in, rows);
	if (!rc)
		rc = take_lists(en, in, what);
	if (!rc)
		rc = snapshot_build(en->ring_store, en->guard_store, in, rows, en->generation + 1,
			en->image_lines, sn, what);
	free(en->hop_rows);
	en->hop_rows = rows;
	en->n_hop_rows = rows ? in->n_members : 0;
	return rc;
}

int engine_publish(struct engine *en, const struct snapshot_input *in, struct err *e)
{
	const char *what = "";
	struct snapshot *sn = NULL;
	int rc = publish_ports(en, in);

	if (!rc)
		rc = compile(en, in, &sn, &what);
	if (rc) {
		neighbours_settle(en->neighbours, false);
		guard_store_abort(en->guard_store);
		return publish_error(rc, what, e);
	}
	for (uint32_t i = 0; i < sn->n_rings; i++)
		memcpy(&en->rings[sn->rings[i].chunk], sn->rings[i].slots,
			sn->rings[i].chunks * sizeof *en->rings);
	rc = loader_publish(en->loader, sn->image, sn->lines);
	if (rc) {
		neighbours_settle(en->neighbours, false);
		snapshot_abort(en->ring_store, sn);
		guard_store_abort(en->guard_store);
		return publish_error(rc, what, e);
	}
	en->generation++;
	neighbours_settle(en->neighbours, true);
	snapshot_commit(en->ring_store, sn);
	guard_store_commit(en->guard_store);
	return en->attached ? 0 : attach(en, e);
}

struct tandem_bpf *engine_bpf(const struct engine *en)
{
	return en->bpf;
}

int engine_trace_bpf(const struct engine *en, struct tandem_bpf **out)
{
	return loader_trace(en->loader, out);
}

int engine_capture_bpf(
	struct engine *en, const struct l4_capture_filter *filter, struct tandem_bpf **out)
{
	return en->attached ? loader_capture(en->loader, filter, out) : -EAGAIN;
}

int engine_capture_end(struct engine *en)
{
	return loader_capture_end(en->loader);
}

bool engine_neighbour_row(const struct engine *en, uint32_t row, struct l4_neighbour *out)
{
	if (row >= bpf_map__max_entries(en->bpf->maps.neighbours))
		return false;
	*out = en->rows[row];
	return true;
}

uint64_t engine_generation(const struct engine *en)
{
	return en->attached ? en->generation : 0;
}

struct route_place {
	int map;
	struct {
		uint32_t plen;
		uint32_t address[4];
	} key;
};

static struct route_place route_place(const struct engine *en, const struct host_route *r)
{
	struct route_place p = { 0 };

	p.map = bpf_map__fd(r->dst.af == 6 ? en->bpf->maps.routes6 : en->bpf->maps.routes4);
	p.key.plen = r->plen;
	memcpy(p.key.address, r->dst.bytes, addr_size(&r->dst));
	return p;
}

static int route_value(struct engine *en, const struct host_route *r, struct l4_route *v)
{
	*v = (struct l4_route){ L4_ROUTE_DISCARD, 0, L4_NO_NEIGHBOUR, r->plen };
	if (r->kind == HOST_ROUTE_LOCAL)
		v->kind = L4_ROUTE_LOCAL;
	if (r->kind != HOST_ROUTE_UNICAST || !neighbours_has_port(en->neighbours, r->ifindex))
		return 0;
	v->ifindex = r->ifindex;
	v->kind = r->gateway.af ? L4_ROUTE_GATEWAY : L4_ROUTE_LINK;
	return r->gateway.af
		       ? neighbours_get(en->neighbours, r->ifindex, &r->gateway, &v->neighbour)
		       : 0;
}

static int route_error(int rc, struct err *e)
{
	if (rc == -ENOSPC)
		return err_set(e, rc,
			"the engine's table of routes or neighbours is full; raise limits.routes or "
			"limits.neighbours and restart tandemd");
	return err_set(e, rc, "cannot enter a route: %s", strerror(-rc));
}

int engine_route(struct engine *en, const struct host_route *route, bool gone, struct err *e)
{
	struct route_place place = route_place(en, route);
	struct l4_route was, is;

	/* The look-up finds the longest match: without an entry of this prefix, that of a shorter one. */
	if (bpf_map_lookup_elem(place.map, &place.key, &was) || was.plen != route->plen)
		was.neighbour = L4_NO_NEIGHBOUR;
	if (gone) {
		bpf_map_delete_elem(place.map, &place.key);
	} else {
		int rc = route_value(en, route, &is);

		if (!rc)
			rc = bpf_map_update_elem(place.map, &place.key, &is, BPF_ANY);
		if (rc)
			return route_error(rc, e);
		if (is.neighbour != L4_NO_NEIGHBOUR)
			neighbours_route_get(en->neighbours, is.neighbour);
	}
	if (was.neighbour != L4_NO_NEIGHBOUR)
		neighbours_route_put(en->neighbours, was.neighbour);
	return 0;
}

int engine_neighbour(struct engine *en, const struct host_neighbour *n, bool gone, struct err *e)
{
	bool usable = !gone && n->state != HOST_NEIGHBOUR_NONE;
	int rc = neighbours_learn(
		en->neighbours, n->ifindex, &n->addr, usable ? n->mac : NULL, true);

	if (rc == -ENOSPC)
		return err_set(e, rc,
			"the engine's table of neighbours is full; raise limits.neighbours and "
			"restart tandemd");
	return 0; /* of an interface that is not the engine's: none of its business */
}

void engine_each_used_neighbour(struct engine *en,
	void (*fn)(void *arg, uint32_t ifindex, const struct addr *addr), void *arg)
{
	neighbours_sweep(en->neighbours, fn, arg);
}

/* Sums a row of a per-CPU map of n 64-bit words. */
static int read_counter(const struct bpf_map *map, uint32_t row, uint64_t *out, unsigned n)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *values = cpus > 0 ? calloc((size_t)cpus * n, sizeof *values) : NULL;
	int rc = -ENOMEM;

	if (values)
		rc = bpf_map_lookup_elem(bpf_map__fd(map), &row, values);
	memset(out, 0, n * sizeof *out);
	for (int cpu = 0; !rc && cpu < cpus; cpu++)
		for (unsigned i = 0; i < n; i++)
			out[i] += values[(unsigned)cpu * n + i];
	free(values);
	return rc;
}

static int read_traffic(const struct bpf_map *map, uint32_t id, struct engine_counter *out)
{
	uint64_t sums[2];
	int rc = read_counter(map, id, sums, 2);

	*out = (struct engine_counter){ sums[0], sums[1] };
	return rc;
}

int engine_service_counter(const struct engine *en, uint32_t id, struct engine_counter *out)
{
	return read_traffic(en->bpf->maps.service_counters, id, out);
}

int engine_server_counter(const struct engine *en, uint32_t id, struct engine_counter *out)
{
	return read_traffic(en->bpf->maps.server_counters, id, out);
}

int engine_verdict_counters(const struct engine *en, uint64_t out[L4_V_COUNT])
{
	for (uint32_t i = 0; i < L4_V_COUNT; i++) {
		int rc = read_counter(en->bpf->maps.verdict_counters, i, &out[i], 1);

		if (rc)
			return rc;
	}
	return 0;
}

int engine_vip_drops(const struct engine *en, uint32_t vip_id, uint64_t out[L4_V_COUNT])
{
	return read_counter(en->bpf->maps.vip_drops, vip_id, out, L4_V_COUNT);
}

int engine_service_drops(const struct engine *en, uint32_t service_id, uint64_t out[L4_V_COUNT])
{
	int rc = read_counter(en->bpf->maps.service_drops, service_id, out, L4_V_COUNT);

	out[L4_V_SYN_COOKIE] = 0; /* no drop, but counted beside them */
	return rc;
}

int engine_service_cookies(const struct engine *en, uint32_t service_id, uint64_t *out)
{
	uint64_t counts[L4_V_COUNT] = { 0 };
	int rc = read_counter(en->bpf->maps.service_drops, service_id, counts, L4_V_COUNT);

	*out = counts[L4_V_SYN_COOKIE];
	return rc;
}

struct l4_record *engine_records(struct engine *en, uint32_t *n)
{
	*n = bpf_map__max_entries(en->bpf->maps.records) * L4_BUCKET_RECORDS;
	return en->records->records;
}

int engine_record_counters(const struct engine *en, uint64_t out[L4_PLACE_COUNT])
{
	for (uint32_t i = 0; i < L4_PLACE_COUNT; i++) {
		int rc = read_counter(en->bpf->maps.record_counters, i, &out[i], 1);

		if (rc)
			return rc;
	}
	return 0;
}

struct l4_flood *engine_floods(struct engine *en, uint32_t *n)
{
	*n = bpf_map__max_entries(en->bpf->maps.floods);
	return en->floods;
}

struct l4_proxied *engine_proxied(struct engine *en, uint32_t *n)
{
	*n = bpf_map__max_entries(en->bpf->maps.proxied) * L4_BUCKET_PROXIED;
	return en->proxied->entries;
}

int engine_past_slots(const struct engine *en, snapshot_slots_fn *fn, void *arg)
{
	const struct loader_past *past = loader_past(en->loader);

	if (!past->image || !past->rings)
		return 0;
	return snapshot_read_slots(
		past->image, past->image_lines, past->rings, past->n_chunks, fn, arg);
}

/* Writes zeros to a row of a per-CPU map whose values are `words` 64-bit words. */
static int clear_row(const struct bpf_map *map, uint32_t row, unsigned words)
{
	int cpus = libbpf_num_possible_cpus(), rc = -ENOMEM;
	uint64_t *zeros = cpus > 0 ? calloc((size_t)cpus * words, sizeof *zeros) : NULL;

	if (zeros)
		rc = bpf_map_update_elem(bpf_map__fd(map), &row, zeros, BPF_ANY);
	free(zeros);
	return rc;
}

/* Connections go on being counted from where they are: packets may have begun one already. */
static void end_flood(struct engine *en, uint32_t id)
{
	struct l4_flood *f = &en->floods[id];

	*(volatile uint32_t *)&f->seen = 0;
	*(volatile uint8_t *)&f->ready = 0;
	f->ended = *(volatile uint32_t *)&f->begun - 1;
}

int engine_counter_reset(struct engine *en, enum engine_counter_kind kind, uint32_t id)
{
	int rc;

	switch (kind) {
	case ENGINE_VIP:
		return clear_row(en->bpf->maps.vip_drops, id, L4_V_COUNT);
	case ENGINE_SERVICE:
		if (id < bpf_map__max_entries(en->bpf->maps.floods))
			end_flood(en, id);
		rc = clear_row(en->bpf->maps.service_counters, id, 2);
		return rc ? rc : clear_row(en->bpf->maps.service_drops, id, L4_V_COUNT);
	case ENGINE_SERVER:
		return clear_row(en->bpf->maps.server_counters, id, 2);
	}
	return -EINVAL;
}

const struct engine_port *engine_ports(const struct engine *en, unsigned *n)
{
	*n = en->n_ports;
	return en->ports;
}

int engine_detach(const char *run_dir, struct err *e)
{
	int n = loader_detach(run_dir);

	return n >= 0 ? n
		      : err_set(e, n, "cannot remove the engine's pins below %s/bpf: %s%s", run_dir,
				strerror(-n), n == -EPERM || n == -EACCES ? "; run as root" : "");
}
