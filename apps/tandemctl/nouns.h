/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of the API's objects that more than one command shows. Each takes an array as the API gives it. */
#pragma once
#include <jansson.h>
#include "apps/tandemctl/api.h"
#include "apps/tandemctl/ctl.h"

void vip_table(const struct screen *s, const json_t *vips);
void service_table(const struct screen *s, const json_t *services);
void server_table(const struct screen *s, const json_t *servers);

/* {"reason": count} as a table under an empty line, unless there is none. */
void drop_table(const struct screen *s, json_t *drops);

/* Who changed servers at run time, when and why: entries of a status' "changes", or servers. */
void change_table(const struct screen *s, const json_t *changes);

/* GET of a server by POOL/SERVER; as api_fetch(), and a wrong name's sentence suggests the nearest one. */
enum ctl_exit server_get(struct ctl *ctl, const char *name, struct api_answer *out);

/* Waits until no flow of a server is left that has just been drained, as the answer says, which becomes the last
 * one. Prints what is left whenever it changes, unless with -j. Returns CTL_OK; CTL_TIMED_OUT after ctl->limit_ms;
 * CTL_CONFLICT when the server is not to be drained any more; or what asking came to. */
enum ctl_exit drain_wait(struct ctl *ctl, const char *name, struct api_answer *answer);

/* The servers of all pools in one new array. */
json_t *pool_servers(const json_t *pools);

/* GET of /v1/NOUNS, shown by `table`; what most `list` verbs do. */
enum ctl_exit noun_list(struct ctl *ctl, const char *nouns,
	void (*table)(const struct screen *s, const json_t *rows));
