/*
 * client.h - the client of an LMTP session, on a socket. The test fails if a reply takes more than 20
 * seconds.
 */
#pragma once

/* Replies of a session with OPTIONS. */
#define GREETING "220 mx.example ruad LMTP\r\n"
#define LHLO                                                                                                 \
	"250-mx.example\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"    \
	"250 SIZE 1000000\r\n"
#define SENDER        "250 2.1.0 sender ok\r\n"
#define RCPT          "250 2.1.5 recipient ok\r\n"
#define GO            "354 go ahead, end with CRLF.CRLF\r\n"
#define STORED        "250 2.0.0 stored\r\n"
#define FAILED        "451 4.3.0 cannot store it now, try again later\r\n"
#define UNKNOWN       "550 5.1.1 no such mailbox here\r\n"
#define OK            "250 2.0.0 ok\r\n"
#define BYE           "221 2.0.0 mx.example bye\r\n"
#define SHUTTING_DOWN "421 4.3.2 mx.example shutting down\r\n"
#define BUSY          "421 4.3.2 mx.example too many connections\r\n"
#define TIMEOUT       "421 4.4.2 mx.example silent for too long\r\n"

#define OPTIONS                                                                                              \
	{                                                                                                    \
		.name = "mx.example", .max_message_size = 1000000, .max_recipients = 10                      \
	}

#define START "LHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<dmarc@x.example>\r\nDATA\r\n"
#define BEGUN LHLO SENDER RCPT GO

void client_say(int fd, const char *words);

/* Fail the test unless these bytes come next. */
void client_hears(int fd, const char *words);

/* Fail the test unless the other side has closed the connection. */
void client_hears_the_end(int fd);
