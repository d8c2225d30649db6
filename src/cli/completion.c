/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What makes a shell complete the verbs: made from the grammar in the table of
 * verbs. Names of mirrors are asked of the daemon at the moment they are needed.
 */
#include "config.h"
#include "cli/cli.h"

#include "base/buf.h"

#include <ctype.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#define HEAD "Made by onionmirror completion %s from its table of verbs: change that, not this."

/* What may follow a verb. */
struct grammar {
	struct buf options; /* "--wait --since", with what is common to all */
	struct buf words;   /* "on off" */
	bool mirror, file;
};

/* "ONION|MIRROR", "on|off", "2h", "PUB...": what one word of a usage stands for. */
static void
take_word(struct grammar *g, const char *w, size_t n, bool value)
{
	const char *bar = memchr(w, '|', n);
	size_t i;

	if (n >= 6 && memcmp(w + n - 6, "MIRROR", 6) == 0) {
		g->mirror = true;
	} else if (isupper((unsigned char)w[0])) {
		/* A number, a name or an identity is the reader's own. */
		g->file = g->file || memmem(w, n, "DIR", 3) != NULL || memmem(w, n, "FILE", 4) != NULL || memmem(w, n, "PUB", 3) != NULL ||
		    memmem(w, n, "KEY", 3) != NULL || memmem(w, n, "STEM", 4) != NULL;
	} else if (bar != NULL || !value) {
		buf_adds(&g->words, g->words.len > 0 ? " " : "");
		for (i = 0; i < n; i++)
			buf_addf(&g->words, "%c", w[i] == '|' ? ' ' : w[i]);
	}
}

static void
grammar_of(struct grammar *g, const struct verb *v)
{
	const char *p = v->usage;
	bool value = false;
	size_t n;

	*g = (struct grammar){ .options = BUF_INIT(1024), .words = BUF_INIT(1024) };
	while (*(p += strspn(p, " [].")) != '\0') {
		n = strcspn(p, " [].");
		if (*p == '-') {
			buf_addf(&g->options, "%s%.*s", g->options.len > 0 ? " " : "", (int)n, p);
			value = p[n] == ' ';
		} else {
			take_word(g, p, n, value);
			value = false;
		}
		p += n;
	}
	buf_addf(&g->options, "%s--json --help", g->options.len > 0 ? " " : "");
}

static void
grammar_free(struct grammar *g)
{
	buf_free(&g->options);
	buf_free(&g->words);
}

static bool
begins_group(const struct verb *v)
{
	size_t n = strcspn(v->name, " ");

	return v->name[n] == ' ' && (v == verbs || strncmp((v - 1)->name, v->name, n + 1) != 0);
}

/* The first words of all verbs, each once; and the second ones of a group. */
static void
print_firsts(void)
{
	const struct verb *v;

	for (v = verbs; v->name != NULL; v++)
		if (strchr(v->name, ' ') == NULL || begins_group(v))
			printf("%s%.*s", v == verbs ? "" : " ", (int)strcspn(v->name, " "), v->name);
}

static void
print_seconds(const struct verb *group)
{
	size_t n = strcspn(group->name, " ");
	const struct verb *v;

	for (v = group; v->name != NULL && strncmp(v->name, group->name, n + 1) == 0; v++)
		printf("%s%s", v == group ? "" : " ", v->name + n + 1);
}

/* For bash and zsh, which are told alike: the words of the verb so far are in $verb and $second. */
static void
print_cases(void)
{
	const struct verb *v;
	struct grammar g;

	puts("\tcase \"$verb $second\" in");
	for (v = verbs; v->name != NULL; v++) {
		grammar_of(&g, v);
		printf("\t\"%s%s) options=\"%s\" choices=\"%s\" mirror=%d file=%d ;;\n", v->name, strchr(v->name, ' ') != NULL ? "\"" : " \"*", buf_str(&g.options),
		    buf_str(&g.words), g.mirror, g.file);
		grammar_free(&g);
	}
	for (v = verbs; v->name != NULL; v++)
		if (begins_group(v)) {
			printf("\t\"%.*s \") choices=\"", (int)strcspn(v->name, " "), v->name);
			print_seconds(v);
			puts("\" ;;");
		}
	fputs("\t\" \") options=\"-f -s --json --help --version\" choices=\"", stdout);
	print_firsts();
	puts("\" ;;\n\tesac");
}

static const char mirrors[] = "\"$1\" \"${common[@]}\" mirrors 2>/dev/null | sed -n '1d; s/^\\([a-z0-9][a-z0-9-]*\\) .*/\\1/p'";

static void
print_bash(void)
{
	printf("# " HEAD "\n_onionmirror()\n{\n", "bash");
	puts("\tlocal cur=${COMP_WORDS[COMP_CWORD]} verb= second= options= choices= mirror=0 file=0 i\n"
	     "\tlocal -a common=()\n"
	     "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	     "\t\tcase ${COMP_WORDS[i]} in\n"
	     "\t\t-f | -s) common+=(\"${COMP_WORDS[i]}\" \"${COMP_WORDS[i + 1]}\"); i=$((i + 1)) ;;\n"
	     "\t\t-*) ;;\n"
	     "\t\t*) if [[ -z $verb ]]; then verb=${COMP_WORDS[i]}; elif [[ -z $second ]]; then second=${COMP_WORDS[i]}; fi ;;\n"
	     "\t\tesac\n"
	     "\tdone\n"
	     "\tcase ${COMP_WORDS[COMP_CWORD - 1]} in -f | -s) COMPREPLY=($(compgen -f -- \"$cur\")); return ;; esac");
	print_cases();
	printf("\tif [[ $cur == -* ]]; then COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")); return; fi\n"
	       "\tif [[ $mirror == 1 ]]; then choices+=\" $(%s)\"; fi\n", mirrors);
	puts("\tCOMPREPLY=($(compgen -W \"$choices\" -- \"$cur\"))\n"
	     "\tif [[ $file == 1 ]]; then COMPREPLY+=($(compgen -f -- \"$cur\")); fi\n"
	     "}\n"
	     "complete -o filenames -F _onionmirror onionmirror");
}

static void
print_zsh(void)
{
	printf("#compdef onionmirror\n# " HEAD "\n_onionmirror()\n{\n", "zsh");
	puts("\tlocal cur=${words[CURRENT]} verb= second= options= mirror=0 file=0 program=${words[1]} i\n"
	     "\tlocal -a common line=(\"${words[@]}\")\n"
	     "\tfor ((i = 2; i < CURRENT; i++)); do\n"
	     "\t\tcase ${line[i]} in\n"
	     "\t\t-f | -s) common+=(\"${line[i]}\" \"${line[i + 1]}\"); i=$((i + 1)) ;;\n"
	     "\t\t-*) ;;\n"
	     "\t\t*) if [[ -z $verb ]]; then verb=${line[i]}; elif [[ -z $second ]]; then second=${line[i]}; fi ;;\n"
	     "\t\tesac\n"
	     "\tdone\n"
	     "\tcase ${line[CURRENT - 1]} in -f | -s) _files; return ;; esac\n"
	     "\tlocal choices=");
	print_cases();
	printf("\tset -- \"$program\"\n"
	       "\tif [[ $mirror == 1 ]]; then choices+=\" $(%s)\"; fi\n", mirrors);
	puts("\tif [[ $cur == -* ]]; then compadd -- ${=options}; return; fi\n"
	     "\tcompadd -- ${=choices}\n"
	     "\tif [[ $file == 1 ]]; then _files; fi\n"
	     "}\n"
	     "# Found through fpath this file is the function's first call; sourced, it only tells of it.\n"
	     "if [[ ${funcstack[1]} == _onionmirror ]]; then _onionmirror \"$@\"; else compdef _onionmirror onionmirror; fi");
}

/* When the verb has been typed, as fish asks. */
static void
print_fish_condition(const struct verb *v)
{
	const char *space = strchr(v->name, ' ');
	const struct verb *g;

	printf("complete -c onionmirror -n '__fish_seen_subcommand_from %.*s", space != NULL ? (int)(space - v->name) : (int)strlen(v->name), v->name);
	if (space != NULL) {
		printf("; and __fish_seen_subcommand_from %s", space + 1);
	} else {
		/* "root rotate" is not "rotate". */
		fputs("; and not __fish_seen_subcommand_from", stdout);
		for (g = verbs; g->name != NULL; g++)
			if (begins_group(g))
				printf(" %.*s", (int)strcspn(g->name, " "), g->name);
	}
	fputs("' ", stdout);
}

static void
print_fish_verb(const struct verb *v)
{
	struct grammar g;
	char *word, *rest, *text;

	grammar_of(&g, v);
	text = rest = buf_take(&g.options);
	while (rest != NULL && (word = strsep(&rest, " ")) != NULL) {
		print_fish_condition(v);
		printf("%s %s\n", word[1] == '-' ? "-l" : "-s", word + (word[1] == '-' ? 2 : 1));
	}
	free(text);
	if (g.words.len > 0 || g.mirror) {
		print_fish_condition(v);
		printf("-a '%s%s'\n", buf_str(&g.words), g.mirror ? "(__onionmirror_mirrors)" : "");
	}
	if (g.file) {
		print_fish_condition(v);
		puts("-F");
	}
	grammar_free(&g);
}

static void
print_fish(void)
{
	const struct verb *v;

	printf("# " HEAD "\n", "fish");
	puts("function __onionmirror_mirrors\n"
	     "\tset -l line (commandline -opc)\n"
	     "\tset -l common\n"
	     "\tfor i in (seq 2 (count $line))\n"
	     "\t\tif contains -- $line[$i] -f -s; and test $i -lt (count $line)\n"
	     "\t\t\tset common $common $line[$i] $line[(math $i + 1)]\n"
	     "\t\tend\n"
	     "\tend\n"
	     "\t$line[1] $common mirrors 2>/dev/null | sed -n '1d; s/^\\([a-z0-9][a-z0-9-]*\\) .*/\\1/p'\n"
	     "end\n"
	     "complete -c onionmirror -f\n"
	     "complete -c onionmirror -n __fish_use_subcommand -s f -r -F -d configuration\n"
	     "complete -c onionmirror -n __fish_use_subcommand -s s -r -F -d 'control socket'");
	for (v = verbs; v->name != NULL; v++) {
		int n = (int)strcspn(v->name, " ");

		if (v->name[n] == '\0')
			printf("complete -c onionmirror -n __fish_use_subcommand -a %s -d \"%s\"\n", v->name, v->help);
		else if (begins_group(v))
			printf("complete -c onionmirror -n __fish_use_subcommand -a %.*s\n", n, v->name);
		if (begins_group(v)) {
			printf("complete -c onionmirror -n '__fish_seen_subcommand_from %.*s; and not __fish_seen_subcommand_from ", n, v->name);
			print_seconds(v);
			fputs("' -a '", stdout);
			print_seconds(v);
			puts("'");
		}
		print_fish_verb(v);
	}
}

int
verb_completion(struct cli *c, int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} shells[] = { { "bash", print_bash }, { "zsh", print_zsh }, { "fish", print_fish } };
	struct err e = ERR_INIT;
	size_t i;

	if (cli_take(c, &argc, argv, NULL, 1, 1) != 0)
		return CLI_USAGE;
	for (i = 0; i < 3; i++)
		if (strcmp(shells[i].name, argv[1]) == 0) {
			shells[i].print();
			return CLI_DONE;
		}
	err_set(&e, ERR_PARSE, "bash, zsh or fish, not %.40s", argv[1]);
	return cli_usage(argv[0], &e);
}
