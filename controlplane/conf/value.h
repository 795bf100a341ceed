/* SPDX-License-Identifier: BSD-2-Clause */
/* One value of the configuration, from text to its field. */
#pragma once
#include <stddef.h>
#include "controlplane/conf/memory.h"
#include "controlplane/conf/schema.h"

/* Reads text as a value of the key (any type but groups and references) into the key's field of
 * `object`; what has to be kept is taken from m. Returns 0; -EINVAL when text is not of the key's form,
 * -ERANGE when it is but lies outside of its range (the field is then untouched); or -ENOMEM. */
int conf_value_parse(
	const struct conf_key *key, const char *text, void *object, struct conf_memory *m);

/* Stores the index of an object, or CONF_NO_REF, in a reference's field. */
void conf_value_refer(const struct conf_key *key, uint32_t index, void *object);

/* Stores what holds when the key is not given. Returns 0 or -ENOMEM. */
int conf_value_default(const struct conf_key *key, void *object, struct conf_memory *m);

/* The range that numbers of the key lie in: "1 to 65535", "10ms to 1h". */
void conf_value_range(const struct conf_key *key, char *buf, size_t size);

/* What a value of the key has to be, as in `must be …`: "an integer, 1 to 65535". */
void conf_value_wanted(const struct conf_key *key, char *buf, size_t size);
