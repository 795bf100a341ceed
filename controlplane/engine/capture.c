/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets of the attached interfaces, told as they pass. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "bpf/tandem.skel.h"
#include "controlplane/base/log.h"
#include "controlplane/engine/xdp.h"

enum { TURN_RECORDS = 256 }; /* in one turn of the loop, which others wait for */

struct engine_capture {
	struct engine *engine;
	struct tandem_bpf *bpf;
	struct ring_buffer *records;
	struct event *ready;
	unsigned left;	 /* of this turn's records */
	int64_t real_ns; /* from CLOCK_MONOTONIC to CLOCK_REALTIME */
	engine_capture_fn *fn;
	void *arg;
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * (int64_t)1000000000 + ts.tv_nsec;
}

/* A negative answer ends the turn, with this record taken. */
static int take_record(void *arg, void *data, size_t size)
{
	const struct l4_captured *r = data;
	struct engine_capture *c = arg;

	if (size < offsetof(struct l4_captured, bytes) ||
		size < offsetof(struct l4_captured, bytes) + r->captured)
		return 0;
	c->fn(c->arg, r, c->real_ns + (int64_t)r->time_ns);
	return --c->left ? 0 : -EAGAIN;
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct engine_capture *c = arg;

	(void)fd;
	(void)what;
	c->left = TURN_RECORDS;
	ring_buffer__consume(c->records);
}

static int open_records(struct engine_capture *c, struct event_base *base)
{
	c->records = ring_buffer__new(bpf_map__fd(c->bpf->maps.captures), take_record, c, NULL);
	if (!c->records)
		return -errno;
	c->ready = event_new(
		base, ring_buffer__epoll_fd(c->records), EV_READ | EV_PERSIST, on_ready, c);
	return c->ready && !event_add(c->ready, NULL) ? 0 : -ENOMEM;
}

static int open_error(int rc, struct err *e)
{
	if (rc == -EBUSY)
		return err_set(e, rc,
			"somebody is capturing already: there is one capture at a time, wait for "
			"its end");
	return err_set(e, rc, "cannot run the program that captures packets: %s", strerror(-rc));
}

int engine_capture_new(struct engine_capture **out, struct engine *en, struct event_base *base,
	const struct l4_capture_filter *filter, engine_capture_fn *fn, void *arg, struct err *e)
{
	struct engine_capture *c = calloc(1, sizeof *c);
	int rc;

	if (!c)
		return err_set(e, -ENOMEM, "out of memory");
	c->fn = fn;
	c->arg = arg;
	c->real_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	rc = engine_capture_bpf(en, filter, &c->bpf);
	if (!rc) {
		c->engine = en;
		rc = open_records(c, base);
	}
	if (rc) {
		engine_capture_free(c);
		return open_error(rc, e);
	}
	*out = c;
	return 0;
}

void engine_capture_free(struct engine_capture *c)
{
	int rc;

	if (!c)
		return;
	if (c->ready)
		event_free(c->ready);
	ring_buffer__free(c->records);
	rc = c->engine ? engine_capture_end(c->engine) : 0;
	if (rc)
		log_error("an interface still runs the capturing program, for nobody: %s; restart "
			  "tandemd to exchange it",
			strerror(-rc));
	free(c);
}

struct tandem_bpf *engine_capture_program(const struct engine_capture *c)
{
	return c->bpf;
}

uint64_t engine_capture_lost(const struct engine_capture *c)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *lost = cpus > 0 ? calloc((size_t)cpus, sizeof *lost) : NULL, sum = 0;
	uint32_t zero = 0;

	if (lost && !bpf_map_lookup_elem(bpf_map__fd(c->bpf->maps.captures_lost), &zero, lost))
		for (int i = 0; i < cpus; i++)
			sum += lost[i];
	free(lost);
	return sum;
}
