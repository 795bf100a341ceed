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
#include "tests/packets/body_engine.h"
#include "tests/packets/setup.h"

struct body {
	struct engine *engine; /* first: body_engine.h */
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

static void xdp_close(struct body *b)
{
	engine_close(b->engine);
	free(b);
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
	struct body_links d;
	bool adopted;
	int rc = body_links_make(&d, w);

	if (rc || !b)
		rc = err_set(e, -ENOMEM, "out of memory");
	else
		rc = make_links(w, e);
	o.links = d.links;
	o.devices = d.devices;
	if (!rc)
		rc = engine_open(&b->engine, NULL, &o, &adopted, e);
	if (!rc)
		rc = body_engine_tell(b->engine, w, e);
	body_links_free(&d);
	if (!rc)
		*out = b;
	else if (b)
		xdp_close(b);
	return rc;
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
	r->ifindex = body_leaves_by(&t);
	return 0;
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
	BODY_ENGINE_OPS,
	.set_time = xdp_set_time,
	.past_slots = xdp_past_slots,
	.close = xdp_close,
};
