/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of the API's objects that more than one command shows. Each takes an array as the API gives it. */
#pragma once
#include <jansson.h>
#include "apps/tandemctl/ctl.h"

void vip_table(const struct screen *s, const json_t *vips);
void service_table(const struct screen *s, const json_t *services);
void server_table(const struct screen *s, const json_t *servers);

/* Who changed servers at run time, when and why: entries of a status' "changes", or servers. */
void change_table(const struct screen *s, const json_t *changes);

/* The servers of all pools in one new array. */
json_t *pool_servers(const json_t *pools);

/* GET of /v1/NOUNS, shown by `table`; what most `list` verbs do. */
enum ctl_exit noun_list(struct ctl *ctl, const char *nouns,
	void (*table)(const struct screen *s, const json_t *rows));
