/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandemctl/command.h"
#include <stdlib.h>
#include <string.h>
#include "apps/tandemctl/text.h"
#include "controlplane/conf/words.h"

static bool is_noun(const struct command *c, const char *word)
{
	return strcmp(c->noun, word) == 0;
}

/* The sentence for a word that is no noun, or no verb of `noun`. */
static void unknown_word(const char *noun, const char *word, struct err *e)
{
	char quoted[CONF_QUOTED];
	struct conf_guess guess;

	conf_guess_start(&guess, word);
	for (size_t i = 0; i < n_commands; i++) {
		if (!noun)
			conf_guess_offer(&guess, commands[i].noun);
		else if (is_noun(&commands[i], noun) && commands[i].verb)
			conf_guess_offer(&guess, commands[i].verb);
	}
	conf_quote(word, quoted);
	if (noun)
		err_set(e, 0, "\"%s\" has no verb %s", noun, quoted);
	else
		err_set(e, 0, "there is no command %s", quoted);
	if (guess.best)
		ctl_hint(e, "; did you mean \"%s\"?", guess.best);
	else
		ctl_hint(e, "; see `tandemctl help`");
}

/* The command named by the words, whatever arguments follow; n_words tells how many words name it. */
static const struct command *command_look_up(char **words, int *n_words, struct err *e)
{
	const char *noun = NULL;

	if (!words[0]) {
		err_set(e, 0, "no command given; see `tandemctl help`");
		return NULL;
	}
	for (size_t i = 0; i < n_commands; i++) {
		const struct command *c = &commands[i];

		if (!is_noun(c, words[0]))
			continue;
		noun = c->noun;
		*n_words = c->verb ? 2 : 1;
		if (!c->verb || (words[1] && strcmp(c->verb, words[1]) == 0))
			return c;
	}
	if (noun && !words[1])
		err_set(e, 0, "\"%s\" needs a verb; see `tandemctl help %s`", noun, noun);
	else
		unknown_word(noun, noun ? words[1] : words[0], e);
	return NULL;
}

/* "vip show NAME" as in a synopsis; to be freed. */
static char *synopsis(const struct command *c)
{
	return text_printf("%s%s%s%s%s", c->noun, c->verb ? " " : "", c->verb ? c->verb : "",
		*c->usage ? " " : "", c->usage);
}

static int count(char **words)
{
	int n = 0;

	while (words[n])
		n++;
	return n;
}

const struct command *command_find(char **words, char ***args, struct err *e)
{
	int n_words = 0, n;
	const struct command *c = command_look_up(words, &n_words, e);

	if (!c)
		return NULL;
	*args = words + n_words;
	n = count(*args);
	if (n < c->least || n > c->most) {
		char *text = synopsis(c);

		err_set(e, 0, "usage: tandemctl %s", text);
		free(text);
		return NULL;
	}
	for (int i = 0; i < n; i++) {
		if (!*(*args)[i]) {
			err_set(e, 0, "an argument is empty; see `tandemctl help %s`", c->noun);
			return NULL;
		}
	}
	return c;
}

/* One line for each command of the noun; NULL: of every noun. */
static void help_list(const struct screen *s, const char *noun)
{
	int width = 0;

	for (size_t i = 0; i < n_commands; i++) {
		char *text = synopsis(&commands[i]);
		int w = (int)strlen(text);

		width = w > width ? w : width;
		free(text);
	}
	for (size_t i = 0; i < n_commands; i++) {
		char *text = synopsis(&commands[i]);

		if (!noun || is_noun(&commands[i], noun))
			fprintf(s->out, "  %-*s  %s\n", width, text, commands[i].help);
		free(text);
	}
}

static void help_all(const struct screen *s)
{
	fputs("usage: tandemctl [-s SOCKET] [-j] [-t TIME] NOUN [VERB] [ARGUMENT]...\n\n", s->out);
	help_list(s, NULL);
	fputs("\n"
	      "  -s, --socket PATH      the daemon's socket: $TANDEM_SOCKET, or "
	      "/run/tandem/api.sock\n"
	      "  -j, --json             print the API's JSON as it came\n"
	      "  -t, --timeout TIME     how long to wait for an answer (10s), or with --wait for the end\n"
	      "  -w, --why TEXT         the reason of a change, kept and shown with it\n"
	      "      --wait             of `server drain`: wait until no connection is left\n"
	      "      --hex BYTES        of `trace inject`: the frame in hexadecimal\n"
	      "      --pcap FILE        of `trace inject`: the frame stands in a pcap or pcapng file\n"
	      "      --frame N          which of its frames (1)\n"
	      "  -w, --write FILE       of `capture`: write pcapng\n"
	      "      --count N          of `capture`: end after so many packets\n"
	      "  -h, --help             this, or with NOUN and VERB more about them\n"
	      "  -V, --version          the version of this program\n"
	      "\n"
	      "exit codes: 0 ok, 1 negative answer, 2 usage, 3 daemon unreachable, 4 permission,\n"
	      "            5 not found, 6 conflict, 7 timed out\n",
		s->out);
}

static void help_one(const struct screen *s, const struct command *c)
{
	char *text = synopsis(c);

	fprintf(s->out, "tandemctl %s%s%s\n  %s\n", text, c->takes_why ? " [--why TEXT]" : "",
		c->takes_wait	 ? " [--wait [--timeout TIME]]"
		: c->takes_write ? " [-w FILE] [--count N]"
		: c->takes_frame ? " [--hex BYTES | --pcap FILE [--frame N]]"
				 : "",
		c->help);
	if (c->more)
		fprintf(s->out, "\n%s\n", c->more);
	free(text);
}

enum ctl_exit command_help(struct ctl *ctl, char **words)
{
	const struct command *c;
	int n_words;

	if (!words[0]) {
		help_all(&ctl->screen);
		return CTL_OK;
	}
	if (!words[1]) {
		for (size_t i = 0; i < n_commands; i++) {
			if (is_noun(&commands[i], words[0]) && commands[i].verb) {
				help_list(&ctl->screen, words[0]);
				return CTL_OK;
			}
		}
	}
	c = command_look_up(words, &n_words, &ctl->err);
	if (!c)
		return CTL_USAGE;
	help_one(&ctl->screen, c);
	return CTL_OK;
}
