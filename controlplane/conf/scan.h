/* SPDX-License-Identifier: BSD-2-Clause */
/* A first look at the text, before libconfig's: finds where every setting stands (libconfig keeps only
 * lines), and refuses what libconfig would take in a way that nobody means or survives. */
#pragma once
#include <libconfig.h>
#include <stdbool.h>
#include "controlplane/conf/conf.h"
#include "controlplane/conf/text.h"

#define CONF_DEPTH_MAX	  16	 /* groups, lists and arrays in one another; the schema needs 4 */
#define CONF_SETTINGS_MAX 400000 /* in a file, elements of lists and arrays too */

/* libconfig compares every name of a group with all names before it. This many comparisons, some 25 ns
 * each, are room for a pool of as many servers as one can have and for as much again; a hostile file could
 * keep the daemon busy for hours. */
#define CONF_COMPARISONS_MAX 110000000

/* Where a setting stands. */
struct conf_place {
	struct conf_spot key, value; /* value: the first character after the = or : */
	uint32_t name_size;
	bool bad; /* an error was found in the value: later checks leave it alone */
};

struct conf_places {
	struct conf_place *list; /* in the order of the text, freed with conf_places_free() */
	size_t n;
	struct conf_spot
		unclosed; /* the last { [ or ( without its counterpart; line 0: there is none */
};

/* Returns 0 and the places of all settings; -EINVAL with an error in d (for instance: bytes that are
 * not UTF-8, an unfinished comment, @include, groups that lie too deep); or -ENOMEM. */
int conf_scan(const struct conf_text *t, struct conf_places *out, struct diags *d);

/* What is said where libconfig and conf_scan() see different settings; no text is known that does it. */
#define CONF_DISAGREEMENT "libconfig reads it in a way of its own"

/* Hooks each setting below root to its place, for conf_place_of(). Returns 0, or -EINVAL with an error
 * in d where libconfig has read another setting than conf_scan(). */
int conf_places_attach(const struct conf_places *p, const struct conf_text *t,
	config_setting_t *root, struct diags *d);

/* The number that begins at a spot: its first character, and how many it has. */
const char *conf_number_at(const struct conf_text *t, const struct conf_spot *at, size_t *size);

void conf_places_free(struct conf_places *p);

/* The place that a setting was hooked to; not for the root, nor for members of lists and arrays. */
static inline struct conf_place *conf_place_of(const config_setting_t *s)
{
	return config_setting_get_hook(s);
}
