/* SPDX-License-Identifier: BSD-2-Clause */
/* What bodies have in common that stand behind controlplane/engine: of their struct body the first member is the engine. */
#pragma once
#include "tests/packets/body.h"

struct body_engine {
	struct engine *engine;
};

/* Tells an engine that is open what a world's kernel would, and publishes its configuration. */
int body_engine_tell(struct engine *en, const struct world *w, struct err *e);

/* What an engine is told of a world's links: pointers to them, and to devices, of which the ifindex counts. */
struct body_links {
	const struct host_link **links, **devices;
	struct host_link *made;
};

/* Returns 0 or -ENOMEM; to be freed in either case. */
int body_links_make(struct body_links *l, const struct world *w);
void body_links_free(struct body_links *l);

/* The interface that a packet leaves by; 0: it does not. */
uint32_t body_leaves_by(const struct l4_trace *t);

/* Functions of struct body_ops. */
int body_engine_trace(struct body *b, uint32_t ifindex, const uint8_t *frame, size_t len,
	struct body_result *r, struct l4_way *way);
int body_engine_service_counter(struct body *b, uint32_t id, struct engine_counter *out);
int body_engine_server_counter(struct body *b, uint32_t id, struct engine_counter *out);
int body_engine_verdicts(struct body *b, uint64_t out[L4_V_COUNT]);
int body_engine_vip_drops(struct body *b, uint32_t vip_id, uint64_t out[L4_V_COUNT]);
int body_engine_service_drops(struct body *b, uint32_t service_id, uint64_t out[L4_V_COUNT]);
int body_engine_publish(struct body *b, const struct snapshot_input *in, struct err *e);
struct l4_record *body_engine_records(struct body *b, uint32_t *n);
int body_engine_places(struct body *b, uint64_t out[L4_PLACE_COUNT]);
struct l4_flood *body_engine_floods(struct body *b, uint32_t *n);
struct l4_proxied *body_engine_proxied(struct body *b, uint32_t *n);

#define BODY_ENGINE_OPS                                                                 \
	.trace = body_engine_trace, .service_counter = body_engine_service_counter,     \
	.server_counter = body_engine_server_counter, .verdicts = body_engine_verdicts, \
	.vip_drops = body_engine_vip_drops, .service_drops = body_engine_service_drops, \
	.publish = body_engine_publish, .records = body_engine_records,                 \
	.places = body_engine_places, .floods = body_engine_floods, .proxied = body_engine_proxied
