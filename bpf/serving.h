/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether pinned programs, of any process, serve packets or leave them to whoever stands behind (loader_yield()). That is asked of the
 * programs: who attached them may be dead, and may have died before it pinned its maps. */
#pragma once
#include <stddef.h>

/* How many interfaces run a program that goes by an image, or a negative errno. */
int serving_links(const char *run_dir);

/* Has programs take packets again whose process ended between loader_yield() and loader_cede(). Returns 0, also where there are none, or a
 * negative errno. */
int serving_take_back(const char *run_dir);

/* Where the image lies meanwhile. */
void serving_yielded(char *path, size_t size, const char *root);
