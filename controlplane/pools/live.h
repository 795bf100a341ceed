/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration together with where it came from and the numbers of its objects. */
#pragma once
#include "controlplane/base/err.h"
#include "controlplane/conf/conf.h"
#include "controlplane/pools/state.h"

struct live {
	char *path, *text;
	struct conf *conf;
	struct binding ids;
};

/* Reads and checks a file. Returns 0; -EINVAL with d filled; or another negative errno and a sentence.
 * The numbers are still to be given (state_bind()). */
int live_new(struct live **out, const char *path, const struct site_caller *as, struct diags *d,
	struct err *e);
void live_free(struct live *l);

/* Whether `to` may replace `from` in a running daemon: 0, or -EBUSY and a sentence that names what needs a
 * restart. */
int live_may_follow(const struct conf *from, const struct conf *to, struct err *e);
