/*
 * main.c - ruad: the table of commands, and the options that all commands have.
 */
#include "server/cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "server/common/log.h"

struct command {
	const char *name;
	int (*run)(const struct settings *settings, int argc, char **argv); /* NULL: help or version */
	const char *operands;
	const char *summary;
	const char *help; /* options and remarks, or "" */
};

static const struct command commands[] = {
	{ "serve", command_serve, "", "receive mail, store reports, serve the page", "" },
	{ "import", command_import, "PATH...", "store the reports in files, mailboxes and folders",
	    "PATH is a mail (also .msg of Outlook), an mbox, a Maildir, an XML or JSON file, a packed file\n"
	    "(gzip, zip, 7z, tar, bzip2, xz, lzma, zstd), the JSON of parsedmarc, a MySQL dump of dmarc-srg\n"
	    "or dmarcts-report-parser, a folder of these, or - for standard input. Reports that are already\n"
	    "stored count as duplicates.\n\n"
	    "Standard input, and all files of a user who has no access to the database, go to the running\n"
	    "ruad over lmtp.listen. The exit code tells a mail server what to do: 0 stored, 75 try again,\n"
	    "65 or 69 refused.\n\n"
	    "  -j, --jobs=N         documents to process at the same time (default: 64)\n"
	    "  -q, --quiet          print neither progress nor a summary\n" },
	{ "parse", command_parse, "FILE...",
	    "print the content of reports or mails as JSON; needs no database", "" },
	{ "check", command_check, "DOMAIN...", "check the DNS of domains: DMARC, SPF, DKIM, report addresses",
	    "Exit code 0: there is no error, 1: there is one, 75: the DNS did not answer. With -v, each\n"
	    "query and its answer are printed on standard error.\n\n"
	    "  -r, --resolver=ADDRESS[:PORT]  query this DNS server, and those of the system only for what\n"
	    "                                 it does not have\n"
	    "  -s, --selector=NAME[:DOMAIN]   check this DKIM key; may be repeated (default: the\n"
	    "                                 selectors in stored reports and the usual ones)\n"
	    "      --ip=ADDRESS               only evaluate SPF as a receiver of mail from this address "
	    "does:\n"
	    "                                 exit code 0 if it passes\n"
	    "      --from=MAIL                with --ip: the envelope sender\n"
	    "      --helo=NAME                with --ip: the name in HELO\n"
	    "      --no-https                 do not fetch the policy of MTA-STS\n"
	    "      --blocklists               ask public block lists about the domain, its hosts or the "
	    "address\n"
	    "                                 of --ip; they see who asks\n"
	    "      --blocklist-file=FILE      ask the block lists in FILE instead\n"
	    "  -j, --json                     print one JSON document per line\n"
	    "      --csv                      print one line of CSV per domain\n"
	    "      --explain                  say what each tag of the records does\n" },
	{ "reprocess", command_reprocess, "", "read quarantined mail again",
	    "Reads quarantined mail with the current parser. Reports that can now be read are stored\n"
	    "with the time at which the mail was received. May be interrupted and repeated.\n\n"
	    "      --since=DATE     only mail received since then: YYYY-MM-DD (UTC) or a time of RFC 3339\n"
	    "      --reason=CODE    only mail quarantined for this reason, as Intake shows it (limit, xml, "
	    "...)\n"
	    "  -n, --dry-run        only read the mail, and print what would be stored\n"
	    "  -j, --jobs=N         mails to process at the same time (default: 64)\n"
	    "  -q, --quiet          print neither progress nor a summary\n" },
	{ "exclude", command_exclude, "REPORT... | --reporter=NAME --since=DATE",
	    "take reports out of every number",
	    "REPORT is the number in the address of the report's page. An excluded report stays in the\n"
	    "list of reports, struck through. Reports that arrive later count. Logged with user and time.\n\n"
	    "      --reporter=NAME  with --since: all reports of this reporter, named as on the page\n"
	    "      --since=DATE     that begin then or later: YYYY-MM-DD (UTC) or a time of RFC 3339\n"
	    "      --reason=TEXT    the reason, logged and shown with the reports\n"
	    "      --log            list every exclusion and inclusion, in order\n" },
	{ "include", command_include, "REPORT... | --reporter=NAME --since=DATE",
	    "count excluded reports again",
	    "The opposite of ruad exclude. Logged with user and time.\n\n"
	    "      --reporter=NAME  with --since: all reports of this reporter, named as on the page\n"
	    "      --since=DATE     that begin then or later: YYYY-MM-DD (UTC) or a time of RFC 3339\n"
	    "      --reason=TEXT    the reason, logged and shown with the reports\n"
	    "      --log            list every exclusion and inclusion, in order\n" },
	{ "label", command_label, "[SOURCE [LABEL]]", "set or list the labels of sources",
	    "SOURCE is service:NAME, domain:NAME, as:NUMBER or ip:ADDRESS, as on the page and in the API;\n"
	    "LABEL is mine, forwarder, not-mine, or none to remove it. Every change is logged with user\n"
	    "and time.\n\n"
	    "      --note=TEXT      with LABEL: the reason, stored with the label\n"
	    "      --log            without LABEL: list every change ever made, in order\n" },
	{ "user", command_user, "add|set|remove NAME | list",
	    "say which domains a user sees, and what the user may do",
	    "The role of a user of the page is viewer, editor (may set labels and upload reports) or\n"
	    "admin. --domains limits a viewer or editor to domains; *.example.org is every domain below\n"
	    "example.org, * is all domains. The limits also apply to an auditor of that name. A user\n"
	    "without a role sees all domains, and may set labels and upload reports if http.editors says\n"
	    "so. Passwords stay in http.htpasswd or with the proxy.\n\n"
	    "      --role=ROLE      with add and set: viewer, editor or admin\n"
	    "      --domains=LIST   with add and set: a.example,*.b.example (default with add: all)\n" },
	{ "auditor", command_auditor, "add|remove NAME | list",
	    "manage logins for auditors, who read the SQL views",
	    "An auditor reads the views of schema dmarc by SQL and may do nothing else. In the private\n"
	    "database NAME is a user of this machine; in your own, a login with a password.\n\n"
	    "      --password-file=FILE  with add: set the password in FILE (- is standard input)\n" },
	{ "token", command_token, "add|remove NAME | list", "manage tokens, by which programs use the API",
	    "A program sends its token with each request: \"Authorization: Bearer TOKEN\". It has the\n"
	    "rights of USER. add prints the token, which is not stored and cannot be shown again.\n\n"
	    "      --user=USER      with add: the user to whom the token belongs\n"
	    "      --write          with add: the program may also make changes, if USER may\n"
	    "      --expires=DAYS   with add: 90d (the default) or another number of days, or never\n" },
	{ "digest", command_digest, "", "print what to do and what changed in the last week or month",
	    "The last whole week, from Monday to Sunday, or calendar month, of all domains.\n\n"
	    "      --week           of the last whole week (the default)\n"
	    "      --month          of the last whole month\n"
	    "      --until=DATE     that ended on DATE or before: YYYY-MM-DD (default: yesterday)\n"
	    "      --domain=NAME    only this domain, or *.NAME for all below it; may be repeated\n"
	    "      --user=NAME      only the domains that `ruad user` gives this user\n"
	    "      --print          print it as text (the default)\n"
	    "      --html           print it as one HTML document\n"
	    "      --eml            print it as a mail: text, and HTML with pictures\n" },
	{ "notify", command_notify, "--list | --silence=KEY | --unsilence=KEY | --test",
	    "list, silence and test notices",
	    "ruad serve sends notices to the destinations of [notify]: each once, when it is new, worse or\n"
	    "resolved.\n\n"
	    "      --list           list the notices that are present or silenced, and what ended this week\n"
	    "      --silence=KEY    send nothing more about this notice\n"
	    "      --until=DATE     with --silence: until then, YYYY-MM-DD (UTC) or a time of RFC 3339\n"
	    "      --unsilence=KEY  end a silence\n"
	    "      --test           send a test notice to each destination, and print its answer\n" },
	{ "prune", command_prune, "", "remove data that is older than [retention] allows",
	    "ruad serve does this once a day.\n\n"
	    "  -n, --dry-run        only print what would be removed\n"
	    "  -q, --quiet          print nothing if there was nothing to remove\n" },
	{ "migrate", command_migrate, "", "update the schema of the database",
	    "  -n, --dry-run        only print what would be run\n" },
	{ "database", command_database, "dump|restore FILE | upgrade",
	    "back up the private database, restore it, or move it to a newer PostgreSQL",
	    "dump writes a file in the format of pg_dump, also while ruad serve runs; restore and upgrade\n"
	    "need it stopped. They make a new cluster with the newest PostgreSQL that is installed, and "
	    "keep\n"
	    "the old one under another name. FILE may be - for standard output or input.\n\n"
	    "      --replace        with restore: put the dump in the place of the present database\n" },
	{ "health", command_health, "", "ask a running ruad whether it is ready: exit code 0 or 1", "" },
	{ "config", command_config, "", "print the effective settings, with secrets masked, and check them",
	    "Exit code 78: ruad serve would not start with these settings.\n\n"
	    "  --example            print an example settings file: every key at its default\n"
	    "  --man                print the keys as roff, for the manual\n" },
	{ "version", NULL, "", "print the version", "" },
	{ "help", NULL, "[COMMAND]", "print this, or the help of a command", "" },
};

/* The options that all commands have. */
struct common {
	const char *file;
	GStrvBuilder *overrides;
	gboolean verbose;
	gboolean help;
	gboolean version;
};

static gboolean verbose_given;

gboolean command_verbose(void)
{
	return verbose_given;
}

static const struct command *find_command(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(commands); i++)
		if (g_str_equal(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int unknown_command(const char *name)
{
	const char *names[G_N_ELEMENTS(commands) + 1] = { NULL };

	for (gsize i = 0; i < G_N_ELEMENTS(commands); i++)
		names[i] = commands[i].name;
	return command_fail("", COMMAND_USAGE, "unknown command \"%s\": did you mean \"%s\"?", name,
	    settings_nearest(name, names));
}

/* -- help -- */

static const char common_help[] =
    "  -c, --config=FILE    read this settings file instead of " SETTINGS_FILE "\n"
    "  -o SECTION.KEY=VALUE set one key; overrides file and environment\n"
    "  -v, --verbose        log more\n"
    "  -h, --help           print this\n"
    "      --version        print the version\n";

static int print_help(FILE *out, const struct command *command)
{
	if (command != NULL) {
		fprintf(out, "Usage: ruad %s [OPTION]...%s%s\n%s\n\n%s%s%s", command->name,
		    *command->operands == '\0' ? "" : " ", command->operands, command->summary, command->help,
		    *command->help == '\0' ? "" : "\n", common_help);
		return COMMAND_OK;
	}
	fputs("Usage: ruad [OPTION]... COMMAND [OPTION]... [OPERAND]...\n"
	      "Receives DMARC reports by mail, stores them in PostgreSQL, and shows which sources pass.\n\n",
	    out);
	for (gsize i = 0; i < G_N_ELEMENTS(commands); i++)
		fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
	fprintf(out,
	    "\n%s\nExit codes: 0 success, 1 failure, 2 wrong usage, 75 try again later, 78 wrong settings.\n",
	    common_help);
	return COMMAND_OK;
}

static int print_version(void)
{
	puts("ruad " RUAD_VERSION);
	return COMMAND_OK;
}

static int help_or_version(const struct command *command, int argc, char **argv)
{
	const struct command *subject = NULL;

	if (g_str_equal(command->name, "version"))
		return print_version();
	if (argc > 1) {
		subject = find_command(argv[1]);
		if (subject == NULL)
			return unknown_command(argv[1]);
	}
	return print_help(stdout, subject);
}

/* -- the options of all commands -- */

/* If argv[*i] is the option ("-c FILE", "-cFILE", "--config FILE", "--config=FILE"), set value, or NULL if it
 * is missing, and move *i to its last word. Returns FALSE if argv[*i] is another word. */
static gboolean takes_value(
    const char *brief, const char *full, int argc, char **argv, int *i, const char **value)
{
	const char *word = argv[*i];

	if (g_str_equal(word, brief) || g_strcmp0(word, full) == 0) {
		*value = *i + 1 < argc ? argv[++*i] : NULL;
		return TRUE;
	}
	if (g_str_has_prefix(word, brief) && word[1] != '-') {
		*value = word + strlen(brief);
		return TRUE;
	}
	if (full != NULL && g_str_has_prefix(word, full) && word[strlen(full)] == '=') {
		*value = word + strlen(full) + 1;
		return TRUE;
	}
	return FALSE;
}

static gboolean is_flag(const char *word, const char *brief, const char *full)
{
	return g_strcmp0(word, brief) == 0 || g_str_equal(word, full);
}

/* Handle argv[*i] if it is an option that all commands have. Returns FALSE if its value is missing. */
static gboolean take_common(struct common *common, int argc, char **argv, int *i, gboolean *taken)
{
	const char *value = "";

	*taken = TRUE;
	if (takes_value("-c", "--config", argc, argv, i, &value)) {
		common->file = value;
	} else if (takes_value("-o", NULL, argc, argv, i, &value)) {
		if (value != NULL)
			g_strv_builder_add(common->overrides, value);
	} else if (is_flag(argv[*i], "-v", "--verbose")) {
		common->verbose = TRUE;
	} else if (is_flag(argv[*i], "-h", "--help")) {
		common->help = TRUE;
	} else if (is_flag(argv[*i], NULL, "--version")) {
		common->version = TRUE;
	} else {
		*taken = FALSE;
	}
	return value != NULL;
}

/* Split the words into common options and the rest: the command and its own words. */
static gboolean sort_words(struct common *common, int argc, char **argv, GPtrArray *rest)
{
	gboolean options_end = FALSE;

	for (int i = 1; i < argc; i++) {
		char *word = argv[i];
		gboolean taken = FALSE;

		options_end = options_end || g_str_equal(word, "--");
		if (!options_end && !take_common(common, argc, argv, &i, &taken)) {
			command_fail("", COMMAND_USAGE, "option %s needs a value", word);
			return FALSE;
		}
		if (!taken && rest->len == 0 && *word == '-') {
			command_fail("", COMMAND_USAGE, "unknown option \"%s\" (see ruad --help)", word);
			return FALSE;
		}
		if (!taken)
			g_ptr_array_add(rest, word);
	}
	g_ptr_array_add(rest, NULL);
	return TRUE;
}

static int run(const struct command *command, const struct common *common, int argc, char **argv)
{
	g_auto(GStrv) overrides = g_strv_builder_end(common->overrides);
	g_autoptr(GError) error = NULL;
	struct settings *settings = NULL;
	int code;

	if (command->run == NULL)
		return help_or_version(command, argc, argv);
	/* mail servers run it as the users whose mail it is */
	settings = (command->run == command_import ? settings_load_readable : settings_load)(
	    common->file, (const char *const *)overrides, &error);
	if (settings == NULL)
		return command_fail("", COMMAND_CONFIG, "%s", error->message);
	code = command->run(settings, argc, argv);
	settings_free(settings);
	if (fflush(stdout) != 0)
		return command_fail(command->name, COMMAND_FAILED, "cannot write: %s", g_strerror(errno));
	return code;
}

int main(int argc, char **argv)
{
	g_autoptr(GPtrArray) rest = g_ptr_array_new();
	g_autoptr(GStrvBuilder) overrides = g_strv_builder_new();
	struct common common = { .overrides = overrides };
	const struct command *command = NULL;

	if (!sort_words(&common, argc, argv, rest))
		return COMMAND_USAGE;
	verbose_given = common.verbose;
	log_init("ruad", common.verbose);
	if (common.version)
		return print_version();
	if (rest->pdata[0] != NULL) {
		command = find_command(rest->pdata[0]);
		if (command == NULL)
			return unknown_command(rest->pdata[0]);
	}
	if (common.help)
		return print_help(stdout, command);
	if (command == NULL) {
		print_help(stderr, NULL);
		return COMMAND_USAGE;
	}
	return run(command, &common, (int)rest->len - 1, (char **)rest->pdata);
}
