/* SPDX-License-Identifier: BSD-2-Clause */
/* Captures of the XDP engine: the program that captures in place of the other one, and the ring that it tells through. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include "bpf/tandem.skel.h"
#include "controlplane/base/log.h"
#include "controlplane/engine/xdp_body.h"

enum { TURN_RECORDS = 256 }; /* in one turn of the loop, which others wait for */

struct xdp_capture {
	struct engine_capture *capture;
	struct tandem_bpf *bpf; /* NULL: the interfaces run the program itself */
	struct ring_buffer *records;
	struct event *ready;
	unsigned left; /* of this turn's records */
};

/* A negative answer ends the turn, with this record taken. */
static int take_record(void *arg, void *data, size_t size)
{
	struct xdp_capture *x = arg;

	if (!engine_capture_tell(x->capture, data, size))
		return 0;
	return --x->left ? 0 : -EAGAIN;
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct xdp_capture *x = arg;

	(void)fd;
	(void)what;
	x->left = TURN_RECORDS;
	ring_buffer__consume(x->records);
}

static int open_records(struct xdp_capture *x, struct event_base *base)
{
	x->records = ring_buffer__new(bpf_map__fd(x->bpf->maps.captures), take_record, x, NULL);
	if (!x->records)
		return -errno;
	x->ready = event_new(
		base, ring_buffer__epoll_fd(x->records), EV_READ | EV_PERSIST, on_ready, x);
	return x->ready && !event_add(x->ready, NULL) ? 0 : -ENOMEM;
}

static struct loader *loader_of(const struct engine_capture *c)
{
	const struct xdp *x = c->engine->own;

	return x->loader;
}

int xdp_capture_begin(
	struct engine_capture *c, struct event_base *base, const struct l4_capture_filter *filter)
{
	struct xdp_capture *x = calloc(1, sizeof *x);
	int rc;

	if (!x)
		return -ENOMEM;
	c->own = x;
	x->capture = c;
	rc = loader_capture(loader_of(c), filter, &x->bpf);
	return rc ? rc : open_records(x, base);
}

void xdp_capture_end(struct engine_capture *c)
{
	struct xdp_capture *x = c->own;
	int rc;

	if (!x)
		return;
	if (x->ready)
		event_free(x->ready);
	ring_buffer__free(x->records);
	rc = x->bpf ? loader_capture_end(loader_of(c)) : 0;
	if (rc)
		log_error("an interface still runs the capturing program, for nobody: %s; restart "
			  "tandemd to exchange it",
			strerror(-rc));
	free(x);
}

struct tandem_bpf *engine_capture_program(const struct engine_capture *c)
{
	const struct xdp_capture *x = c->own;

	return x->bpf;
}

uint64_t xdp_capture_lost(const struct engine_capture *c)
{
	const struct xdp_capture *x = c->own;
	int cpus = libbpf_num_possible_cpus();
	uint64_t *lost = cpus > 0 ? calloc((size_t)cpus, sizeof *lost) : NULL, sum = 0;
	uint32_t zero = 0;

	if (lost && !bpf_map_lookup_elem(bpf_map__fd(x->bpf->maps.captures_lost), &zero, lost))
		for (int i = 0; i < cpus; i++)
			sum += lost[i];
	free(lost);
	return sum;
}
