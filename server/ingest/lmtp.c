#include "server/ingest/lmtp.h"

#include <string.h>

enum state {
	STATE_COMMAND,
	STATE_SKIP, /* the rest of a command line that was too long */
	STATE_DATA,
	STATE_ENDED,
};

/* The position in a line of content: RFC 5321 sections 4.1.1.4 and 4.5.2. Only CRLF ends a line. */
enum data_state {
	DATA_LINE,   /* at its start */
	DATA_DOT,    /* after a dot at its start */
	DATA_DOT_CR, /* after such a dot and CR */
	DATA_TEXT,
	DATA_CR, /* after a CR that belongs to the content */
};

struct lmtp {
	char *name;
	gsize max_message_size;
	guint max_recipients;
	const struct lmtp_handler *handler;
	gpointer user;

	enum state state;
	gboolean greeted; /* LHLO was received */
	GString *line;    /* of the command, so far */
	GString *output;

	char *from; /* NULL: no transaction is open */
	GPtrArray *recipients;
	enum data_state data;
	GByteArray *content;
	gsize room;              /* octets that content may have */
	enum lmtp_reply refusal; /* not LMTP_OK: content is read and discarded */
	guint useless;           /* commands since the last mail */
};

/* Our name is between text and more where RFC 5321 section 4.2 requires it; the enhanced code comes first
 * (RFC 2034). */
static const struct {
	const char *text;
	const char *more; /* or NULL */
} replies[LMTP_REPLIES] = {
	[LMTP_GREETING] = { "220", "ruad LMTP" },
	[LMTP_OK] = { "250 2.0.0 ok", NULL },
	[LMTP_SENDER_OK] = { "250 2.1.0 sender ok", NULL },
	[LMTP_RECIPIENT_OK] = { "250 2.1.5 recipient ok", NULL },
	[LMTP_START_MAIL] = { "354 go ahead, end with CRLF.CRLF", NULL },
	[LMTP_VRFY] = { "252 2.0.0 send a mail to find out", NULL },
	[LMTP_HELP] = { "214 2.0.0 LHLO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT", NULL },
	[LMTP_BYE] = { "221 2.0.0", "bye" },
	[LMTP_STORED] = { "250 2.0.0 stored", NULL },
	[LMTP_QUARANTINED] = { "250 2.0.0 quarantined", NULL },
	[LMTP_FAILED] = { "451 4.3.0 cannot store it now, try again later", NULL },
	[LMTP_SHUTTING_DOWN] = { "421 4.3.2", "shutting down" },
	[LMTP_BUSY] = { "421 4.3.2", "too many connections" },
	[LMTP_TIMEOUT] = { "421 4.4.2", "silent for too long" },
	[LMTP_TOO_MANY_COMMANDS] = { "421 4.7.0", "too many commands without a mail" },
	[LMTP_NO_ROOM] = { "452 4.3.1 no memory for it now, try again later", NULL },
	[LMTP_FULL] = { "452 4.3.1 no space to keep it now, try again later", NULL },
	[LMTP_TOO_MANY_RECIPIENTS] = { "452 4.5.3 too many recipients", NULL },
	[LMTP_UNKNOWN_COMMAND] = { "500 5.5.1 unknown command", NULL },
	[LMTP_NOT_LHLO] = { "500 5.5.1 this is LMTP: say LHLO", NULL },
	[LMTP_LINE_TOO_LONG] = { "500 5.5.2 command line too long", NULL },
	[LMTP_BAD_LINE] = { "500 5.5.2 command lines are text that ends with CRLF", NULL },
	[LMTP_BAD_ARGUMENT] = { "501 5.5.4 bad argument", NULL },
	[LMTP_BAD_SENDER] = { "501 5.1.7 bad sender address", NULL },
	[LMTP_BAD_RECIPIENT] = { "501 5.1.3 bad recipient address", NULL },
	[LMTP_NO_LHLO] = { "503 5.5.1 say LHLO first", NULL },
	[LMTP_NESTED_MAIL] = { "503 5.5.1 MAIL was already said", NULL },
	[LMTP_NO_MAIL] = { "503 5.5.1 say MAIL first", NULL },
	[LMTP_NO_RECIPIENT] = { "503 5.5.1 no valid recipients", NULL },
	[LMTP_UNKNOWN_RECIPIENT] = { "550 5.1.1 no such mailbox here", NULL },
	[LMTP_TOO_BIG] = { "552 5.3.4 mail too big", NULL },
	[LMTP_UNKNOWN_PARAMETER] = { "555 5.5.4 parameter not recognised", NULL },
};

void lmtp_reply_append(GString *output, enum lmtp_reply reply, const char *name)
{
	g_string_append(output, replies[reply].text);
	if (replies[reply].more)
		g_string_append_printf(output, " %s %s", name, replies[reply].more);
	g_string_append(output, "\r\n");
}

static void tell_code(const struct lmtp *lmtp, enum lmtp_reply reply)
{
	if (lmtp->handler->replied)
		lmtp->handler->replied(lmtp->user, (guint)g_ascii_strtoull(replies[reply].text, NULL, 10));
}

static void say(struct lmtp *lmtp, enum lmtp_reply reply)
{
	lmtp_reply_append(lmtp->output, reply, lmtp->name);
	tell_code(lmtp, reply);
}

/* The client logs the number, which leads from its log to the mail in the database. */
static void say_number(struct lmtp *lmtp, enum lmtp_reply reply, gint64 number)
{
	g_string_append_printf(
	    lmtp->output, "%s as mail %" G_GINT64_FORMAT "\r\n", replies[reply].text, number);
	tell_code(lmtp, reply);
}

static void content_drop(struct lmtp *lmtp)
{
	g_clear_pointer(&lmtp->content, g_byte_array_unref);
	if (lmtp->room > LMTP_SMALL_MAIL && lmtp->handler->room)
		(void)lmtp->handler->room(lmtp->user, 0);
	lmtp->room = LMTP_SMALL_MAIL;
}

static void transaction_reset(struct lmtp *lmtp)
{
	g_clear_pointer(&lmtp->from, g_free);
	g_ptr_array_set_size(lmtp->recipients, 0);
	content_drop(lmtp);
	lmtp->refusal = LMTP_OK;
}

/* The parameters of MAIL. */

struct mail_parameters {
	gboolean size_given, body_given, utf8_given;
	guint64 size; /* octets; G_MAXUINT64 when larger than that */
};

/* RFC 1870 section 4: 1 to 20 digits. */
static gboolean parse_size(const char *value, struct mail_parameters *mail)
{
	gsize length = value ? strlen(value) : 0;

	if (mail->size_given || length < 1 || length > 20 || strspn(value, "0123456789") != length)
		return FALSE;
	mail->size_given = TRUE;
	if (!g_ascii_string_to_unsigned(value, 10, 0, G_MAXUINT64, &mail->size, NULL))
		mail->size = G_MAXUINT64;
	return TRUE;
}

/* One "KEYWORD=value" or "KEYWORD"; text is changed. */
static enum lmtp_reply parse_mail_parameter(char *text, struct mail_parameters *mail)
{
	char *value = strchr(text, '=');

	if (value)
		*value++ = '\0';
	if (g_ascii_strcasecmp(text, "SIZE") == 0)
		return parse_size(value, mail) ? LMTP_OK : LMTP_BAD_ARGUMENT;
	if (g_ascii_strcasecmp(text, "SMTPUTF8") == 0) {
		gboolean good = !value && !mail->utf8_given;
		mail->utf8_given = TRUE;
		return good ? LMTP_OK : LMTP_BAD_ARGUMENT;
	}
	if (g_ascii_strcasecmp(text, "BODY") != 0)
		return LMTP_UNKNOWN_PARAMETER;
	if (mail->body_given || !value)
		return LMTP_BAD_ARGUMENT;
	mail->body_given = TRUE;
	if (g_ascii_strcasecmp(value, "7BIT") == 0 || g_ascii_strcasecmp(value, "8BITMIME") == 0)
		return LMTP_OK;
	/* BINARYMIME requires CHUNKING (RFC 3030), which is not offered */
	return g_ascii_strcasecmp(value, "BINARYMIME") == 0 ? LMTP_UNKNOWN_PARAMETER : LMTP_BAD_ARGUMENT;
}

static enum lmtp_reply parse_mail_parameters(const char *text, struct mail_parameters *mail)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);

	for (char **word = words; *word; word++) {
		enum lmtp_reply reply = **word ? parse_mail_parameter(*word, mail) : LMTP_OK;
		if (reply != LMTP_OK)
			return reply;
	}
	return LMTP_OK;
}

/* -- addresses -- */

/* atext of RFC 5322 3.2.3, with the UTF-8 of RFC 6531. */
static gboolean is_atext(char c)
{
	return g_ascii_isalnum(c) || (guchar)c >= 0x80 || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* A dot-string; stray dots ("a..b", "a.") are accepted, since senders use them. */
static const char *skip_dot_string(const char *text)
{
	while (is_atext(*text) || *text == '.')
		text++;
	return text;
}

static void append_quoted(GString *address, const char *local)
{
	g_string_append_c(address, '"');
	for (; *local; local++) {
		if (*local == '"' || *local == '\\')
			g_string_append_c(address, '\\');
		g_string_append_c(address, *local);
	}
	g_string_append_c(address, '"');
}

/* A quoted string at text; NULL if it has no end. */
static const char *parse_quoted_local(const char *text, GString *address)
{
	g_autoptr(GString) local = g_string_new(NULL);

	for (text++; *text != '"'; text++) {
		if (*text == '\\')
			text++;
		if (!*text)
			return NULL;
		g_string_append_c(local, *text);
	}
	if (local->len && *skip_dot_string(local->str) == '\0')
		g_string_append_len(address, local->str, (gssize)local->len);
	else
		append_quoted(address, local->str);
	return text + 1;
}

static const char *parse_local(const char *text, GString *address)
{
	const char *end;

	if (*text == '"')
		return parse_quoted_local(text, address);
	end = skip_dot_string(text);
	if (end == text)
		return NULL;
	g_string_append_len(address, text, end - text);
	return end;
}

/* After '@': a name or an address literal. */
static const char *parse_domain(const char *text, GString *address)
{
	const char *end = text;

	if (*text == '[') {
		end += strcspn(text, "]> @<\"\\");
		if (*end != ']')
			return NULL;
		end++;
	} else {
		while (g_ascii_isalnum(*end) || (guchar)*end >= 0x80 || (*end && strchr("-._", *end)))
			end++;
		if (end == text || *text == '.')
			return NULL;
	}
	g_string_append_len(address, text, end - text);
	return end;
}

/* "@a,@b:" is obsolete and is ignored (RFC 5321 appendix C). */
static const char *skip_source_route(const char *text)
{
	g_autoptr(GString) ignored = g_string_new(NULL);

	while (*text == '@') {
		text = parse_domain(text + 1, ignored);
		if (!text)
			return NULL;
		if (*text == ':')
			return text + 1;
		if (*text++ != ',')
			return NULL;
	}
	return NULL;
}

char *lmtp_address_parse(const char *text, const char **end)
{
	g_autoptr(GString) address = g_string_new(NULL);

	if (*text++ != '<')
		return NULL;
	if (*text == '@')
		text = skip_source_route(text);
	if (text && (*text != '>' || text[-1] != '<'))
		text = parse_local(text, address);
	if (text && *text == '@') {
		g_string_append_c(address, '@');
		text = parse_domain(text + 1, address);
	}
	if (!text || *text != '>' || !g_utf8_validate(address->str, (gssize)address->len, NULL))
		return NULL;
	*end = text + 1;
	return g_string_free(g_steal_pointer(&address), FALSE);
}

gboolean lmtp_recipient_match(const char *const *patterns, const char *address)
{
	g_autofree char *folded = g_ascii_strdown(address, -1);

	for (; *patterns; patterns++) {
		g_autofree char *pattern = g_ascii_strdown(*patterns, -1);
		if (g_pattern_match_simple(pattern, folded))
			return TRUE;
	}
	return FALSE;
}

/* -- commands: argument is the text after the verb, without white space around it -- */

static void do_lhlo(struct lmtp *lmtp, const char *argument)
{
	if (!*argument) {
		say(lmtp, LMTP_BAD_ARGUMENT);
		return;
	}
	transaction_reset(lmtp);
	lmtp->greeted = TRUE;
	g_string_append_printf(lmtp->output,
	    "250-%s\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
	    "250 SIZE %" G_GSIZE_FORMAT "\r\n",
	    lmtp->name, lmtp->max_message_size);
}

static void do_not_lhlo(struct lmtp *lmtp, const char *argument)
{
	(void)argument;
	say(lmtp, LMTP_NOT_LHLO);
}

/* The path after "FROM:" or "TO:", and *rest of the line after it; NULL if it is invalid. */
static char *parse_path_argument(const char *argument, const char *keyword, const char **rest)
{
	g_autofree char *address = NULL;
	gsize length = strlen(keyword);

	if (g_ascii_strncasecmp(argument, keyword, length) != 0)
		return NULL;
	argument += length;
	argument += strspn(argument, " ");
	address = lmtp_address_parse(argument, rest);
	if (!address || (**rest != '\0' && **rest != ' '))
		return NULL;
	*rest += strspn(*rest, " ");
	return g_steal_pointer(&address);
}

static void do_mail(struct lmtp *lmtp, const char *argument)
{
	const char *rest = NULL;
	struct mail_parameters mail = { 0 };
	enum lmtp_reply reply;
	g_autofree char *from = NULL;

	if (lmtp->from) {
		say(lmtp, LMTP_NESTED_MAIL);
		return;
	}
	from = parse_path_argument(argument, "FROM:", &rest);
	reply = from ? parse_mail_parameters(rest, &mail) : LMTP_BAD_SENDER;
	if (reply == LMTP_OK && mail.size > lmtp->max_message_size)
		reply = LMTP_TOO_BIG;
	if (reply == LMTP_OK) {
		lmtp->from = g_steal_pointer(&from);
		reply = LMTP_SENDER_OK;
	}
	say(lmtp, reply);
}

/* RFC 5321 section 4.1.1.3: only postmaster may have no domain. */
static gboolean is_recipient(const char *address)
{
	return strchr(address, '@') || g_ascii_strcasecmp(address, "postmaster") == 0;
}

static enum lmtp_reply take_recipient(struct lmtp *lmtp, const char *argument)
{
	const char *rest = NULL;
	g_autofree char *address = parse_path_argument(argument, "TO:", &rest);

	if (!address || !is_recipient(address))
		return LMTP_BAD_RECIPIENT;
	if (*rest)
		return LMTP_UNKNOWN_PARAMETER;
	if (!lmtp->handler->recipient(lmtp->user, address))
		return LMTP_UNKNOWN_RECIPIENT;
	if (lmtp->recipients->len >= lmtp->max_recipients)
		return LMTP_TOO_MANY_RECIPIENTS;
	g_ptr_array_add(lmtp->recipients, g_steal_pointer(&address));
	return LMTP_RECIPIENT_OK;
}

static void do_rcpt(struct lmtp *lmtp, const char *argument)
{
	say(lmtp, lmtp->from ? take_recipient(lmtp, argument) : LMTP_NO_MAIL);
}

static void do_data(struct lmtp *lmtp, const char *argument)
{
	(void)argument;
	if (!lmtp->from || lmtp->recipients->len == 0) {
		say(lmtp, lmtp->from ? LMTP_NO_RECIPIENT : LMTP_NO_MAIL);
		return;
	}
	say(lmtp, LMTP_START_MAIL);
	lmtp->content = g_byte_array_new();
	lmtp->data = DATA_LINE;
	lmtp->state = STATE_DATA;
}

static void do_rset(struct lmtp *lmtp, const char *argument)
{
	(void)argument;
	transaction_reset(lmtp);
	say(lmtp, LMTP_OK);
}

static void do_noop(struct lmtp *lmtp, const char *argument)
{
	(void)argument;
	say(lmtp, LMTP_OK);
}

static void do_vrfy(struct lmtp *lmtp, const char *argument)
{
	say(lmtp, *argument ? LMTP_VRFY : LMTP_BAD_ARGUMENT);
}

static void do_help(struct lmtp *lmtp, const char *argument)
{
	(void)argument;
	say(lmtp, LMTP_HELP);
}

static void do_quit(struct lmtp *lmtp, const char *argument)
{
	(void)argument;
	lmtp_close(lmtp, LMTP_BYE);
}

static const struct command {
	const char *verb;
	void (*run)(struct lmtp *lmtp, const char *argument);
	gboolean bare;    /* an argument is an error */
	gboolean greeted; /* only after LHLO */
} commands[] = {
	{ "LHLO", do_lhlo, FALSE, FALSE },
	{ "MAIL", do_mail, FALSE, TRUE },
	{ "RCPT", do_rcpt, FALSE, TRUE },
	{ "DATA", do_data, TRUE, TRUE },
	{ "RSET", do_rset, TRUE, FALSE },
	{ "NOOP", do_noop, FALSE, FALSE },
	{ "VRFY", do_vrfy, FALSE, FALSE },
	{ "HELP", do_help, FALSE, FALSE },
	{ "QUIT", do_quit, TRUE, FALSE },
	{ "HELO", do_not_lhlo, FALSE, FALSE },
	{ "EHLO", do_not_lhlo, FALSE, FALSE },
};

static const struct command *find_command(const char *line, gsize length)
{
	for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (strlen(commands[i].verb) == length &&
		    g_ascii_strncasecmp(commands[i].verb, line, length) == 0)
			return &commands[i];
	}
	return NULL;
}

static void run_command(struct lmtp *lmtp, char *line)
{
	gsize length = strcspn(line, " ");
	const struct command *command = find_command(line, length);
	const char *argument = g_strstrip(line + length);

	if (!command)
		say(lmtp, LMTP_UNKNOWN_COMMAND);
	else if (command->greeted && !lmtp->greeted)
		say(lmtp, LMTP_NO_LHLO);
	else if (command->bare && *argument)
		say(lmtp, LMTP_BAD_ARGUMENT);
	else
		command->run(lmtp, argument);
}

/* Control characters in a command are never legitimate, and no CR or NUL may be passed on. */
static gboolean has_control(const GString *line)
{
	for (gsize i = 0; i < line->len; i++) {
		if (g_ascii_iscntrl(line->str[i]))
			return TRUE;
	}
	return FALSE;
}

/* The line is complete, including its LF. A line that ends with a bare LF is rejected, so that there is no
 * doubt where the next line begins. */
static void take_line(struct lmtp *lmtp)
{
	g_autoptr(GString) line = lmtp->line;

	lmtp->line = g_string_new(NULL);
	if (lmtp->state == STATE_SKIP) {
		lmtp->state = STATE_COMMAND;
		say(lmtp, LMTP_LINE_TOO_LONG);
		return;
	}
	if (line->len < 2 || line->str[line->len - 2] != '\r') {
		say(lmtp, LMTP_BAD_LINE);
		return;
	}
	g_string_truncate(line, line->len - 2);
	if (has_control(line))
		say(lmtp, LMTP_BAD_LINE);
	else
		run_command(lmtp, line->str);
}

/* A command that brings a mail nearer is one that adds a sender or a recipient, or begins the content. */
static void line_end(struct lmtp *lmtp)
{
	gboolean had_sender = lmtp->from != NULL;
	guint recipients = lmtp->recipients->len;

	take_line(lmtp);
	if (lmtp->recipients->len > recipients || (lmtp->from && !had_sender) || lmtp->state == STATE_DATA)
		return;
	if (++lmtp->useless > LMTP_MAX_USELESS)
		lmtp_close(lmtp, LMTP_TOO_MANY_COMMANDS);
}

/* Returns the number of bytes used: up to the end of a line, or all. */
static gsize command_input(struct lmtp *lmtp, const char *bytes, gsize size)
{
	const char *lf = memchr(bytes, '\n', size);
	gsize used = lf ? (gsize)(lf - bytes) + 1 : size;

	if (lmtp->state == STATE_COMMAND && lmtp->line->len + used > LMTP_MAX_LINE) {
		lmtp->state = STATE_SKIP;
		g_string_truncate(lmtp->line, 0);
	}
	if (lmtp->state == STATE_COMMAND)
		g_string_append_len(lmtp->line, bytes, (gssize)used);
	if (lf)
		line_end(lmtp);
	return used;
}

/* -- content -- */

static void content_refuse(struct lmtp *lmtp, enum lmtp_reply refusal)
{
	lmtp->refusal = refusal;
	content_drop(lmtp);
}

/* Room is asked for in powers of two, like the memory itself. */
static gboolean content_fits(struct lmtp *lmtp, gsize size)
{
	gsize room = lmtp->room;

	while (room < size)
		room *= 2;
	if (room > lmtp->room && lmtp->handler->room && !lmtp->handler->room(lmtp->user, room))
		return FALSE;
	lmtp->room = room;
	return TRUE;
}

static void content_append(struct lmtp *lmtp, const char *bytes, gsize size)
{
	if (lmtp->refusal != LMTP_OK)
		return;
	if (size > lmtp->max_message_size - lmtp->content->len)
		content_refuse(lmtp, LMTP_TOO_BIG);
	else if (!content_fits(lmtp, lmtp->content->len + size))
		content_refuse(lmtp, LMTP_NO_ROOM);
	else
		g_byte_array_append(lmtp->content, (const guint8 *)bytes, (guint)size);
}

/* RFC 2033 section 4.2: a reply for each accepted RCPT, in order. */
static void content_end(struct lmtp *lmtp)
{
	guint n = lmtp->recipients->len;
	g_autofree enum lmtp_reply *verdict = g_new(enum lmtp_reply, n);
	gint64 number = 0;

	for (guint i = 0; i < n; i++)
		verdict[i] = lmtp->refusal != LMTP_OK ? lmtp->refusal : LMTP_FAILED;
	if (lmtp->refusal == LMTP_OK) {
		g_ptr_array_add(lmtp->recipients, NULL);
		struct lmtp_mail mail = { .from = lmtp->from,
			.recipients = (const char *const *)lmtp->recipients->pdata,
			.n_recipients = n,
			.content = lmtp->content->data ? lmtp->content->data : (const guint8 *)"",
			.size = lmtp->content->len };
		number = lmtp->handler->mail(lmtp->user, &mail, verdict);
	}
	for (guint i = 0; i < n; i++)
		if ((verdict[i] == LMTP_STORED || verdict[i] == LMTP_QUARANTINED) && number > 0)
			say_number(lmtp, verdict[i], number);
		else
			say(lmtp, verdict[i]);
	transaction_reset(lmtp);
	lmtp->useless = 0;
	lmtp->state = STATE_COMMAND;
}

/* Process one byte that may matter to the dot rule. */
static void content_byte(struct lmtp *lmtp, char c)
{
	switch (lmtp->data) {
	case DATA_LINE:
		if (c == '.') {
			lmtp->data = DATA_DOT;
			return;
		}
		break;
	case DATA_DOT:
		if (c == '\r') {
			lmtp->data = DATA_DOT_CR;
			return;
		}
		break;
	case DATA_DOT_CR:
		if (c == '\n') {
			content_end(lmtp);
			return;
		}
		content_append(lmtp, "\r", 1);
		break;
	case DATA_CR:
		if (c == '\n') {
			content_append(lmtp, &c, 1);
			lmtp->data = DATA_LINE;
			return;
		}
		break;
	case DATA_TEXT:
		break;
	}
	content_append(lmtp, &c, 1);
	lmtp->data = c == '\r' ? DATA_CR : DATA_TEXT;
}

/* Returns the number of bytes used: up to a CR within a line, or one. */
static gsize data_input(struct lmtp *lmtp, const char *bytes, gsize size)
{
	const char *cr;
	gsize run;

	if (lmtp->data != DATA_TEXT) {
		content_byte(lmtp, *bytes);
		return 1;
	}
	cr = memchr(bytes, '\r', size);
	run = cr ? (gsize)(cr - bytes) + 1 : size;
	content_append(lmtp, bytes, run);
	if (cr)
		lmtp->data = DATA_CR;
	return run;
}

/* -- the session -- */

struct lmtp *lmtp_new(const struct lmtp_options *options, const struct lmtp_handler *handler, gpointer user)
{
	struct lmtp *lmtp = g_new0(struct lmtp, 1);

	g_assert(options->max_message_size >= 1 && options->max_message_size <= G_MAXUINT32 / 2);
	lmtp->name = g_strndup(options->name, LMTP_MAX_NAME);
	lmtp->max_message_size = options->max_message_size;
	lmtp->max_recipients = options->max_recipients;
	lmtp->room = LMTP_SMALL_MAIL;
	lmtp->refusal = LMTP_OK;
	lmtp->handler = handler;
	lmtp->user = user;
	lmtp->line = g_string_new(NULL);
	lmtp->output = g_string_new(NULL);
	lmtp->recipients = g_ptr_array_new_with_free_func(g_free);
	say(lmtp, LMTP_GREETING);
	return lmtp;
}

void lmtp_free(struct lmtp *lmtp)
{
	if (!lmtp)
		return;
	transaction_reset(lmtp);
	g_ptr_array_unref(lmtp->recipients);
	g_string_free(lmtp->line, TRUE);
	g_string_free(lmtp->output, TRUE);
	g_free(lmtp->name);
	g_free(lmtp);
}

void lmtp_input(struct lmtp *lmtp, const char *bytes, gsize size)
{
	while (size > 0 && lmtp->state != STATE_ENDED) {
		gsize used = lmtp->state == STATE_DATA ? data_input(lmtp, bytes, size)
						       : command_input(lmtp, bytes, size);
		bytes += used;
		size -= used;
	}
}

GString *lmtp_output(struct lmtp *lmtp)
{
	return lmtp->output;
}

gboolean lmtp_ended(const struct lmtp *lmtp)
{
	return lmtp->state == STATE_ENDED;
}

gboolean lmtp_in_data(const struct lmtp *lmtp)
{
	return lmtp->state == STATE_DATA;
}

void lmtp_close(struct lmtp *lmtp, enum lmtp_reply reply)
{
	if (lmtp->state == STATE_ENDED)
		return;
	say(lmtp, reply);
	lmtp->state = STATE_ENDED;
}
