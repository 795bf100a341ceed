/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/packets/body_engine.h"
#include <errno.h>
#include <stdlib.h>
#include "tests/packets/setup.h"

static struct engine *engine_of(const struct body *b)
{
	return ((const struct body_engine *)b)->engine;
}

int body_engine_tell(struct engine *en, const struct world *w, struct err *e)
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

int body_links_make(struct body_links *d, const struct world *w)
{
	*d = (struct body_links){ .links = calloc(w->n_links * 2u + 1u, sizeof *d->links),
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

void body_links_free(struct body_links *d)
{
	free((void *)d->links);
	free(d->made);
}

uint32_t body_leaves_by(const struct l4_trace *t)
{
	return t->verdict >= L4_V_FORWARDED && t->verdict < L4_V_MALFORMED ? t->ifindex : 0;
}

int body_engine_trace(struct body *b, uint32_t ifindex, const uint8_t *frame, size_t len,
	struct body_result *r, struct l4_way *way)
{
	struct err e;
	int rc;

	r->len = sizeof r->frame;
	rc = engine_trace(engine_of(b), ifindex, frame, len, r->frame, &r->len, way, &e);
	if (rc)
		return rc;
	r->verdict = way->end.verdict;
	r->ifindex = body_leaves_by(&way->end);
	return 0;
}

int body_engine_service_counter(struct body *b, uint32_t id, struct engine_counter *out)
{
	return engine_service_counter(engine_of(b), id, out);
}

int body_engine_server_counter(struct body *b, uint32_t id, struct engine_counter *out)
{
	return engine_server_counter(engine_of(b), id, out);
}

int body_engine_verdicts(struct body *b, uint64_t out[L4_V_COUNT])
{
	return engine_verdict_counters(engine_of(b), out);
}

int body_engine_vip_drops(struct body *b, uint32_t vip_id, uint64_t out[L4_V_COUNT])
{
	return engine_vip_drops(engine_of(b), vip_id, out);
}

int body_engine_service_drops(struct body *b, uint32_t service_id, uint64_t out[L4_V_COUNT])
{
	return engine_service_drops(engine_of(b), service_id, out);
}

int body_engine_publish(struct body *b, const struct snapshot_input *in, struct err *e)
{
	return engine_publish(engine_of(b), in, e);
}

struct l4_record *body_engine_records(struct body *b, uint32_t *n)
{
	return engine_records(engine_of(b), n);
}

int body_engine_places(struct body *b, uint64_t out[L4_PLACE_COUNT])
{
	return engine_record_counters(engine_of(b), out);
}

struct l4_flood *body_engine_floods(struct body *b, uint32_t *n)
{
	return engine_floods(engine_of(b), n);
}

struct l4_proxied *body_engine_proxied(struct body *b, uint32_t *n)
{
	return engine_proxied(engine_of(b), n);
}
