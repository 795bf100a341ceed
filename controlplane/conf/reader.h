/* SPDX-License-Identifier: BSD-2-Clause */
/* From libconfig's settings to struct conf, by the schema. */
#pragma once
#include "controlplane/conf/tree.h"

/* Fills t->conf (empty, with its memory), t->objects and t->by_name from t->root. Whatever the schema does
 * not allow is an error in t->diags; reading goes on behind it. Returns 0 or -ENOMEM. */
int conf_read(struct conf_tree *t);
