/* SPDX-License-Identifier: BSD-2-Clause */
/* The loaded XDP program, run by BPF_PROG_TEST_RUN in a network namespace of its own, with the engine's real
 * control side around it. */
#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "bpf/tandem.skel.h"
#include "controlplane/engine/xdp.h"
#include "tests/packets/setup.h"

struct body {
	struct engine *engine;
};

/* Frames can only come in by interfaces that exist. */
static int make_link(uint32_t ifindex, struct err *e)
{
	char command[256], name[IF_NAMESIZE];

	if (if_indextoname(ifindex, name))
		return 0; /* for another that is on it too */
	snprintf(command, sizeof command,
		"ip link add if%u index %u type veth peer name peer%u index %u", ifindex, ifindex,
		ifindex, ifindex + 10000);
	if (system(command)) /* NOLINT(cert-env33-c): a test's own words */
		return err_set(e, -EIO, "cannot make the interface: %s", command);
	return 0;
}

/* What the program keeps for each CPU must not depend on where a run happens to be. */
static int stay_on_cpu(struct err *e)
{
	cpu_set_t set;
	int cpu = sched_getcpu();

	if (cpu < 0)
		return err_set(e, -errno, "cannot tell the CPU: %s", strerror(errno));
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof set, &set)
		       ? err_set(e, -errno, "cannot stay on one CPU: %s", strerror(errno))
		       : 0;
}

static int tell_engine(struct engine *en, const struct world *w, struct err *e)
{
	struct build *build;
	int rc = 0;

	for (unsigned i = 0; i < w->n_neighbours && !rc; i++)
		rc = engine_neighbour(en, &w->neighbours[i], false, e);
	for (unsigned i = 0; i < w->n_routes && !rc; i++)
		rc = engine_route(en, &w->routes[i], false, e);
	if (rc)
		return rc;
	rc = setup_build(w, &build);
	if (rc)
		return err_set(e, rc, "out of memory");
	rc = engine_publish(en, &build->input, e);
	build_free(build);
	return rc;
}

static void xdp_close(struct body *b)
{
	engine_close(b->engine);
	free(b);
}

/* What an engine is told of a world's links: pointers to them, and to devices, of which the ifindex counts. */
struct described {
	const struct host_link **links, **devices;
	struct host_link *made;
};

static int describe(struct described *d, const struct world *w)
{
	*d = (struct described){ .links = calloc(w->n_links * 2u + 1u, sizeof *d->links),
		.made = calloc(w->n_links + 1u, sizeof *d->made) };
	if (!d->links || !d->made)
		return -ENOMEM;
	d->devices = d->links + w->n_links;
	for (unsigned i = 0; i < w->n_links; i++) {
		d->links[i] = &w->links[i];
		d->devices[i] = &d->made[i];
		d->made[i].ifindex = setup_device(w, i);
	}
	return 0;
}

static void described_free(struct described *d)
{
	free((void *)d->links);
	free(d->made);
}

static int make_links(const struct world *w, struct err *e)
{
	int rc = stay_on_cpu(e);

	if (!rc && unshare(CLONE_NEWNET))
		rc = err_set(e, -errno, "cannot make a network namespace (run as root): %s",
			strerror(errno));
	for (unsigned i = 0; i < w->n_links && !rc; i++)
		rc = make_link(setup_device(w, i), e);
	return rc;
}

static int xdp_open(struct body **out, const struct world *w, struct err *e)
{
	struct engine_options o = {
		.limits = &w->conf->limits, .dry = true, .n_links = w->n_links
	};
	struct body *b = calloc(1, sizeof *b);
	struct described d;
	bool adopted;
	int rc = describe(&d, w);

	if (rc || !b)
		rc = err_set(e, -ENOMEM, "out of memory");
	else
		rc = make_links(w, e);
	o.links = d.links;
	o.devices = d.devices;
	if (!rc)
		rc = engine_open(&b->engine, NULL, &o, &adopted, e);
	if (!rc)
		rc = tell_engine(b->engine, w, e);
	described_free(&d);
	if (!rc)
		*out = b;
	else if (b)
		xdp_close(b);
	return rc;
}

static uint32_t leaves_by(const struct l4_trace *t)
{
	return t->verdict >= L4_V_FORWARDED && t->verdict < L4_V_MALFORMED ? t->ifindex : 0;
}

/* -EMSGSIZE: the kernel hands no frame of this length to a program. */
static int xdp_inject(
	struct body *b, uint32_t ifindex, const uint8_t *frame, size_t len, struct body_result *r)
{
	struct l4_trace t;
	int rc;

	if (len > BODY_FRAME_MAX)
		return -EMSGSIZE;
	r->len = sizeof r->frame;
	rc = engine_run(b->engine, ifindex, frame, len, r->frame, &r->len, &t);
	if (rc)
		return rc;
	r->verdict = t.verdict;
	r->ifindex = leaves_by(&t);
	return 0;
}

static int xdp_trace(struct body *b, uint32_t ifindex, const uint8_t *frame, size_t len,
	struct body_result *r, struct l4_way *way)
{
	struct err e;
	int rc;

	r->len = sizeof r->frame;
	rc = engine_trace(b->engine, ifindex, frame, len, r->frame, &r->len, way, &e);
	if (rc)
		return rc;
	r->verdict = way->end.verdict;
	r->ifindex = leaves_by(&way->end);
	return 0;
}

static int xdp_service_counter(struct body *b, uint32_t id, struct engine_counter *out)
{
	return engine_service_counter(b->engine, id, out);
}

static int xdp_server_counter(struct body *b, uint32_t id, struct engine_counter *out)
{
	return engine_server_counter(b->engine, id, out);
}

static int xdp_verdicts(struct body *b, uint64_t out[L4_V_COUNT])
{
	return engine_verdict_counters(b->engine, out);
}

static int xdp_vip_drops(struct body *b, uint32_t vip_id, uint64_t out[L4_V_COUNT])
{
	return engine_vip_drops(b->engine, vip_id, out);
}

static int xdp_service_drops(struct body *b, uint32_t service_id, uint64_t out[L4_V_COUNT])
{
	return engine_service_drops(b->engine, service_id, out);
}

static int xdp_publish(struct body *b, const struct snapshot_input *in, struct err *e)
{
	return engine_publish(b->engine, in, e);
}

static struct l4_record *xdp_records(struct body *b, uint32_t *n)
{
	return engine_records(b->engine, n);
}

static int xdp_places(struct body *b, uint64_t out[L4_PLACE_COUNT])
{
	return engine_record_counters(b->engine, out);
}

static struct l4_flood *xdp_floods(struct body *b, uint32_t *n)
{
	return engine_floods(b->engine, n);
}

static struct l4_proxied *xdp_proxied(struct body *b, uint32_t *n)
{
	return engine_proxied(b->engine, n);
}

static int xdp_set_time(struct body *b, uint16_t now)
{
	return engine_set_time(b->engine, now);
}

/* A map's values, to be unmapped, or NULL. */
static void *map_values(int fd, size_t *size)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof info;
	void *p;

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return NULL;
	*size = (size_t)info.max_entries * info.value_size;
	p = mmap(NULL, *size, PROT_READ, MAP_SHARED, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

static int xdp_past_slots(struct body *b, snapshot_slots_fn *fn, void *arg)
{
	const struct tandem_bpf *bpf = engine_bpf(b->engine);
	size_t image_size = 0, rings_size = 0;
	uint32_t zero = 0, id;
	struct l4_chunk *rings = NULL;
	struct l4_line *image = NULL;
	int rc = bpf_map_lookup_elem(bpf_map__fd(bpf->maps.generation), &zero, &id), fd = -1;

	if (!rc)
		rc = fd = bpf_map_get_fd_by_id(id);
	if (fd >= 0) {
		image = map_values(fd, &image_size);
		rings = map_values(bpf_map__fd(bpf->maps.rings), &rings_size);
		rc = image && rings
			     ? snapshot_read_slots(image, (uint32_t)(image_size / sizeof *image),
				       rings, (uint32_t)(rings_size / sizeof *rings), fn, arg)
			     : -ENOMEM;
		close(fd);
	}
	if (image)
		munmap(image, image_size);
	if (rings)
		munmap(rings, rings_size);
	return rc;
}

int body_xdp_program(const struct body *b)
{
	return bpf_program__fd(engine_bpf(b->engine)->progs.tandem_xdp);
}

const struct body_ops body_xdp = {
	.name = "xdp",
	.open = xdp_open,
	.inject = xdp_inject,
	.trace = xdp_trace,
	.service_counter = xdp_service_counter,
	.server_counter = xdp_server_counter,
	.verdicts = xdp_verdicts,
	.vip_drops = xdp_vip_drops,
	.service_drops = xdp_service_drops,
	.publish = xdp_publish,
	.records = xdp_records,
	.places = xdp_places,
	.floods = xdp_floods,
	.proxied = xdp_proxied,
	.set_time = xdp_set_time,
	.past_slots = xdp_past_slots,
	.close = xdp_close,
};
