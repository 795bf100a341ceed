/* SPDX-License-Identifier: BSD-2-Clause */
/* The XDP engine behind engine.h: the tables that the loader made, and generations in them. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "bpf/serving.h"
#include "bpf/tandem.skel.h"
#include "controlplane/base/log.h"
#include "controlplane/engine/xdp_body.h"

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
		return engine_no_memory(e);
	default:
		return err_set(e, rc, "cannot set up the XDP engine under %s/bpf: %s", run_dir,
			strerror(-rc));
	}
}

static int want_one(void *arg, void *data, size_t size)
{
	if (size >= sizeof(struct l4_want))
		engine_told(arg, data);
	return 0;
}

static void wants_ready(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	ring_buffer__consume(arg);
}

static int open_wants(struct engine *en, struct event_base *base)
{
	struct xdp *x = en->own;

	x->wants = ring_buffer__new(bpf_map__fd(x->bpf->maps.wants), want_one, en, NULL);
	if (!x->wants)
		return -errno;
	if (!base)
		return 0;
	x->wants_event = event_new(
		base, ring_buffer__epoll_fd(x->wants), EV_READ | EV_PERSIST, wants_ready, x->wants);
	return x->wants_event && !event_add(x->wants_event, NULL) ? 0 : -ENOMEM;
}

/* NULL: it cannot be mapped. */
static void *map_memory(struct xdp *x, const struct bpf_map *map)
{
	size_t page = 4096, bytes = (size_t)bpf_map__max_entries(map) * bpf_map__value_size(map);
	struct xdp_mapped *m = &x->mapped[x->n_mapped];

	m->size = (bytes + page - 1) / page * page;
	m->at = mmap(NULL, m->size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (m->at == MAP_FAILED)
		return NULL;
	x->n_mapped++;
	return m->at;
}

static int map_tables(struct xdp *x, struct engine_tables *t)
{
	x->rings = map_memory(x, x->bpf->maps.rings);
	t->guard = map_memory(x, x->bpf->maps.guard);
	t->neighbours = map_memory(x, x->bpf->maps.neighbours);
	t->records = map_memory(x, x->bpf->maps.records);
	t->floods = map_memory(x, x->bpf->maps.floods);
	t->proxied = map_memory(x, x->bpf->maps.proxied);
	t->datagrams = map_memory(x, x->bpf->maps.datagrams);
	t->n_neighbours = bpf_map__max_entries(x->bpf->maps.neighbours);
	t->n_records = bpf_map__max_entries(x->bpf->maps.records);
	t->n_floods = bpf_map__max_entries(x->bpf->maps.floods);
	t->n_proxied = bpf_map__max_entries(x->bpf->maps.proxied);
	t->n_datagrams = bpf_map__max_entries(x->bpf->maps.datagrams);
	return x->n_mapped == XDP_MAPPED ? 0 : -ENOMEM;
}

static struct engine_past past_of(const struct loader_past *from)
{
	return (struct engine_past){
		.adopted = from->links > 0,
		.generation = from->generation,
		.neighbours = from->neighbours,
		.n_neighbours = from->n_neighbours,
		.image = from->image,
		.image_lines = from->image_lines,
		.rings = from->rings,
		.n_chunks = from->n_chunks,
	};
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

static int open_loader(struct engine *en, const struct engine_options *o)
{
	const struct conf_limits *lim = o->limits;
	struct loader_sizes sizes = {
		.addresses = lim->vips,
		.services = lim->services,
		.servers = lim->servers,
		.routes = lim->routes,
		.neighbours = lim->neighbours,
		.image_lines = en->image_lines,
		.ring_chunks = en->ring_chunks,
		.guard_lines = en->guard_lines,
		.records = lim->records,
		.sources = lim->guard_sources,
		.datagrams = lim->datagrams,
		.proxied = lim->syn_proxied,
	};
	struct xdp *x = calloc(1, sizeof *x);
	int rc;

	if (!x)
		return -ENOMEM;
	en->own = x;
	x->mode = o->mode == CONF_XDP_NATIVE	? LINKS_NATIVE
		  : o->mode == CONF_XDP_GENERIC ? LINKS_GENERIC
						: LINKS_AUTO;
	rc = loader_open(&x->loader, o->dry ? NULL : o->run_dir, &sizes, o->dry);
	if (!rc)
		x->bpf = loader_bpf(x->loader);
	return rc;
}

static int xdp_open(
	struct engine *en, struct event_base *base, const struct engine_options *o, struct err *e)
{
	const struct xdp *x;
	int rc = open_loader(en, o);

	x = en->own;
	if (!rc)
		rc = map_tables(en->own, &en->tables);
	if (!rc && o->aside)
		rc = loader_yield(x->loader);
	if (!rc)
		rc = open_wants(en, base);
	if (rc)
		return open_error(rc, o->run_dir, e);
	en->past = past_of(loader_past(x->loader));
	tell_past(loader_past(x->loader));
	return 0;
}

static void xdp_close(struct engine *en)
{
	struct xdp *x = en->own;

	if (!x)
		return;
	if (x->wants_event)
		event_free(x->wants_event);
	ring_buffer__free(x->wants);
	for (unsigned i = 0; i < x->n_mapped; i++)
		munmap(x->mapped[i].at, x->mapped[i].size);
	loader_close(x->loader);
	free(x);
}

/* The lines of lists are there: they were written into the map. */
static int xdp_publish(
	struct engine *en, const struct snapshot *sn, struct guard_span fresh, struct err *e)
{
	struct xdp *x = en->own;

	(void)fresh;
	(void)e;
	for (uint32_t i = 0; i < sn->n_rings; i++)
		memcpy(&x->rings[sn->rings[i].chunk], sn->rings[i].slots,
			sn->rings[i].chunks * sizeof *x->rings);
	return loader_publish(x->loader, sn->image, sn->lines);
}

static int xdp_route(struct engine *en, const struct addr *dst, uint8_t plen,
	const struct l4_route *is, struct l4_route *was)
{
	const struct tandem_bpf *bpf = engine_bpf(en);
	int map = bpf_map__fd(dst->af == 6 ? bpf->maps.routes6 : bpf->maps.routes4);
	struct {
		uint32_t plen;
		uint32_t address[4];
	} key = { .plen = plen };

	memcpy(key.address, dst->bytes, addr_size(dst));
	/* The look-up finds the longest match: without an entry of this prefix, that of a shorter one. */
	if (bpf_map_lookup_elem(map, &key, was) || was->plen != plen)
		was->neighbour = L4_NO_NEIGHBOUR;
	if (is)
		return bpf_map_update_elem(map, &key, is, BPF_ANY);
	bpf_map_delete_elem(map, &key);
	return 0;
}

static int index_set(void *arg, const struct l4_neighbour_key *key, uint32_t row)
{
	int map = bpf_map__fd(engine_bpf(arg)->maps.neighbour_rows);

	return bpf_map_update_elem(map, key, &row, BPF_ANY);
}

static void index_remove(void *arg, const struct l4_neighbour_key *key, uint32_t row)
{
	(void)row;
	bpf_map_delete_elem(bpf_map__fd(engine_bpf(arg)->maps.neighbour_rows), key);
}

/* It runs in the kernel, and is there as long as that is. */
static enum engine_state xdp_state(const struct engine *en, uint64_t *since_ms)
{
	(void)en;
	*since_ms = 0;
	return ENGINE_SERVING;
}

static int xdp_yield(struct engine *en, struct err *e)
{
	const struct xdp *x = en->own;
	int rc = loader_yield(x->loader);

	return rc ? err_set(e, rc, "the XDP engine cannot leave packets to others: %s",
			    strerror(-rc))
		  : 0;
}

static int xdp_cede(struct engine *en, struct err *e)
{
	const struct xdp *x = en->own;
	int rc = loader_cede(x->loader);

	return rc ? err_set(e, rc, "the XDP engine cannot leave packets to others for good: %s",
			    strerror(-rc))
		  : 0;
}

static int not_again(int rc, struct err *e)
{
	return rc ? err_set(e, rc, "the XDP engine cannot take packets again: %s", strerror(-rc))
		  : 0;
}

static int xdp_resume(struct engine *en, struct err *e)
{
	const struct xdp *x = en->own;

	return not_again(loader_resume(x->loader), e);
}

static int xdp_take_back(const char *run_dir, struct err *e)
{
	return not_again(serving_take_back(run_dir), e);
}

/* All of it is tried when it is opened. */
static int xdp_ready(const struct engine *en, const struct engine_options *o, struct err *e)
{
	(void)en;
	(void)o;
	(void)e;
	return 0;
}

static bool xdp_holds(const char *run_dir)
{
	return loader_links(run_dir) > 0;
}

static bool xdp_is_in_front(const char *run_dir)
{
	return serving_links(run_dir) > 0;
}

/* It takes interfaces when it attaches. */
static int xdp_take(const char *run_dir, struct err *e)
{
	(void)run_dir;
	(void)e;
	return 0;
}

static int xdp_may_detach(const char *run_dir, struct err *e)
{
	(void)run_dir;
	(void)e;
	return 0;
}

static int xdp_detach(const char *run_dir, struct err *e)
{
	int n = loader_detach(run_dir);

	return n >= 0 ? n
		      : err_set(e, n, "cannot remove the engine's pins below %s/bpf: %s%s", run_dir,
				strerror(-n), n == -EPERM || n == -EACCES ? "; run as root" : "");
}

static int xdp_give(const char *run_dir, struct err *e)
{
	int n = xdp_detach(run_dir, e);

	return n < 0 ? n : 0;
}

struct tandem_bpf *engine_bpf(const struct engine *en)
{
	const struct xdp *x = en->own;

	return x->bpf;
}

const struct engine_body xdp_body = {
	.open = xdp_open,
	.close = xdp_close,
	.publish = xdp_publish,
	.attach = xdp_attach,
	.route = xdp_route,
	.index = { index_set, index_remove },
	.count = xdp_count,
	.clear = xdp_clear,
	.add = xdp_add,
	.trace = xdp_trace,
	.line = xdp_line,
	.capture_begin = xdp_capture_begin,
	.capture_end = xdp_capture_end,
	.capture_lost = xdp_capture_lost,
	.state = xdp_state,
	.yield = xdp_yield,
	.cede = xdp_cede,
	.resume = xdp_resume,
	.ready = xdp_ready,
	.holds = xdp_holds,
	.is_in_front = xdp_is_in_front,
	.take_back = xdp_take_back,
	.take = xdp_take,
	.give = xdp_give,
	.may_detach = xdp_may_detach,
	.detach = xdp_detach,
};
