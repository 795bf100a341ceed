/* SPDX-License-Identifier: BSD-2-Clause */
/* What the schema cannot say: how values have to fit each other. Every check collects what it finds and
 * leaves values alone that the reader found bad. */
#pragma once
#include "controlplane/conf/tree.h"

/* All of them. Returns 0, or -ENOMEM. */
int conf_check(struct conf_tree *t);

int conf_check_engine(struct conf_tree *t);
int conf_check_pools(struct conf_tree *t);
int conf_check_addresses(struct conf_tree *t);
int conf_check_services(struct conf_tree *t);
int conf_check_ports(struct conf_tree *t);
int conf_check_quic(struct conf_tree *t);
int conf_check_nat(struct conf_tree *t);
int conf_check_health(struct conf_tree *t);
int conf_check_cookies(struct conf_tree *t);
int conf_check_guard(struct conf_tree *t);
int conf_check_limits(struct conf_tree *t);
int conf_check_unused(struct conf_tree *t);

/* limits.servers cannot be more, so that a longer list of replies is an error anyway. */
#define CONF_REPLIES_MAX 65535

/* How many ports and ranges the services have together: an engine has a row for each. */
size_t conf_places(const struct conf *c);

/* How many ways back from servers to clients nat needs: one for each server and port or range of each nat service,
 * those that its pool falls back on included. */
uint64_t conf_nat_replies(const struct conf *c);
