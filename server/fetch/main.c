/*
 * ruad-fetch - takes mail out of an IMAP account, or out of Maildirs, and hands it to ruad-ingest.
 *
 *   ruad-fetch --lmtp=ADDRESS [--storage=FOLDER] [--errands-fd=N --errand=NUMBER] imap|maildir
 *
 * Settings come from the environment (RUAD_SECTION_KEY). Started by ruad serve, once for each account and
 * once for all Maildirs. It has no access to the database. SIGHUP: look again at once; SIGTERM and SIGINT
 * end it anywhere, since a mail is marked only after it is stored.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sysexits.h>

#include "parser/error.h"
#include "server/common/errands.h"
#include "server/common/log.h"
#include "server/common/net.h"
#include "server/common/settings.h"
#include "server/fetch/mailbox.h"
#include "server/fetch/maildir_watch.h"
#include "server/fetch/wake.h"

#define EXIT_USAGE 2

struct arguments {
	char *lmtp;            /* address of ruad-ingest */
	char *folder;          /* for mails that do not fit into memory, or NULL */
	struct errand *errand; /* where we tell how we do, or NULL */
	gboolean is_imap;
};

static gboolean parse_arguments(int argc, char **argv, struct arguments *arguments, GError **error)
{
	int fd = -1, number = -1;
	const GOptionEntry entries[] = {
		{ "lmtp", 0, 0, G_OPTION_ARG_STRING, &arguments->lmtp,
		    "Where ruad-ingest listens: ADDRESS:PORT or unix:/path", "ADDRESS" },
		{ "storage", 0, 0, G_OPTION_ARG_FILENAME, &arguments->folder,
		    "Use this folder for what does not fit into memory", "FOLDER" },
		{ "errands-fd", 0, 0, G_OPTION_ARG_INT, &fd, "Memory in which we tell how we do", "N" },
		{ "errand", 0, 0, G_OPTION_ARG_INT, &number, "Our place in it", "NUMBER" },
		{ 0 },
	};
	g_autoptr(GOptionContext) context =
	    g_option_context_new("imap|maildir - take mail out of an account or Maildirs");
	struct net_address address;
	struct errands *errands;

	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, error))
		return FALSE;
	if (arguments->lmtp == NULL || argc != 2 ||
	    (!g_str_equal(argv[1], "imap") && !g_str_equal(argv[1], "maildir"))) {
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
		    "usage: ruad-fetch --lmtp=ADDRESS imap|maildir");
		return FALSE;
	}
	arguments->is_imap = g_str_equal(argv[1], "imap");
	errands = fd >= 0 ? errands_open(fd, TRUE, error) : NULL; /* never closed */
	arguments->errand = errands_get(errands, number);
	return (fd < 0 || errands != NULL) && net_parse(arguments->lmtp, &address, error);
}

static void run_maildirs(const struct settings *settings, const struct arguments *arguments,
    struct handover *handover, int wake) G_GNUC_NORETURN;

static void run_maildirs(
    const struct settings *settings, const struct arguments *arguments, struct handover *handover, int wake)
{
	const struct maildir_watch watch = {
		.paths = settings_list(settings, "maildir.path"),
		.after = (enum maildir_after)settings_choice(settings, "maildir.after"),
		.handover = handover,
		.max = settings_size(settings, "lmtp.max_message_size"),
		.folder = arguments->folder,
		.wake = wake,
		.errand = arguments->errand,
	};

	maildir_watch_run(&watch);
}

static gboolean run(
    const struct settings *settings, const struct arguments *arguments, int wake, GError **error)
{
	struct account *account = arguments->is_imap ? account_new(settings, error) : NULL;
	struct handover *handover;

	if (arguments->is_imap && account == NULL)
		return FALSE;
	handover = handover_new(arguments->lmtp, settings_list(settings, "lmtp.recipients")[0]);
	if (account == NULL)
		run_maildirs(settings, arguments, handover, wake);
	mailbox_run(account, handover, settings_size(settings, "lmtp.max_message_size"), arguments->folder,
	    wake, arguments->errand);
}

int main(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	struct settings *settings;
	g_autoptr(GError) error = NULL;
	int wake = wake_open(); /* before SIGHUP can be sent */

	log_init("ruad-fetch", FALSE);
	(void)signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* it has a password */
	if (!parse_arguments(argc, argv, &arguments, &error)) {
		fprintf(stderr, "ruad-fetch: %s\n", error->message);
		return EXIT_USAGE;
	}
	settings = settings_load(NULL, NULL, &error);
	if (settings == NULL || !run(settings, &arguments, wake, &error))
		log_error("%s", error->message);
	settings_free(settings);
	return EX_CONFIG;
}
