/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of the public API, with errors told as sentences and exit codes. */
#pragma once
#include <jansson.h>
#include "apps/tandemctl/client.h"
#include "apps/tandemctl/ctl.h"

/* Sends a request and takes the answer apart. body is given away, and may be NULL. With -j the answer's JSON is
 * printed as it came, errors included. Returns CTL_OK and in *out the object that the API answered with (to be
 * released with json_decref()); or an exit code with the sentence in ctl->err, and in *out the
 * problem (RFC 9457), or NULL when there is none. */
enum ctl_exit api_call(
	struct ctl *ctl, const char *method, const char *target, json_t *body, json_t **out);

/* An answer as it came, and what it says; json is NULL when that is no JSON object. */
struct api_answer {
	struct client_reply reply;
	json_t *json;
};

/* The two halves of api_call(), for those who ask more than once: api_fetch() prints nothing, and *out is to be
 * released with api_answer_clear() whatever it returns; api_print() prints an answer with -j. */
enum ctl_exit api_fetch(struct ctl *ctl, const char *method, const char *target, json_t *body,
	struct api_answer *out);
void api_print(const struct ctl *ctl, const struct api_answer *answer);
void api_answer_clear(struct api_answer *answer);

/* A request whose answer goes on, a JSON object a line, as client_stream() has it. body is given away. Returns CTL_OK when
 * `line` or `stop` ended it; else an exit code with the sentence in ctl->err. */
enum ctl_exit api_stream(struct ctl *ctl, const char *method, const char *target, json_t *body,
	bool (*line)(void *arg, const char *text, size_t n), bool (*stop)(void), void *arg);

/* GET, as above. */
enum ctl_exit api_get(struct ctl *ctl, const char *target, json_t **out);

/* GET of /v1/NOUNS/NAME; when there is no such name the sentence suggests the nearest one. */
enum ctl_exit api_get_named(struct ctl *ctl, const char *nouns, const char *name, json_t **out);

/* GET of /v1/NOUNS for one's own use: nothing is printed and ctl->err stays. Returns the array under
 * NOUNS, to be released with json_decref(), or NULL. */
json_t *api_list(struct ctl *ctl, const char *nouns);

/* A name as a part of a target: percent-encoded (RFC 3986, section 2.1), to be freed. */
char *api_escape(const char *name);

/* Appends `; did you mean "BEST"?` to ctl->err when one of the names in the array `list` is near to `name`. A
 * list's name is the string under "name" of its objects. */
void api_suggest(struct ctl *ctl, const json_t *list, const char *name);
