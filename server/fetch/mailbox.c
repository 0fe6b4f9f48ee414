#include "server/fetch/mailbox.h"

#include "parser/error.h"
#include "server/common/log.h"
#include "server/fetch/access_token.h"
#include "server/fetch/imap.h"
#include "server/fetch/trouble.h"
#include "server/fetch/wake.h"

#define WINDOW         5000  /* mails in one search: its answer must fit into IMAP_LINE_MAX */
#define ROUND_MAX      10000 /* mails in a round; more follow in the next one */
#define RETRY_SECONDS  60    /* until mails that could not be stored are tried again */
#define IDLE_SECONDS   (25 * 60)
#define SETTLE_SECONDS 1 /* after news, for more of it */

struct mailbox {
	const struct account *account;
	struct handover *handover;
	guint64 max;
	int wake;
	struct spool *spool;
	struct errand *errand;
	struct trouble trouble;
	struct imap *imap;
	const struct rule *rule;
	guint32 last_done; /* UID of a mail that must not be found again; 0: none */
	guint32 validity;  /* of that UID */
};

/* What a round did. */
struct tally {
	guint stored, refused, later;
	gboolean more; /* there are mails that had no place in the round */
};

/* -- marks -- */

/* By what mails are found, and how they are marked. */
static const struct rule {
	const char *criteria;
	const char *stored; /* NULL: it is moved or deleted */
	const char *refused;
	guint needs; /* of enum imap_ability */
} rules[][2] = {
	{
	    /* AFTER_MARK: without keywords, and with */
	    { "UNDELETED UNSEEN", "(\\Seen)", "(\\Seen \\Flagged)", IMAP_KEEPS_SEEN },
	    { "UNDELETED UNKEYWORD $RuadStored UNKEYWORD $RuadRefused", "($RuadStored \\Seen)",
		"($RuadRefused)", IMAP_KEEPS_KEYWORDS },
	},
	{
	    /* AFTER_MOVE, AFTER_DELETE */
	    { "UNDELETED UNFLAGGED", NULL, "(\\Flagged)", IMAP_KEEPS_DELETED | IMAP_KEEPS_FLAGGED },
	    { "UNDELETED UNKEYWORD $RuadRefused", NULL, "($RuadRefused)", IMAP_KEEPS_DELETED },
	},
};

static gboolean choose_rule(struct mailbox *mailbox, GError **error)
{
	const struct imap_mailbox *open = imap_mailbox(mailbox->imap);
	gboolean has_keywords = (open->abilities & IMAP_KEEPS_KEYWORDS) != 0;

	mailbox->rule = &rules[mailbox->account->after != AFTER_MARK][has_keywords];
	if (open->read_only || (open->abilities & mailbox->rule->needs) != mailbox->rule->needs)
		return ruad_error_at(error, "IMAP server",
		    "mailbox %s is read-only or keeps no flags, so that a stored mail could not be marked",
		    mailbox->account->mailbox);
	return TRUE;
}

static void remember(struct mailbox *mailbox, guint32 uid)
{
	mailbox->last_done = uid;
	mailbox->validity = imap_mailbox(mailbox->imap)->validity;
}

/* A mark that does not stay would mean to fetch every mail again and again. */
static gboolean check_marks(const struct mailbox *mailbox, const GArray *uids, GError **error)
{
	if (mailbox->last_done == 0 || mailbox->validity != imap_mailbox(mailbox->imap)->validity)
		return TRUE;
	for (guint i = 0; i < uids->len; i++)
		if (g_array_index(uids, guint32, i) == mailbox->last_done)
			return ruad_error_at(error, "IMAP server",
			    "mail UID %u is as before, although it was marked, moved or deleted",
			    mailbox->last_done);
	return TRUE;
}

/* -- a mail -- */

static gboolean finish(struct mailbox *mailbox, guint32 uid, GError **error)
{
	switch (mailbox->account->after) {
	case AFTER_MARK:
		return imap_store(mailbox->imap, uid, mailbox->rule->stored, error);
	case AFTER_MOVE:
		return imap_move(mailbox->imap, uid, mailbox->account->folder, error);
	case AFTER_DELETE:
		return imap_delete(mailbox->imap, uid, error);
	}
	g_assert_not_reached();
}

static gboolean refuse(struct mailbox *mailbox, guint32 uid, const char *reason, GError **error)
{
	if (!imap_store(mailbox->imap, uid, mailbox->rule->refused, error))
		return FALSE;
	log_warning("%s: mail UID %u is not stored, and stays in the mailbox marked %s: %s",
	    mailbox->account->name, uid, mailbox->rule->refused, reason);
	return TRUE;
}

static void put_off(struct mailbox *mailbox, guint32 uid, const char *reason)
{
	log_warning_paced(
	    "later", "%s: mail UID %u is tried again later: %s", mailbox->account->name, uid, reason);
}

static gboolean hand_over(struct mailbox *mailbox, guint32 uid, struct tally *tally, GError **error)
{
	switch (handover_mail(mailbox->handover, mailbox->spool)) {
	case HANDED_STORED:
		tally->stored++;
		remember(mailbox, uid);
		return finish(mailbox, uid, error);
	case HANDED_REFUSED:
		tally->refused++;
		remember(mailbox, uid);
		return refuse(mailbox, uid, handover_reason(mailbox->handover), error);
	case HANDED_LATER:
		tally->later++;
		put_off(mailbox, uid, handover_reason(mailbox->handover));
		wake_wait(mailbox->wake, -1, handover_pause(mailbox->handover));
		return TRUE;
	}
	g_assert_not_reached();
}

static gboolean take(struct mailbox *mailbox, guint32 uid, struct tally *tally, GError **error)
{
	enum imap_fetched fetched = IMAP_GONE;

	if (!imap_fetch(mailbox->imap, uid, mailbox->max, mailbox->spool, &fetched, error))
		return FALSE;
	switch (fetched) {
	case IMAP_FETCHED:
		return hand_over(mailbox, uid, tally, error);
	case IMAP_TOO_LARGE:
		tally->refused++;
		remember(mailbox, uid);
		return refuse(mailbox, uid, "it is larger than lmtp.max_message_size", error);
	case IMAP_REFUSED:
		tally->later++;
		put_off(mailbox, uid, "the IMAP server does not give it");
		return TRUE;
	case IMAP_GONE:
		return TRUE;
	}
	g_assert_not_reached();
}

/* -- a round -- */

static gboolean find(const struct mailbox *mailbox, GArray *uids, GError **error)
{
	for (guint32 low = 1; low <= imap_mailbox(mailbox->imap)->exists && uids->len < ROUND_MAX;
	     low += WINDOW) {
		guint32 high = MIN(low + WINDOW - 1, imap_mailbox(mailbox->imap)->exists);

		if (!imap_search(mailbox->imap, low, high, mailbox->rule->criteria, uids, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean run_round(struct mailbox *mailbox, struct tally *tally, GError **error)
{
	g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(guint32));

	if (!find(mailbox, uids, error) || !check_marks(mailbox, uids, error))
		return FALSE;
	for (guint i = 0; i < MIN(uids->len, ROUND_MAX); i++)
		if (!take(mailbox, g_array_index(uids, guint32, i), tally, error))
			return FALSE;
	tally->more = uids->len >= ROUND_MAX && tally->later == 0;
	spool_clear(mailbox->spool);
	return TRUE;
}

static gboolean round_with_log(struct mailbox *mailbox, struct tally *tally, GError **error)
{
	gboolean good = run_round(mailbox, tally, error);

	if (tally->stored + tally->refused + tally->later > 0)
		log_info("%s: %u mails stored, %u refused, %u to be tried again", mailbox->account->name,
		    tally->stored, tally->refused, tally->later);
	errand_add(mailbox->errand, ERRAND_DONE, tally->stored);
	errand_add(mailbox->errand, ERRAND_REFUSED, tally->refused);
	errand_add(mailbox->errand, ERRAND_LATER, tally->later);
	if (good) {
		trouble_over(&mailbox->trouble, mailbox->account->name);
		errand_succeed(mailbox->errand);
	}
	return good;
}

/* -- a session -- */

static gboolean sign_in(struct mailbox *mailbox, GError **error)
{
	const struct account *account = mailbox->account;
	g_autofree char *token = NULL;

	if (account->token_command != NULL &&
	    (token = access_token_get(account->token_command, error)) == NULL)
		return FALSE;
	mailbox->imap = imap_open(account, token, error);
	return mailbox->imap != NULL &&
	       (account->folder == NULL || imap_check(mailbox->imap, account->folder, error)) &&
	       imap_select(mailbox->imap, account->mailbox, error) && choose_rule(mailbox, error);
}

/* Seconds until the next round at the latest. */
static guint pause_after(const struct mailbox *mailbox, const struct tally *tally)
{
	return tally->later > 0 ? MIN(mailbox->account->poll, RETRY_SECONDS) : mailbox->account->poll;
}

/* Round after round while the server tells of new mail. Returns TRUE, and the seconds until the next session,
 * if it cannot tell. */
static gboolean run_session(struct mailbox *mailbox, guint *pause, GError **error)
{
	if (!sign_in(mailbox, error))
		return FALSE;
	for (;;) {
		struct tally tally = { 0 };

		if (!round_with_log(mailbox, &tally, error))
			return FALSE;
		*pause = pause_after(mailbox, &tally);
		if (tally.more)
			continue;
		handover_rest(mailbox->handover);
		if ((imap_abilities(mailbox->imap) & IMAP_CAN_IDLE) == 0)
			return TRUE;
		if (!imap_idle(mailbox->imap, MIN(*pause, IDLE_SECONDS), mailbox->wake, error))
			return FALSE;
		wake_wait(mailbox->wake, -1, SETTLE_SECONDS);
	}
}

void mailbox_run(const struct account *account, struct handover *handover, guint64 max, const char *folder,
    int wake, struct errand *errand)
{
	struct mailbox mailbox = {
		.account = account, .handover = handover, .max = max, .wake = wake, .errand = errand
	};

	mailbox.spool = spool_new(folder);
	for (;;) {
		g_autoptr(GError) error = NULL;
		guint pause = account->poll;

		if (!run_session(&mailbox, &pause, &error)) {
			pause = trouble_tell(&mailbox.trouble, account->name, error);
			errand_add(errand, ERRAND_FAILED, 1);
		}
		g_clear_pointer(&mailbox.imap, imap_close);
		handover_rest(handover);
		wake_wait(wake, -1, pause);
	}
}
