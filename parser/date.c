#include "parser/date.h"

#include "parser/report.h"
#include "parser/text.h"

#include <string.h>

#define EPOCH_DAY  719163 /* 1 January 1970, as g_date_get_julian() counts */
#define WORD_BYTES 32

struct date {
	gint day, month, year; /* 0: not said yet */
	gint seconds;          /* of the day, or -1 */
	gint zone;             /* seconds east of UTC */
	gboolean zoned;
};

static const struct {
	const char *name;
	gint hours;
} ZONES[] = { { "UT", 0 }, { "GMT", 0 }, { "UTC", 0 }, { "Z", 0 }, { "EST", -5 }, { "EDT", -4 },
	{ "CST", -6 }, { "CDT", -5 }, { "MST", -7 }, { "MDT", -6 }, { "PST", -8 }, { "PDT", -7 },
	{ "CET", 1 }, { "CEST", 2 }, { "JST", 9 } };

/* The number of up to max digits at *at, which is moved past them; -1 if there are none. */
static gint digits(const char **at, guint max)
{
	gint value = -1;

	for (guint i = 0; i < max && g_ascii_isdigit(**at); i++, (*at)++)
		value = (value < 0 ? 0 : value * 10) + (**at - '0');
	return value;
}

/* "12:15" or "12:15:31" or "12:15:31.5" */
static gboolean read_time(struct date *date, const char *word)
{
	gint hour = digits(&word, 2), minute = -1, second = 0;

	if (*word != ':' || date->seconds >= 0)
		return FALSE;
	word++;
	minute = digits(&word, 2);
	if (*word == ':') {
		word++;
		second = digits(&word, 2);
	}
	if (*word == '.')
		for (word++; g_ascii_isdigit(*word);)
			word++;
	/* 60: a leap second */
	if (*word != '\0' || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
		return FALSE;
	date->seconds = hour * 3600 + minute * 60 + second;
	return TRUE;
}

/* "+0200", "-07:00" */
static gboolean read_offset(struct date *date, const char *word)
{
	gint sign = *word == '-' ? -1 : 1;
	gint hours, minutes;

	word++;
	hours = digits(&word, 2);
	if (*word == ':')
		word++;
	minutes = digits(&word, 2);
	if (*word != '\0' || hours < 0 || minutes < 0 || minutes > 59)
		return FALSE;
	date->zone = sign * (hours * 3600 + minutes * 60);
	date->zoned = TRUE;
	return TRUE;
}

/* The day, then the year: of two digits as section 4.3 has it. */
static gboolean read_number(struct date *date, const char *word)
{
	gsize size = strlen(word);
	gint value = digits(&word, 4);

	if (*word != '\0' || value < 0)
		return FALSE;
	if (size <= 2 && date->day == 0)
		date->day = value;
	else if (date->year == 0)
		date->year = size == 2   ? value + (value < 50 ? 2000 : 1900)
			     : size == 3 ? value + 1900
					 : value;
	else
		return FALSE;
	return TRUE;
}

/* The name of a month, of a day of the week (passed over), or of a zone. */
static gboolean read_name(struct date *date, const char *word)
{
	static const char MONTHS[] = "janfebmaraprmayjunjulaugsepoctnovdec";
	static const char DAYS[] = "montuewedthufrisatsun";

	if (strlen(word) >= 3) {
		for (guint i = 0; i < 12; i++)
			if (g_ascii_strncasecmp(word, MONTHS + 3 * (gsize)i, 3) == 0 && date->month == 0) {
				date->month = (gint)i + 1;
				return TRUE;
			}
		for (guint i = 0; i < 7 && date->seconds < 0; i++)
			if (g_ascii_strncasecmp(word, DAYS + 3 * (gsize)i, 3) == 0)
				return TRUE;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(ZONES) && !date->zoned; i++)
		if (g_ascii_strcasecmp(word, ZONES[i].name) == 0) {
			date->zone = ZONES[i].hours * 3600;
			date->zoned = TRUE;
		}
	/* others have no meaning, or several: section 4.3 takes them for "-0000" */
	return date->seconds >= 0;
}

static gboolean read_word(struct date *date, const char *word)
{
	if (*word == '+' || *word == '-')
		return read_offset(date, word);
	if (strchr(word, ':') != NULL)
		return read_time(date, word);
	return g_ascii_isdigit(*word) ? read_number(date, word) : read_name(date, word);
}

/* The next word, outside of comments and without commas; FALSE at the end, or when it is longer than any. */
static gboolean next_word(const char **at, char word[WORD_BYTES])
{
	guint depth = 0;
	gsize n = 0;

	for (; **at != '\0'; (*at)++) {
		char c = **at;

		if (c == '(')
			depth++;
		if (depth == 0 && c != ',' && !text_is_space(c)) {
			if (n + 1 == WORD_BYTES)
				return FALSE;
			word[n++] = c;
		} else if (n > 0) {
			break;
		}
		if (c == ')' && depth > 0)
			depth--;
	}
	word[n] = '\0';
	return n > 0;
}

/* The date in days since 1970. Returns FALSE if there is no such date. */
static gboolean day_number(gint year, gint month, gint day, gint64 *days)
{
	GDate date;

	if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
	    !g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year))
		return FALSE;
	g_date_clear(&date, 1);
	g_date_set_dmy(&date, (GDateDay)day, (GDateMonth)month, (GDateYear)year);
	*days = (gint64)g_date_get_julian(&date) - EPOCH_DAY;
	return TRUE;
}

static gint64 to_seconds(const struct date *date)
{
	gint64 days, seconds;

	if (date->seconds < 0 || !day_number(date->year, date->month, date->day, &days))
		return -1;
	seconds = days * 86400 + date->seconds - date->zone;
	return seconds >= 0 && seconds <= REPORT_TIME_MAX ? seconds : -1;
}

gint64 date_seconds(const char *text, gboolean *guessed)
{
	struct date date = { .seconds = -1 };
	char word[WORD_BYTES] = "";

	while (next_word(&text, word))
		if (!read_word(&date, word))
			return -1;
	*guessed = !date.zoned;
	return *text == '\0' ? to_seconds(&date) : -1;
}

/* -- dates of RFC 3339 -- */

/* n digits at *at, which is moved behind them; -1: they are not there. */
static gint exactly(const char **at, guint n)
{
	gint value = 0;

	for (guint i = 0; i < n; i++, (*at)++) {
		if (!g_ascii_isdigit(**at))
			return -1;
		value = value * 10 + (**at - '0');
	}
	return value;
}

static gboolean pass(const char **at, const char *set)
{
	if (**at == '\0' || strchr(set, **at) == NULL)
		return FALSE;
	(*at)++;
	return TRUE;
}

/* "2024-02-29" in days since 1970. */
static gboolean parse_day(const char **at, gint64 *days)
{
	gint year = exactly(at, 4), month, day;

	if (year < 0 || !pass(at, "-") || (month = exactly(at, 2)) < 0 || !pass(at, "-") ||
	    (day = exactly(at, 2)) < 0)
		return FALSE;
	return day_number(year, month, day, days);
}

/* "23:59:59.5", without seconds too, into seconds; *odd: other than RFC 3339 would. */
static gboolean parse_time(const char **at, gint64 *seconds, gboolean *odd)
{
	gint hour = exactly(at, 2), minute, second = 0;

	if (hour < 0 || !pass(at, ":") || (minute = exactly(at, 2)) < 0 || minute > 59)
		return FALSE;
	if (!pass(at, ":"))
		*odd = TRUE;
	else if ((second = exactly(at, 2)) < 0 || second > 60)
		return FALSE;
	if (**at == '.' || **at == ',') {
		*odd = TRUE; /* dropped */
		for ((*at)++; g_ascii_isdigit(**at); (*at)++)
			;
	}
	*odd |= hour == 24;
	*seconds = hour * 3600 + minute * 60 + second;
	return hour < 24 || *seconds == 24 * 3600;
}

/* "Z", "+01:00", "+0100", "+01" or nothing, which is taken for UTC, into seconds east. */
static gboolean parse_zone(const char **at, gint64 *east, gboolean *odd)
{
	gboolean west = **at == '-', colon;
	gint hours, minutes = 0;

	*east = 0;
	if (pass(at, "Zz"))
		return TRUE;
	if (!pass(at, "+-")) {
		*odd = TRUE;
		return TRUE;
	}
	if ((hours = exactly(at, 2)) < 0 || hours > 23)
		return FALSE;
	colon = pass(at, ":");
	*odd |= !colon;
	if ((colon || g_ascii_isdigit(**at)) && ((minutes = exactly(at, 2)) < 0 || minutes > 59))
		return FALSE;
	*east = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
	return TRUE;
}

gint64 date_iso_seconds(const char *text, gboolean *odd)
{
	const char *at = text;
	gint64 epoch, days, seconds = 0, east = 0;

	if (!parse_day(&at, &days))
		return -1;
	*odd = *at == ' ' || *at == '\0';
	if (*at != '\0' && (!pass(&at, "Tt ") || !parse_time(&at, &seconds, odd)))
		return -1;
	while (pass(&at, " "))
		*odd = TRUE;
	if (!parse_zone(&at, &east, odd) || *at != '\0')
		return -1;
	epoch = days * 86400 + seconds - east;
	return epoch > REPORT_TIME_MAX ? -1 : MAX(epoch, -1);
}
