#include "server/fetch/maildir_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include "server/common/log.h"
#include "server/fetch/maildir.h"
#include "server/fetch/trouble.h"
#include "server/fetch/wake.h"

#define SCAN_SECONDS  60
#define ROUND_MAX     10000 /* mails of one Maildir before the next has its turn */
#define FLAGS_STORED  "S"
#define FLAGS_REFUSED "FS"

struct place {
	const char *path;
	char *new_path;
	struct trouble trouble;
};

/* What a round did. */
struct tally {
	guint stored, refused, later;
	gboolean more;
};

/* -- a mail -- */

static gboolean refuse(const struct place *place, const struct maildir *maildir,
    const struct maildir_mail *mail, const char *reason, GError **error)
{
	g_autofree char *name = log_quote(mail->name);

	if (!maildir_mark(maildir, mail, FLAGS_REFUSED, error))
		return FALSE;
	log_warning("%s: mail %s is not stored, and is in cur with the flags " FLAGS_REFUSED ": %s",
	    place->path, name, reason);
	return TRUE;
}

static gboolean finish(const struct maildir_watch *watch, const struct maildir *maildir,
    const struct maildir_mail *mail, GError **error)
{
	return watch->after == MAILDIR_AFTER_DELETE ? maildir_delete(maildir, mail, error)
						    : maildir_mark(maildir, mail, FLAGS_STORED, error);
}

static gboolean hand_over(const struct maildir_watch *watch, const struct place *place,
    const struct maildir *maildir, const struct maildir_mail *mail, struct spool *spool, struct tally *tally,
    GError **error)
{
	switch (handover_mail(watch->handover, spool)) {
	case HANDED_STORED:
		tally->stored++;
		return finish(watch, maildir, mail, error);
	case HANDED_REFUSED:
		tally->refused++;
		return refuse(place, maildir, mail, handover_reason(watch->handover), error);
	case HANDED_LATER: {
		g_autofree char *name = log_quote(mail->name);

		tally->later++;
		log_warning_paced("later", "%s: mail %s is tried again later: %s", place->path, name,
		    handover_reason(watch->handover));
		wake_wait(watch->wake, -1, handover_pause(watch->handover));
		return TRUE;
	}
	}
	g_assert_not_reached();
}

static void tell_no_file(const struct place *place, const struct maildir_mail *mail)
{
	g_autofree char *name = log_quote(mail->name);

	log_warning_paced("no file", "%s: %s is not a file that can be read: skipped", place->path, name);
}

static gboolean take(const struct maildir_watch *watch, const struct place *place,
    const struct maildir *maildir, const struct maildir_mail *mail, struct spool *spool, struct tally *tally,
    GError **error)
{
	enum maildir_got got = MAILDIR_GONE;

	if (!maildir_read(maildir, mail, watch->max, spool, &got, error))
		return FALSE;
	switch (got) {
	case MAILDIR_GOT:
		return hand_over(watch, place, maildir, mail, spool, tally, error);
	case MAILDIR_TOO_LARGE:
		tally->refused++;
		return refuse(place, maildir, mail, "it is larger than lmtp.max_message_size", error);
	case MAILDIR_NO_FILE:
		tell_no_file(place, mail);
		return TRUE;
	case MAILDIR_GONE:
		return TRUE;
	}
	g_assert_not_reached();
}

/* -- a Maildir -- */

static gboolean scan(
    const struct maildir_watch *watch, const struct place *place, struct tally *tally, GError **error)
{
	struct maildir *maildir = maildir_open(place->path, error);
	g_autoptr(GPtrArray) mails = maildir != NULL ? maildir_list(maildir, ROUND_MAX, error) : NULL;
	struct spool *spool = spool_new(watch->folder);
	gboolean good = mails != NULL;

	for (guint i = 0; good && i < mails->len; i++)
		good = take(watch, place, maildir, mails->pdata[i], spool, tally, error);
	tally->more = good && mails->len >= ROUND_MAX && tally->stored + tally->refused > 0;
	spool_free(spool);
	maildir_close(maildir);
	return good;
}

static void scan_with_log(const struct maildir_watch *watch, struct place *place, struct tally *tally)
{
	g_autoptr(GError) error = NULL;

	if (scan(watch, place, tally, &error)) {
		trouble_over(&place->trouble, place->path);
		errand_succeed(watch->errand);
	} else {
		(void)trouble_tell(&place->trouble, place->path, error);
		errand_add(watch->errand, ERRAND_FAILED, 1);
	}
	errand_add(watch->errand, ERRAND_DONE, tally->stored);
	errand_add(watch->errand, ERRAND_REFUSED, tally->refused);
	errand_add(watch->errand, ERRAND_LATER, tally->later);
	if (tally->stored + tally->refused + tally->later > 0)
		log_info("%s: %u mails stored, %u refused, %u to be tried again", place->path, tally->stored,
		    tally->refused, tally->later);
}

/* -- all of them -- */

/* A file that appears in new/ is complete: it was moved there. Adding a watch again has no effect, and a
 * folder that was made anew is watched again. */
static void watch_places(int notify, GArray *places)
{
	for (guint i = 0; i < places->len; i++)
		(void)inotify_add_watch(notify, g_array_index(places, struct place, i).new_path,
		    IN_MOVED_TO | IN_CREATE | IN_ONLYDIR | IN_DONT_FOLLOW);
}

static void drain(int notify)
{
	char events[4096];

	while (read(notify, events, sizeof events) > 0)
		;
}

static GArray *places_of(const char *const *paths)
{
	GArray *places = g_array_new(FALSE, FALSE, sizeof(struct place));

	for (; *paths != NULL; paths++) {
		struct place place = { .path = *paths, .new_path = g_build_filename(*paths, "new", NULL) };

		g_array_append_val(places, place);
	}
	return places;
}

void maildir_watch_run(const struct maildir_watch *watch)
{
	GArray *places = places_of(watch->paths);
	int notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC); /* -1: only the scan every minute */

	for (;;) {
		gboolean more = FALSE;

		watch_places(notify, places);
		drain(notify);
		for (guint i = 0; i < places->len; i++) {
			struct tally tally = { 0 };

			scan_with_log(watch, &g_array_index(places, struct place, i), &tally);
			more = more || tally.more;
		}
		if (!more) {
			handover_rest(watch->handover);
			wake_wait(watch->wake, notify, SCAN_SECONDS);
		}
	}
}
