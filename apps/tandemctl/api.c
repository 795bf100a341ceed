/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandemctl/api.h"
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "apps/tandemctl/text.h"
#include "controlplane/conf/words.h"

/* The exit code of a call without an answer. */
static enum ctl_exit exit_of_error(int rc)
{
	switch (rc) {
	case -EACCES:
		return CTL_PERMISSION;
	case -ETIMEDOUT:
		return CTL_TIMED_OUT;
	default:
		return CTL_UNREACHABLE;
	}
}

/* The exit code of an answer that is an error. */
static enum ctl_exit exit_of_status(long status)
{
	switch (status) {
	case 401:
	case 403:
		return CTL_PERMISSION;
	case 404:
		return CTL_NOT_FOUND;
	case 409:
		return CTL_CONFLICT;
	case 408:
	case 504:
		return CTL_TIMED_OUT;
	default:
		return CTL_NEGATIVE;
	}
}

/* Puts a problem's sentence (RFC 9457: detail, else title) into ctl->err. */
static enum ctl_exit api_problem(struct ctl *ctl, long status, const json_t *problem)
{
	const char *text = json_string_value(json_object_get(problem, "detail"));
	size_t n;

	if (!text || !*text)
		text = json_string_value(json_object_get(problem, "title"));
	if (!text || !*text) {
		err_set(&ctl->err, 0, "the daemon answered with the HTTP status %ld", status);
		return exit_of_status(status);
	}
	err_set(&ctl->err, 0, "%s", text);
	n = strlen(ctl->err.text);
	if (n && ctl->err.text[n - 1] == '.')
		ctl->err.text[n - 1] = '\0';
	return exit_of_status(status);
}

/* Reads an answer's body; NULL when it is no JSON object. */
static json_t *parse_reply(const struct client_reply *reply)
{
	json_t *json = reply->length ? json_loadb(reply->body, reply->length, 0, NULL) : NULL;

	if (json_is_object(json))
		return json;
	json_decref(json);
	return NULL;
}

static enum ctl_exit api_send(struct ctl *ctl, const char *method, const char *target,
	const char *body, struct client_reply *reply)
{
	int rc = client_call(ctl->client, method, target, body, reply, &ctl->err);

	return rc ? exit_of_error(rc) : CTL_OK;
}

enum ctl_exit api_fetch(struct ctl *ctl, const char *method, const char *target, json_t *body,
	struct api_answer *out)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	enum ctl_exit rc;

	*out = (struct api_answer){ 0 };
	json_decref(body);
	rc = api_send(ctl, method, target, text, &out->reply);
	free(text);
	if (rc)
		return rc;
	out->json = parse_reply(&out->reply);
	if (out->reply.status < 200 || out->reply.status > 299)
		return api_problem(ctl, out->reply.status, out->json);
	if (out->json)
		return CTL_OK;
	err_set(&ctl->err, 0, "what listens on %s does not answer as tandemd does",
		client_socket(ctl->client));
	return CTL_UNREACHABLE;
}

void api_print(const struct ctl *ctl, const struct api_answer *answer)
{
	if (!answer->json || !ctl->json)
		return;
	screen_raw(&ctl->screen, answer->reply.body, answer->reply.length);
	if (answer->reply.body[answer->reply.length - 1] != '\n')
		putc('\n', ctl->screen.out);
}

void api_answer_clear(struct api_answer *answer)
{
	json_decref(answer->json);
	client_reply_clear(&answer->reply);
	answer->json = NULL;
}

enum ctl_exit api_call(
	struct ctl *ctl, const char *method, const char *target, json_t *body, json_t **out)
{
	struct api_answer answer;
	enum ctl_exit rc = api_fetch(ctl, method, target, body, &answer);

	api_print(ctl, &answer);
	*out = json_incref(answer.json);
	api_answer_clear(&answer);
	return rc;
}

enum ctl_exit api_stream(struct ctl *ctl, const char *method, const char *target, json_t *body,
	bool (*line)(void *arg, const char *text, size_t n), bool (*stop)(void), void *arg)
{
	const struct client_stream to = { line, stop, arg };
	char *text = json_dumps(body, JSON_COMPACT);
	struct api_answer answer = { 0 };
	enum ctl_exit rc = CTL_OK;
	int err;

	json_decref(body);
	err = client_stream(ctl->client, method, target, text, &to, &answer.reply, &ctl->err);
	free(text);
	if (err) {
		rc = exit_of_error(err);
	} else if (answer.reply.status != 200 && answer.reply.status) {
		answer.json = parse_reply(&answer.reply);
		api_print(ctl, &answer);
		rc = api_problem(ctl, answer.reply.status, answer.json);
	}
	api_answer_clear(&answer);
	return rc;
}

enum ctl_exit api_get(struct ctl *ctl, const char *target, json_t **out)
{
	return api_call(ctl, "GET", target, NULL, out);
}

enum ctl_exit api_get_named(struct ctl *ctl, const char *nouns, const char *name, json_t **out)
{
	char *escaped = api_escape(name), *target = text_printf("/v1/%s/%s", nouns, escaped);
	enum ctl_exit rc = api_get(ctl, target, out);

	if (rc == CTL_NOT_FOUND) {
		json_t *list = api_list(ctl, nouns);

		api_suggest(ctl, list, name);
		json_decref(list);
	}
	free(target);
	free(escaped);
	return rc;
}

json_t *api_list(struct ctl *ctl, const char *nouns)
{
	char *target = text_printf("/v1/%s", nouns);
	struct client_reply reply;
	json_t *json, *list;
	int rc = client_call(ctl->client, "GET", target, NULL, &reply, NULL);

	free(target);
	if (rc)
		return NULL;
	json = parse_reply(&reply);
	client_reply_clear(&reply);
	list = json_incref(json_object_get(json, nouns));
	json_decref(json);
	return list;
}

char *api_escape(const char *name)
{
	char *escaped = curl_easy_escape(NULL, name, (int)strlen(name)), *out;

	out = text_printf("%s", escaped ? escaped : "");
	curl_free(escaped);
	return out;
}

void api_suggest(struct ctl *ctl, const json_t *list, const char *name)
{
	struct conf_guess guess;

	if (strstr(ctl->err.text, "did you mean"))
		return;
	conf_guess_start(&guess, name);
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *entry = json_array_get(list, i);
		const char *known = json_string_value(json_object_get(entry, "name"));

		if (known)
			conf_guess_offer(&guess, known);
	}
	if (guess.best)
		ctl_hint(&ctl->err, "; did you mean \"%s\"?", guess.best);
}
