/* SPDX-License-Identifier: BSD-2-Clause */
/* The tokens are those of libconfig 1.5 (its scanner.l); what is refused here never reaches it. */
#include "controlplane/conf/scan.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/conf/diag.h"
#include "controlplane/conf/words.h"

enum token {
	TOKEN_END,
	TOKEN_NAME,
	TOKEN_EQUALS,
	TOKEN_OPEN, /* { [ ( */
	TOKEN_CLOSE,
	TOKEN_COMMA,
	TOKEN_STRING,
	TOKEN_OTHER, /* numbers, true, false, ;, and what libconfig will call a syntax error */
};

struct scan {
	const struct conf_text *text;
	struct diags *diags;
	const char *p, *end; /* the rest */
	const char *start;   /* of the line */
	uint32_t line;
	enum token last;
	struct conf_spot at; /* where the token begins that was read last */
	size_t size;	     /* and its bytes */
	unsigned depth;
	struct {
		char open;
		uint32_t members;
		struct conf_spot at;
	} nest[CONF_DEPTH_MAX + 1]; /* [0] is the root */
	struct conf_places places;
	size_t room;
	uint32_t settings;    /* with the elements of lists */
	uint64_t comparisons; /* that libconfig will make */
	bool wants_value;     /* the last place still waits for its value's spot */
	int rc;
};

static struct conf_spot here(const struct scan *s)
{
	return (struct conf_spot){ .offset = (uint32_t)(s->p - s->text->bytes),
		.start = (uint32_t)(s->start - s->text->bytes),
		.line = s->line };
}

#define refuse(s, at, ...)                                                       \
	do {                                                                     \
		diags_add((s)->diags, DIAG_ERROR, (s)->text, (at), __VA_ARGS__); \
		(s)->rc = -EINVAL;                                               \
	} while (0)

/* Every byte is looked at here, exactly once: it counts lines and sees what no text may hold. */
static bool step(struct scan *s)
{
	size_t n = conf_utf8(s->p, s->end);
	struct conf_spot at = here(s);

	if (!n) {
		refuse(s, &at, "the byte 0x%02x is not UTF-8 text", (unsigned char)*s->p);
		return false;
	}
	if (*s->p == '\0') {
		refuse(s, &at, "a NUL byte: this is not a text file");
		return false;
	}
	s->p += n;
	if (n == 1 && s->p[-1] == '\n') {
		s->line++;
		s->start = s->p;
	}
	return true;
}

static bool steps(struct scan *s, size_t n)
{
	for (const char *to = s->p + n; s->p < to;)
		if (!step(s))
			return false;
	return true;
}

static bool starts(const struct scan *s, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(s->end - s->p) >= n && !memcmp(s->p, word, n);
}

static bool comment_to(struct scan *s, const char *close)
{
	struct conf_spot at = here(s);

	if (!steps(s, *s->p == '#' ? 1 : 2))
		return false;
	while (s->p < s->end && !starts(s, close))
		if (!step(s))
			return false;
	if (s->p < s->end)
		return steps(s, strlen(close));
	refuse(s, &at, "this comment has no end; write \"*/\"");
	return false;
}

static bool skip_blanks(struct scan *s)
{
	while (s->p < s->end) {
		bool ok;
		if (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r' ||
			*s->p == '\f')
			ok = step(s);
		else if (*s->p == '#' || starts(s, "//"))
			ok = comment_to(s, "\n");
		else if (starts(s, "/*"))
			ok = comment_to(s, "*/");
		else
			return true;
		if (!ok)
			return false;
	}
	return true;
}

/* Behind the opening quote. */
static bool string(struct scan *s)
{
	while (s->p < s->end && *s->p != '"') {
		struct conf_spot at = here(s);
		if (starts(s, "\\x00") || starts(s, "\\X00")) {
			refuse(s, &at, "a string cannot hold a NUL byte");
			return false;
		}
		if (!steps(s, starts(s, "\\\\") || starts(s, "\\\"") ? 2 : 1))
			return false;
	}
	if (s->p < s->end)
		return steps(s, 1);
	refuse(s, &s->at, "this string has no end; write '\"'");
	return false;
}

static size_t count(const struct scan *s, size_t from, const char *set)
{
	size_t n = from;

	while (s->p + n < s->end && s->p[n] && strchr(set, s->p[n]))
		n++;
	return n - from;
}

#define DIGITS "0123456789"

static bool is_at(const struct scan *s, size_t n, const char *set)
{
	return s->p + n < s->end && s->p[n] && strchr(set, s->p[n]);
}

/* The length of the exponent that begins n bytes ahead, 0 when there is none. */
static size_t exponent(const struct scan *s, size_t n)
{
	size_t sign, power;

	if (!is_at(s, n, "eE"))
		return 0;
	sign = is_at(s, n + 1, "+-") ? 1 : 0;
	power = count(s, n + 1 + sign, DIGITS);
	return power ? 1 + sign + power : 0;
}

static size_t suffix(const struct scan *s, size_t n)
{
	size_t found = count(s, n, "L");

	return found > 2 ? 2 : found;
}

/* The length of the number at s->p: the longest of hexadecimal, integer and float, as flex takes it. */
static size_t number(const struct scan *s)
{
	size_t n, whole, sign = is_at(s, 0, "+-") ? 1 : 0;

	if (starts(s, "0x") || starts(s, "0X")) {
		n = count(s, 2, DIGITS "abcdefABCDEF");
		if (n)
			return 2 + n + suffix(s, 2 + n);
	}
	whole = count(s, sign, DIGITS);
	n = sign + whole;
	if (is_at(s, n, ".")) {
		n += 1 + count(s, n + 1, DIGITS);
		return n + exponent(s, n);
	}
	if (!whole)
		return 0;
	return exponent(s, n) ? n + exponent(s, n) : n + suffix(s, n);
}

const char *conf_number_at(const struct conf_text *t, const struct conf_spot *at, size_t *size)
{
	struct scan s = { .p = t->bytes + at->offset, .end = t->bytes + t->size };

	*size = number(&s);
	return s.p;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '*';
}

static size_t name(const struct scan *s)
{
	size_t n = 0;

	while (s->p + n < s->end &&
		(is_letter(s->p[n]) || (n && s->p[n] && strchr(DIGITS "-_", s->p[n]))))
		n++;
	return n;
}

static bool is_boolean(const char *p, size_t n)
{
	return (n == 4 && !strncasecmp(p, "true", 4)) || (n == 5 && !strncasecmp(p, "false", 5));
}

/* Names, numbers and single characters. */
static enum token plain(struct scan *s)
{
	enum token token = TOKEN_OTHER;
	size_t n = name(s);

	if (n) {
		token = is_boolean(s->p, n) ? TOKEN_OTHER : TOKEN_NAME;
	} else if ((n = number(s)) == 0) {
		token = strchr("{[(", *s->p)   ? TOKEN_OPEN
			: strchr("}])", *s->p) ? TOKEN_CLOSE
			: *s->p == ','	       ? TOKEN_COMMA
			: strchr("=:", *s->p)  ? TOKEN_EQUALS
					       : TOKEN_OTHER;
		n = 1;
	}
	return steps(s, n) ? token : TOKEN_END;
}

/* Reads the next token; TOKEN_END at the end of the text, or with s->rc set. */
static enum token next(struct scan *s)
{
	enum token token;

	if (!skip_blanks(s))
		return TOKEN_END;
	s->at = here(s);
	if (s->p == s->end)
		return TOKEN_END;
	if (starts(s, "@include")) {
		refuse(s, &s->at, "@include is not supported; write everything in this one file");
		return TOKEN_END;
	}
	if (*s->p == '\0') {
		step(s);
		return TOKEN_END;
	}
	if (*s->p == '"')
		token = steps(s, 1) && string(s) ? TOKEN_STRING : TOKEN_END;
	else
		token = plain(s);
	s->size = (size_t)(s->p - s->text->bytes) - s->at.offset;
	return token;
}

static bool is_list(const struct scan *s)
{
	return s->nest[s->depth].open == '(' || s->nest[s->depth].open == '[';
}

static void count_setting(struct scan *s)
{
	if (!is_list(s))
		s->comparisons += s->nest[s->depth].members++;
	if (s->settings++ == CONF_SETTINGS_MAX)
		refuse(s, &s->at, "too many settings: a file can have %u", CONF_SETTINGS_MAX);
	else if (s->comparisons > CONF_COMPARISONS_MAX)
		refuse(s, &s->at,
			"too many settings in one group: reading them would take too long");
}

static void add_place(struct scan *s)
{
	struct conf_place *list;

	count_setting(s);
	if (s->places.n == s->room) {
		s->room = s->room ? s->room * 2 : 64;
		list = reallocarray(s->places.list, s->room, sizeof *list);
		if (!list) {
			s->rc = -ENOMEM;
			return;
		}
		s->places.list = list;
	}
	s->places.list[s->places.n++] =
		(struct conf_place){ .key = s->at, .value = s->at, .name_size = (uint32_t)s->size };
}

static void open_group(struct scan *s, char bracket)
{
	if (s->depth == CONF_DEPTH_MAX) {
		refuse(s, &s->at, "groups lie too deep in one another: more than %d levels",
			CONF_DEPTH_MAX);
		return;
	}
	s->depth++;
	s->nest[s->depth].open = bracket;
	s->nest[s->depth].members = 0;
	s->nest[s->depth].at = s->at;
}

/* Strings may stand behind =, in lists, and behind another string, which they continue. Elsewhere they
 * are refused here, since libconfig 1.5 loses the memory of a string that it trips over. */
static void check_string(struct scan *s)
{
	if (s->last == TOKEN_EQUALS || s->last == TOKEN_STRING)
		return;
	if (is_list(s) && (s->last == TOKEN_COMMA || s->last == TOKEN_OPEN))
		return;
	refuse(s, &s->at, "syntax error: a string where a setting's name is expected");
}

static void take(struct scan *s, enum token token)
{
	if (s->last == TOKEN_EQUALS && s->wants_value) {
		s->places.list[s->places.n - 1].value = s->at;
		s->wants_value = false;
	}
	if (token == TOKEN_NAME) {
		add_place(s);
		s->wants_value = true;
	} else if (token == TOKEN_OPEN) {
		open_group(s, s->text->bytes[s->at.offset]);
	} else if (token == TOKEN_CLOSE && s->depth) {
		s->depth--;
	} else if (token == TOKEN_COMMA && is_list(s)) {
		count_setting(s);
	} else if (token == TOKEN_STRING) {
		check_string(s);
	}
	s->last = token;
}

int conf_scan(const struct conf_text *t, struct conf_places *out, struct diags *d)
{
	struct scan s = { .text = t,
		.diags = d,
		.p = t->bytes,
		.end = t->bytes + t->size,
		.start = t->bytes,
		.line = 1,
		.last = TOKEN_OTHER };
	enum token token;

	if (starts(&s, "\xef\xbb\xbf")) {
		s.at = here(&s);
		refuse(&s, &s.at, "the file begins with a byte order mark; save it as plain UTF-8");
	}
	while (!s.rc && (token = next(&s)) != TOKEN_END)
		take(&s, token);
	if (s.rc) {
		free(s.places.list);
		return s.rc;
	}
	*out = s.places;
	if (s.depth)
		out->unclosed = s.nest[s.depth].at;
	return 0;
}

struct attaching {
	const struct conf_places *places;
	const struct conf_text *text;
	size_t next;
};

/* libconfig keeps members in the order of the text, so that a walk from the top meets the places one
 * after the other. Recursion ends at CONF_DEPTH_MAX. Returns the setting that has no place, or NULL. */
static const config_setting_t *attach(struct attaching *a, config_setting_t *group)
{
	int n = config_setting_is_aggregate(group) ? config_setting_length(group) : 0;

	for (int i = 0; i < n; i++) {
		config_setting_t *s = config_setting_get_elem(group, (unsigned)i);
		const char *word = config_setting_name(s);
		const config_setting_t *lost;
		if (word) {
			struct conf_place *place = &a->places->list[a->next];
			if (a->next == a->places->n || strlen(word) != place->name_size ||
				memcmp(word, a->text->bytes + place->key.offset, place->name_size))
				return s;
			config_setting_set_hook(s, place);
			a->next++;
		}
		lost = attach(a, s);
		if (lost)
			return lost;
	}
	return NULL;
}

int conf_places_attach(const struct conf_places *p, const struct conf_text *t,
	config_setting_t *root, struct diags *d)
{
	struct attaching a = { .places = p, .text = t };
	const config_setting_t *lost = attach(&a, root);

	if (!lost)
		return 0;
	diags_add(d, DIAG_ERROR, t, NULL, CONF_DISAGREEMENT " (line %u); write one setting a line",
		config_setting_source_line(lost));
	return -EINVAL;
}

void conf_places_free(struct conf_places *p)
{
	free(p->list);
	*p = (struct conf_places){ 0 };
}
