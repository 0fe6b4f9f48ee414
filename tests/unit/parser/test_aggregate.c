/*
 * Aggregate XML into sink calls: each row whole and byte by byte.
 * Numbers in names are those of the assertions in the standards digest.
 */
#include "parser/aggregate.h"
#include "tests/unit/parser/collect.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define META                                                                                                 \
	"<report_metadata><org_name>acme</org_name><report_id>7</report_id>"                                 \
	"<date_range><begin>1700000010</begin><end>1700000020</end></date_range></report_metadata>"
#define POLICY   "<policy_published><domain>example.com</domain></policy_published>"
#define TOP      META POLICY
#define ROW(row) "<feedback>" TOP "<record><row>" row "</row></record></feedback>"
/* Evaluated as pass by a signature that is not aligned. */
#define UNALIGNED                                                                                            \
	"<record><row><count>1</count><policy_evaluated><dkim>pass</dkim></policy_evaluated></row>"          \
	"<identifiers><header_from>example.com</header_from></identifiers><auth_results>"                    \
	"<dkim><domain>esp.example</domain><result>pass</result></dkim></auth_results></record>"
#define UNALIGNED_IS                                                                                         \
	"begin x\nrecord count=1 dkim=pass header_from=example.com dkim( domain=esp.example result=pass )"
#define META_IS             " org_name=acme report_id=7 begin=1700000010 end=1700000020"
#define END_IS              META_IS " domain=example.com"
#define ONE(record)         "begin x\nrecord" record "\nend draft" END_IS " records=1\n"
#define NONE_IS(top, notes) "begin x\nend " top " records=0" notes " {R0 record}\n"

#define ONE_RECORD     "<record><row><count>1</count></row></record>"
#define PARTIAL(words) ONE_IS(" partial {R1 feedback " words "}")
#define AFTER(start)   ONE_IS(" {R2 feedback " start "}")
#define ONE_IS(notes)  "begin x\nrecord count=1\nend draft" END_IS " records=1" notes "\n"

struct row {
	const char *name;
	const char *xml;
	const char *want;
};

static const struct row ROWS[] = {
	{ "01 no version", "<feedback>" TOP "</feedback>", NONE_IS("draft" END_IS, "") },
	{ "01 version 2.0", "<feedback><version> 2.0\n</version>" TOP "</feedback>",
	    NONE_IS("rfc7489 version=2.0" END_IS, " {V1 version 2.0}") },
	{ "02 namespace of dmarc.org", "<feedback xmlns='http://dmarc.org/dmarc-xml/0.1'>" TOP "</feedback>",
	    NONE_IS("rfc7489 xmlns=http://dmarc.org/dmarc-xml/0.1" END_IS, "") },
	{ "02 namespace of RFC 9990", "<feedback xmlns='urn:ietf:params:xml:ns:dmarc-2.0'>" TOP "</feedback>",
	    NONE_IS("rfc9990 xmlns=urn:ietf:params:xml:ns:dmarc-2.0" END_IS, "") },
	{ "02 prefixed root, children in no namespace",
	    "<d:feedback xmlns:d='urn:ietf:params:xml:ns:dmarc-2.0'>" TOP "</d:feedback>",
	    NONE_IS("rfc9990 xmlns=urn:ietf:params:xml:ns:dmarc-2.0" END_IS, "") },
	{ "02 prefixed root and children",
	    "<d:feedback "
	    "xmlns:d='u'><d:report_metadata><d:report_id>7</d:report_id><d:date_range><d:begin>1700000001</"
	    "d:begin><d:end>1700000002</"
	    "d:end></d:date_range>"
	    "</d:report_metadata><d:policy_published><d:domain>a.example</d:domain></d:policy_published></"
	    "d:feedback>",
	    NONE_IS("rfc7489 xmlns=u report_id=7 begin=1700000001 end=1700000002 domain=a.example",
		" {X2 feedback u}") },
	{ "02 prefix bound to nothing", "<d:feedback><d:record/>" TOP "<e:record/></d:feedback>",
	    "begin x\nrecord {C1 row/count}\nend draft" END_IS
	    " records=1 {O1 report_metadata} {O1 policy_published} {X2 record e}\n" },
	{ "03 unknown namespace", "<feedback xmlns='urn:x'>" TOP "</feedback>",
	    NONE_IS("rfc7489 xmlns=urn:x" END_IS, " {X2 feedback urn:x}") },
	{ "03 a record in the namespace of the other dialect",
	    "<feedback xmlns='urn:ietf:params:xml:ns:dmarc-2.0'>" TOP
	    "<record xmlns='http://dmarc.org/dmarc-xml/0.1'><row xmlns='urn:ietf:params:xml:ns:dmarc-2.0'>"
	    "<count>1</count></row><identifiers><header_from>example.com</header_from></identifiers></record>"
	    "</feedback>",
	    "begin x\nrecord count=1 header_from=example.com\nend rfc9990 "
	    "xmlns=urn:ietf:params:xml:ns:dmarc-2.0" END_IS
	    " records=1 {X2 record http://dmarc.org/dmarc-xml/0.1}\n" },
	{ "03 a record in the namespace of a dialect, and the root in none",
	    "<feedback>" TOP "<d:record xmlns:d='http://dmarc.org/dmarc-xml/0.1'><d:row><d:count>1</d:count>"
	    "</d:row></d:record></feedback>",
	    ONE_IS(" {X2 record http://dmarc.org/dmarc-xml/0.1}") },
	{ "03 a record in an unknown namespace",
	    "<feedback>" TOP "<x:record xmlns:x='urn:x'><row><count>1</count></row></x:record></feedback>",
	    "begin x\nend draft" END_IS " records=0 {X2 record urn:x} {R0 record}\n" },
	{ "records in a wrapper",
	    "<feedback>" TOP "<records n='2'>x<a>" ONE_RECORD "</a><row/></records><record/>"
	    "<z><Record><row><count>2</count></row></Record><p>none</p></z></feedback>",
	    "begin x\nrecord count=1\nrecord {C1 row/count}\nrecord count=2\nend draft" END_IS
	    " records=3 {O2 record}\n" },
	{ "a report in a report: its records, and those behind it, are not the outer one's",
	    "<feedback>" TOP ONE_RECORD "<feedback>" ONE_RECORD "</feedback>" ONE_RECORD "</feedback>",
	    ONE_IS(" {O2 feedback feedback} {O2 record feedback}") },
	{ "a report of another namespace in a report",
	    "<feedback>" TOP ONE_RECORD "<x:feedback xmlns:x='urn:x'><record/></x:feedback></feedback>",
	    ONE_IS(" {O2 feedback feedback} {O2 record feedback}") },
	{ "misplaced record",
	    "<feedback>" META "<policy_published><domain>example.com</domain><x>" ONE_RECORD
	    "</x></policy_published></feedback>",
	    "begin x\nend draft" END_IS " records=0 {O2 record policy_published} {R0 record}\n" },
	{ "misplaced record in a record",
	    "<feedback>" TOP "<record><row><count>1</count></row>" ONE_RECORD "</record></feedback>",
	    ONE_IS(" {O2 record record}") },
	{ "misplaced reason",
	    "<feedback>" TOP "<record><row><count>1</count></row><auth_results><reason><type>other</type>"
	    "</reason></auth_results></record></feedback>",
	    "begin x\nrecord count=1 {O2 row/policy_evaluated/reason auth_results}\nend draft" END_IS
	    " records=1\n" },
	{ "misplaced dates", "<feedback><begin>1</begin>" TOP "</feedback>",
	    NONE_IS("draft" END_IS, " {O2 report_metadata/date_range/begin feedback}") },
	{ "03 a record inside of an unknown namespace",
	    "<feedback>" TOP "<x:y xmlns:x='urn:x'><x:record/></x:y>" ONE_RECORD "</feedback>",
	    ONE_IS(" {X2 record urn:x}") },
	{ "an extension may hold anything",
	    "<feedback>" TOP "<x:y xmlns:x='urn:x'><x:count/></x:y>" ONE_RECORD "</feedback>", ONE_IS("") },
	{ "blanks of other scripts and zero width around a domain",
	    "<feedback>" META "<policy_published><domain>&#160;example.com&#xa0;</domain></policy_published>"
	    "<record><row><count>1</count></row><identifiers><header_from>&#x200b;example.com&#xfeff;"
	    "</header_from></identifiers></record></feedback>",
	    "begin x\nrecord count=1 header_from=example.com {V2 identifiers/header_from "
	    "\xe2\x80\x8b"
	    "example.com\xef\xbb\xbf}\nend draft" END_IS " records=1 {V2 policy_published/domain \xc2\xa0"
	    "example.com\xc2\xa0}\n" },
	{ "an address where a domain belongs",
	    "<feedback>" TOP "<record><row><count>1</count></row><identifiers>"
	    "<header_from>Ann &lt;ann@Example.com&gt;</header_from>"
	    "<envelope_from>bounce@b.example</envelope_from></identifiers><auth_results><spf>"
	    "<domain>&lt;postmaster@c.example&gt;</domain></spf></auth_results></record></feedback>",
	    "begin x\nrecord count=1 header_from=example.com envelope_from=b.example spf( domain=c.example ) "
	    "{V2 identifiers/header_from Ann <ann@Example.com>} {V2 identifiers/envelope_from "
	    "bounce@b.example} {V2 auth_results/spf/domain <postmaster@c.example>}\nend rfc7489" END_IS
	    " records=1\n" },
	{ "a local part alone is no domain",
	    "<feedback>" TOP "<record><row><count>1</count></row><identifiers><header_from>ann@"
	    "</header_from></identifiers></record></feedback>",
	    "begin x\nrecord count=1 header_from= {V2 identifiers/header_from ann@}\nend draft" END_IS
	    " records=1\n" },
	{ "04 05 any order",
	    "<feedback><record><auth_results><spf><result>pass</result><domain>s.example</domain></spf>"
	    "<dkim><selector>k</selector><result>fail</result><domain>d.example</domain></dkim></"
	    "auth_results>"
	    "<identifiers><envelope_to>t.example</envelope_to><header_from>h.example</header_from></"
	    "identifiers>"
	    "<row><policy_evaluated><reason><comment>c</comment><type>other</type></reason><spf>pass</spf>"
	    "<dkim>fail</dkim><disposition>none</disposition></policy_evaluated><count>3</count>"
	    "<source_ip>192.0.2.1</source_ip></row></record>"
	    "<policy_published><pct>50</pct><sp>none</sp><p>reject</p><domain>example.com</domain></"
	    "policy_published>"
	    "<report_metadata><report_id>7</report_id><date_range><end>1700000020</end><begin>1700000010</"
	    "begin></"
	    "date_range><email>e</email></"
	    "report_metadata>"
	    "<version>1.0</version></feedback>",
	    "begin x\nrecord source_ip=192.0.2.1 count=3 disposition=none dkim=fail spf=pass "
	    "header_from=h.example "
	    "envelope_to=t.example reason( type=other comment=c ) dkim( domain=d.example selector=k "
	    "result=fail ) "
	    "spf( domain=s.example result=pass ) {O1 auth_results/dkim} {O1 identifiers} {O1 row} {O1 "
	    "row/policy_evaluated/spf} {O1 row/policy_evaluated/dkim} {O1 "
	    "row/policy_evaluated/disposition}\nend rfc7489 version=1.0 email=e report_id=7 "
	    "begin=1700000010 "
	    "end=1700000020 "
	    "domain=example.com p=reject "
	    "sp=none pct=50 records=1 {O1 policy_published} {O1 report_metadata} {O1 version}\n" },
	{ "06 two error elements",
	    "<feedback><report_metadata><report_id>7</report_id><error "
	    "lang='de'>eins</error><error>two</error><date_range><begin>1700000001</begin>"
	    "<end>1700000002</end></date_range></report_metadata>" POLICY "</feedback>",
	    NONE_IS(
		"draft report_id=7 begin=1700000001 end=1700000002 error=eins error=two domain=example.com",
		"") },
	{ "07 policy, all of it",
	    "<feedback>" META
	    "<policy_published><domain>example.com</domain><adkim>r</adkim><aspf>s</aspf><p>none</p>"
	    "<sp>reject</sp><np>quarantine</np><pct>100</pct><fo>0:1:d:s</fo><testing>y</testing>"
	    "<discovery_method>treewalk</discovery_method></policy_published></feedback>",
	    "begin x\nend rfc9990" END_IS
	    " adkim=r aspf=s p=none sp=reject np=quarantine pct=100 fo=0:1:d:s testing=y "
	    "discovery_method=treewalk records=0 {R0 record} {P3 policy_published/np quarantine} "
	    "{P3 policy_published/testing y} {P3 policy_published/discovery_method treewalk}\n" },
	{ "08 pct in the namespace of RFC 9990",
	    "<feedback xmlns='urn:ietf:params:xml:ns:dmarc-2.0'>" META
	    "<policy_published><domain>example.com</domain><np>none</np><pct>50</pct></policy_published></"
	    "feedback>",
	    "begin x\nend rfc9990 xmlns=urn:ietf:params:xml:ns:dmarc-2.0" END_IS
	    " np=none pct=50 records=0 {R0 record} {P3 policy_published/pct 50}\n" },
	{ "47 a contradiction behind the policy", "<feedback>" TOP UNALIGNED "</feedback>",
	    UNALIGNED_IS " {A1 row/policy_evaluated/dkim pass}\nend draft" END_IS " records=1\n" },
	{ "47 none is looked for before the policy", "<feedback>" META UNALIGNED POLICY "</feedback>",
	    UNALIGNED_IS "\nend draft" END_IS " records=1 {O1 policy_published}\n" },
	{ "17 private address before the policy",
	    "<feedback><record><row><source_ip>10.0.0.1</source_ip><count>1</count></row></record>" TOP
	    "</feedback>",
	    "begin x\nrecord source_ip=10.0.0.1 count=1 {I1 row/source_ip 10.0.0.1}\nend draft" END_IS
	    " records=1 {O1 report_metadata} {O1 policy_published}\n" },
	{ "17 private address in IPv6: one note",
	    ROW("<source_ip>::ffff:10.0.0.1</source_ip><count>1</count>"),
	    ONE(" source_ip=10.0.0.1 count=1 {I1 row/source_ip ::ffff:10.0.0.1}") },
	{ "07 absent is not empty",
	    "<feedback>" META
	    "<policy_published><domain>example.com</domain><fo/></policy_published></feedback>",
	    NONE_IS("rfc7489" END_IS " fo=", "") },
	{ "09 disposition pass",
	    ROW("<count>1</count><policy_evaluated><disposition>pass</disposition></policy_evaluated>"),
	    ONE(" count=1 disposition=pass") },
	{ "10 tokens by any case",
	    ROW("<count>1</count><policy_evaluated><disposition> Pass "
		"</disposition><dkim>PASS</dkim><spf>pass\n</spf>"
		"</policy_evaluated>"),
	    ONE(" count=1 disposition=pass dkim=pass spf=pass {V1 row/policy_evaluated/disposition Pass} "
		"{V1 row/policy_evaluated/dkim PASS}") },
	{ "10 unknown and empty tokens are kept",
	    ROW("<count>1</count><policy_evaluated><disposition>sp</disposition><dkim>Hardfail</dkim><spf/></"
		"policy_evaluated>"),
	    ONE(" count=1 disposition=sp dkim=fail spf= {V1 row/policy_evaluated/disposition sp} "
		"{V1 row/policy_evaluated/dkim Hardfail} {V1 row/policy_evaluated/spf }") },
	{ "10 words that say nothing are kept",
	    ROW("<count>1</count><policy_evaluated><disposition>-</disposition><dkim>n/a</dkim>"
		"<spf>Unknown</spf></policy_evaluated>"),
	    ONE(" count=1 disposition=- dkim=n/a spf=unknown {V1 row/policy_evaluated/disposition -} "
		"{V1 row/policy_evaluated/dkim n/a} {V1 row/policy_evaluated/spf Unknown}") },
	{ "10 words that plainly mean a verdict",
	    ROW("<count>1</count><policy_evaluated><dkim>Pass (aligned)</dkim><spf>failed</spf>"
		"</policy_evaluated>"),
	    ONE(" count=1 dkim=pass spf=fail {V1 row/policy_evaluated/dkim Pass (aligned)} "
		"{V1 row/policy_evaluated/spf failed}") },
	{ "10 a comment that turns the word is none of these",
	    ROW("<count>1</count><policy_evaluated><dkim>pass (not aligned)</dkim><spf>true</spf>"
		"</policy_evaluated>"),
	    ONE(" count=1 dkim=pass (not aligned) spf=true {V1 row/policy_evaluated/dkim pass (not aligned)} "
		"{V1 row/policy_evaluated/spf true}") },
	{ "10 signs that turn a token into another are no quotes",
	    ROW("<count>1</count><policy_evaluated><disposition>'none';</disposition><dkim>!pass</"
		"dkim><spf>-pass</spf>"
		"</policy_evaluated>"),
	    ONE(" count=1 disposition=none dkim=!pass spf=-pass {V1 row/policy_evaluated/disposition "
		"'none';} "
		"{V1 row/policy_evaluated/dkim !pass} {V1 row/policy_evaluated/spf -pass}") },
	{ "11 12 reasons of all dialects, in order, one empty",
	    ROW("<count>1</count><policy_evaluated><reason><type>forwarded</type></"
		"reason><reason><type>policy_test_mode</type>"
		"<comment>t=y</comment></reason><reason/></policy_evaluated>"),
	    ONE(" count=1 reason( type=forwarded ) reason( type=policy_test_mode comment=t=y ) reason( ) "
		"{P2 row/policy_evaluated/reason/type policy_test_mode}") },
	{ "13 three signatures and two SPF results",
	    "<feedback>" TOP "<record><row><count>1</count></row><auth_results><dkim><domain>a</domain></"
	    "dkim><dkim><domain>b</domain>"
	    "<human_result>ok</human_result></dkim><dkim><result>none</result></dkim><spf><domain>c</"
	    "domain><scope>mfrom</scope></"
	    "spf><spf><domain>d</domain>"
	    "<scope>helo</scope></spf></auth_results></record></feedback>",
	    "begin x\nrecord count=1 dkim( domain=a ) dkim( domain=b human_result=ok ) dkim( result=none ) "
	    "spf( domain=c "
	    "scope=mfrom ) "
	    "spf( domain=d scope=helo )\nend rfc7489" END_IS " records=1\n" },
	{ "15 empty envelope_from",
	    "<feedback>" TOP "<record><row><count>1</count></row><identifiers><envelope_from/></"
	    "identifiers></record></feedback>",
	    "begin x\nrecord count=1 envelope_from=\nend rfc7489" END_IS " records=1\n" },
	{ "16 names of domains",
	    "<feedback>" META "<policy_published><domain>EXAMPLE.com.</domain></"
	    "policy_published><record><row><count>1</count></row>"
	    "<identifiers><header_from>b\xc3\xbc"
	    "cher.Example</header_from></identifiers></record></feedback>",
	    "begin x\nrecord count=1 header_from=xn--bcher-kva.example {V2 identifiers/header_from b\xc3\xbc"
	    "cher.Example} {P1 identifiers/header_from xn--bcher-kva.example}\n"
	    "end draft" END_IS " records=1 {V2 policy_published/domain EXAMPLE.com.}\n" },
	{ "17 address in capitals and blanks", ROW("<source_ip> 2001:DB8::1\n</source_ip><count>1</count>"),
	    ONE(" source_ip=2001:db8::1 count=1") },
	{ "17 IPv4 in IPv6", ROW("<source_ip>::ffff:192.0.2.1</source_ip><count>1</count>"),
	    ONE(" source_ip=192.0.2.1 count=1 {I1 row/source_ip ::ffff:192.0.2.1}") },
	{ "17 not an address", ROW("<source_ip>not-an-ip</source_ip><count>1</count>"),
	    ONE(" count=1 {I1 row/source_ip not-an-ip}") },
	{ "18 count 0", ROW("<count>0</count>"), ONE(" count=0") },
	{ "18 count negative", ROW("<count>-5</count>"), ONE(" {C1 row/count -5}") },
	{ "18 count 1.0", ROW("<count>1.0</count>"), ONE(" count=1 {C1 row/count 1.0}") },
	{ "18 count 1.5", ROW("<count>1.5</count>"), ONE(" {C1 row/count 1.5}") },
	{ "18 count 10^12", ROW("<count>1000000000000</count>"), ONE(" count=1000000000000") },
	{ "18 count beyond what can be", ROW("<count>1000000000001</count>"),
	    ONE(" {C1 row/count 1000000000001}") },
	{ "18 count beyond 64 bits", ROW("<count>9223372036854775808</count>"),
	    ONE(" {C1 row/count 9223372036854775808}") },
	{ "18 count empty", ROW("<count/>"), ONE(" {C1 row/count }") },
	{ "18 count absent", ROW(""), ONE(" {C1 row/count}") },
	{ "19 extension and foreign elements",
	    "<feedback>" TOP "<extension><a "
	    "xmlns='urn:a'><record><row/></record></a></extension><record><row><count>1</count></row>"
	    "<b:auth_results "
	    "xmlns:b='urn:b'><dkim><domain>no</domain></dkim></b:auth_results></record></feedback>",
	    "begin x\nrecord count=1\nend rfc9990" END_IS " records=1\n" },
	{ "20 foreign count inside row",
	    ROW("<x:count xmlns:x='urn:x'>9</x:count><count>1</count><x:count xmlns:x='urn:x'>9</x:count>"),
	    ONE(" count=1") },
	{ "21 no record", "<feedback>" TOP "</feedback>", NONE_IS("draft" END_IS, "") },
	{ "22 two policies", "<feedback>" TOP POLICY "</feedback>",
	    "begin x\n!incomplete more than one policy_published: which one counts is not known (RFC 9990 "
	    "section 3.1.1)\n" },
	{ "22 two date ranges", "<feedback>" TOP META "</feedback>",
	    "begin x\n!incomplete more than one date_range: which one counts is not known (RFC 9990 section "
	    "3.1.1)\n" },
	{ "23 end before begin",
	    "<feedback><report_metadata><report_id>7</report_id><date_range><begin>1700000020</"
	    "begin><end>1700000010</end>"
	    "</date_range></report_metadata>" POLICY "</feedback>",
	    "begin x\nend draft report_id=7 begin=1700000020 end=1700000010 domain=example.com records=0 {R0 "
	    "record} {E2 report_metadata/date_range/end 1700000010}\n" },
	{ "23 forty days",
	    "<feedback><report_metadata><report_id>7</report_id><date_range><begin>1700000000</"
	    "begin><end>1703456000</end>"
	    "</date_range></report_metadata>" POLICY "</feedback>",
	    "begin x\nend draft report_id=7 begin=1700000000 end=1703456000 domain=example.com records=0 {R0 "
	    "record} {E2 report_metadata/date_range/end 1703456000}\n" },
	{ "23 the far future, and the past",
	    "<feedback><report_metadata><report_id>7</report_id><date_range><begin>0</begin><end>4102444801</"
	    "end>"
	    "</date_range></report_metadata>" POLICY "</feedback>",
	    "begin x\nend draft report_id=7 begin=0 end=4102444801 domain=example.com records=0 {R0 record} "
	    "{E2 report_metadata/date_range/begin 0} {E2 report_metadata/date_range/end 4102444801}\n" },
	{ "25 internal subset", "<!DOCTYPE feedback [<!ENTITY a 'b'>]><feedback>" TOP "</feedback>",
	    "!xml line 1: declaration of an entity: not read from a mail (RFC 9990 section 8.1)\n" },
	{ "25 element declaration",
	    "<!DOCTYPE feedback [<!ELEMENT feedback ANY>]><feedback>" TOP "</feedback>",
	    "!xml line 1: declaration of an element: not read from a mail (RFC 9990 section 8.1)\n" },
	{ "25 attribute declaration",
	    "<!DOCTYPE feedback [<!ATTLIST feedback a (b|c) 'b'>]><feedback>" TOP "</feedback>",
	    "!xml line 1: declaration of an attribute: not read from a mail (RFC 9990 section 8.1)\n" },
	{ "25 notation declaration",
	    "<!DOCTYPE feedback [<!NOTATION a SYSTEM 'b'>]><feedback>" TOP "</feedback>",
	    "!xml line 1: declaration of a notation: not read from a mail (RFC 9990 section 8.1)\n" },
	{ "25 external entity",
	    "<!DOCTYPE feedback [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><feedback>&a;</feedback>",
	    "!xml line 1: declaration of an entity: not read from a mail (RFC 9990 section 8.1)\n" },
	{ "25 parameter entity", "<!DOCTYPE feedback [%a;]><feedback>" TOP "</feedback>",
	    "!xml line 1: reference to a parameter entity: not read from a mail (RFC 9990 section 8.1)\n" },
	{ "25 entity under a DOCTYPE of elsewhere",
	    "<!DOCTYPE feedback SYSTEM 'http://x/'><feedback><version>&a;</version></feedback>",
	    "begin x\n!xml line 1: reference to an entity that XML does not predefine: not read from a mail "
	    "(RFC 9990 section 8.1)\n" },
	{ "bare DOCTYPE", "<!DOCTYPE feedback><feedback>" TOP "</feedback>",
	    NONE_IS("draft" END_IS, " {X1 feedback}") },
	{ "DOCTYPE of elsewhere",
	    "<!DOCTYPE feedback PUBLIC 'a' 'http://x/y.dtd'><feedback>" TOP "</feedback>",
	    NONE_IS("draft" END_IS, " {X1 feedback}") },
	{ "26 BOM", "\xef\xbb\xbf<?xml version='1.0'?><feedback>" TOP "</feedback>",
	    NONE_IS("draft" END_IS, "") },
	{ "26 blanks before the declaration", "\n  <?xml version='1.0'?><feedback>" TOP "</feedback>",
	    NONE_IS("draft" END_IS, "") },
	{ "26 windows-1252",
	    "<?xml version='1.0' "
	    "encoding='windows-1252'?><feedback><report_metadata><report_id>7</report_id><org_name>Sue\xf1o "
	    "\x80</org_name><date_range>"
	    "<begin>1700000001</begin><end>1700000002</end></date_range></report_metadata>" POLICY
	    "</feedback>",
	    NONE_IS("draft org_name=Sue\xc3\xb1o \xe2\x82\xac report_id=7 begin=1700000001 end=1700000002 "
		    "domain=example.com",
		"") },
	{ "26 ISO-8859-1",
	    "<?xml version='1.0' "
	    "encoding='iso-8859-1'?><feedback><report_metadata><report_id>7</report_id><org_name>Sue\xf1o</"
	    "org_name><date_range>"
	    "<begin>1700000001</begin><end>1700000002</end></date_range></report_metadata>" POLICY
	    "</feedback>",
	    NONE_IS(
		"draft org_name=Sue\xc3\xb1o report_id=7 begin=1700000001 end=1700000002 domain=example.com",
		"") },
	{ "text in pieces: entities, CDATA, comments",
	    "<feedback><report_metadata><report_id>7</report_id><org_name>a&amp;b&#x41;<!-- no "
	    "--><![CDATA[<c>]]><?pi no?> "
	    "d<z>no</z>e</org_name><date_range>"
	    "<begin>1700000001</begin><end>1700000002</end></date_range></report_metadata>" POLICY
	    "</feedback>",
	    NONE_IS(
		"draft org_name=a&bA<c> de report_id=7 begin=1700000001 end=1700000002 domain=example.com",
		"") },
	{ "dates with fraction and blanks",
	    "<feedback><report_metadata><report_id>7</report_id><date_range><begin> 1700000000.0 "
	    "</begin><end>1700086400.9</end></date_range>"
	    "</report_metadata>" POLICY "</feedback>",
	    NONE_IS("draft report_id=7 begin=1700000000 end=1700086400 domain=example.com",
		" {E1 report_metadata/date_range/begin 1700000000.0} {E1 report_metadata/date_range/end "
		"1700086400.9}") },
	{ "date is no number",
	    "<feedback><report_metadata><report_id>7</report_id><date_range><begin>now</begin><end>2</end></"
	    "date_range></"
	    "report_metadata>" POLICY "</feedback>",
	    "begin x\n!incomplete report_metadata/date_range/begin \"now\": not seconds since 1970 (RFC 9990 "
	    "section 3.1.1)\n" },
	{ "date after the year 9999",
	    "<feedback><report_metadata><report_id>7</report_id><date_range><begin>1</"
	    "begin><end>253402300800</end></date_range></"
	    "report_metadata>" POLICY "</feedback>",
	    "begin x\n!incomplete report_metadata/date_range/end \"253402300800\": not seconds since 1970 "
	    "(RFC 9990 section 3.1.1)\n" },
	{ "no date range", "<feedback>" POLICY "</feedback>",
	    "begin x\n!incomplete no report_metadata/date_range/begin (RFC 9990 section 3.1.1)\n" },
	{ "no policy domain",
	    "<feedback>" META "<policy_published><domain> </domain></policy_published></feedback>",
	    "begin x\n!incomplete no policy_published/domain (RFC 9990 section 3.1.1)\n" },
	{ "pct out of range",
	    "<feedback>" META
	    "<policy_published><domain>example.com</domain><pct>101</pct></policy_published></feedback>",
	    NONE_IS("draft" END_IS, " {V1 policy_published/pct 101}") },
	{ "first of repeated elements", ROW("<count>1</count><count>2</count>"),
	    ONE(" count=1 {X4 row/count}") },
	{ "lists start anew in each record",
	    "<feedback>" TOP "<record><row><count>1</count><policy_evaluated><reason><type>other</type></"
	    "reason></policy_evaluated></row>"
	    "</record><record><row><count>2</count></row></record></feedback>",
	    "begin x\nrecord count=1 reason( type=other )\nrecord count=2\nend draft" END_IS " records=2\n" },
	{ "other case and misspelling",
	    "<FeedBack>" TOP "<record><Row><count>1</count></Row><identities><header_from>a.example</"
	    "header_from></identities></record>"
	    "</FeedBack>",
	    "begin x\nrecord count=1 header_from=a.example {X3 row Row} {X3 identifiers identities} "
	    "{P1 identifiers/header_from a.example}\nend "
	    "draft" END_IS " records=1 {X3 feedback FeedBack}\n" },
	{ "names that only look like ours",
	    "<feedback>" TOP "<count>9</count><row><count>9</count></row><records/></feedback>",
	    "begin x\nend draft" END_IS
	    " records=0 {O2 row/count feedback} {O2 row feedback} {R0 record}\n" },
	{ "another root", "<html><feedback>" TOP "</feedback></html>", "!other\n" },
	{ "not well-formed", "<feedback>" TOP "<record></feedback>",
	    "begin x\n!xml line 1: Opening and ending tag mismatch: record line 1 and feedback\n" },
	{ "cut off behind a record", "<feedback>" TOP ONE_RECORD, PARTIAL("ends before </feedback>") },
	{ "cut off in the last end tag", "<feedback>" TOP ONE_RECORD "</feedb",
	    PARTIAL("ends before </feedback>") },
	{ "cut off in a record", "<feedback>" TOP ONE_RECORD "<record><row><count>1</cou",
	    PARTIAL("ends before </record>") },
	{ "cut off in a comment", "<feedback>" TOP ONE_RECORD "<!-- ", PARTIAL("ends before </feedback>") },
	{ "cut off in a tag of a record", "<feedback>" TOP ONE_RECORD "<record",
	    PARTIAL("ends before </feedback>") },
	{ "not well-formed behind a record",
	    "<feedback>" TOP ONE_RECORD "<record><row></record>" ONE_RECORD "</feedback>",
	    PARTIAL("line 1: Opening and ending tag mismatch: row line 1 and record") },
	{ "cut off, and the policy stands behind the records", "<feedback>" META ONE_RECORD POLICY ONE_RECORD,
	    "begin x\nrecord count=1\nrecord count=1\nend draft" END_IS
	    " records=2 partial {O1 policy_published} {R1 feedback ends before "
	    "</feedback>}\n" },
	{ "cut off before the policy", "<feedback>" META ONE_RECORD,
	    "begin x\nrecord count=1\n!xml ends before </feedback>\n" },
	{ "cut off in the policy",
	    "<feedback>" META ONE_RECORD "<policy_published><domain>example.com</domain>",
	    "begin x\nrecord count=1\n!xml ends before </policy_published>\n" },
	{ "cut off without an id to identify the complete report",
	    "<feedback><report_metadata><date_range><begin>1700000010</begin><end>1700000020</end></"
	    "date_range></"
	    "report_metadata>" POLICY ONE_RECORD,
	    "begin x\nrecord count=1\n!xml ends before </feedback>\n" },
	{ "cut off in the first record", "<feedback>" TOP "<record><row><count>1</cou",
	    "begin x\n!xml line 1: expected '>'\n" },
	{ "forbidden behind a record", "<feedback>" TOP ONE_RECORD "&a;",
	    "begin x\nrecord count=1\n!xml line 1: reference to an entity that XML does not predefine: not "
	    "read from a "
	    "mail (RFC 9990 section 8.1)\n" },
	{ "two policies, then cut off", "<feedback>" TOP ONE_RECORD POLICY "<rec",
	    "begin x\nrecord count=1\n!incomplete more than one policy_published: which one counts is not "
	    "known (RFC "
	    "9990 section 3.1.1)\n" },
	{ "comments and instructions behind the end",
	    "<feedback>" TOP ONE_RECORD "</feedback>\n<!-- a --><?b?>\n", ONE(" count=1") },
	{ "words behind the end", "<feedback>" TOP ONE_RECORD "</feedback>\n sent by  a gateway\n",
	    AFTER("sent by a gateway") },
	{ "tags behind the end", "<feedback>" TOP ONE_RECORD "</feedback></body>", AFTER("</body>") },
	{ "words behind the end of what lacks its dates", "<feedback>" POLICY "</feedback>x",
	    "begin x\n!incomplete no report_metadata/date_range/begin (RFC 9990 section 3.1.1)\n" },
	{ "a second document", "<feedback>" TOP ONE_RECORD "</feedback>\n<?xml version='1.0'?><feedback/>",
	    AFTER("<?xml version='1.0'?><feedback/>") "!another\n" },
	{ "a second root", "<feedback>" TOP ONE_RECORD "</feedback><feedback/>",
	    AFTER("<feedback/>") "!another\n" },
	{ "a second root, of which more is to come",
	    "<feedback>" TOP ONE_RECORD "</feedback>\n<d:feedback a='b'>",
	    AFTER("<d:feedback a='b'>") "!another\n" },
	{ "empty", "", "!xml empty\n" },
	{ "blanks only", " \n", "!xml empty\n" },
	{ "bytes that are not UTF-8",
	    "<?xml version='1.0' encoding='UTF-8'?><feedback>" META
	    "<policy_published><domain>example.com</domain>"
	    "</policy_published><record><row><count>1</count></row><auth_results><dkim><human_result>Sue\xf1o"
	    "</human_result></dkim></auth_results></record></feedback>",
	    "begin x\nrecord count=1 dkim( human_result=Sue\xc3\xb1o ) {X7 "
	    "auth_results/dkim/human_result}\nend "
	    "draft" END_IS " records=1\n" },
	{ "raw markup, each noted where it is",
	    "<feedback>" TOP "<record><row><count>1</count></row>&<identifiers><header_from>a<b.example"
	    "</header_from></identifiers></record><record><row><count>2</count></row></record><version>1 & 2"
	    "</version></feedback>",
	    "begin x\nrecord count=1 header_from=a<b.example {X5 record} {X5 identifiers/header_from}\n"
	    "record count=2\nend rfc7489 version=1 & 2" END_IS
	    " records=2 {O1 version} {X5 version} {V1 version 1 & 2}\n" },
	{ "wrong and missing end tags, each noted where it is",
	    "<feedback><report_metadata><org_name>a</name><email>b<report_id>7</report_id><date_range>"
	    "<begin>1700000010</begin><end>1700000020</report_metadata><policy_published><domain>example.com"
	    "</policy_published><record><row><source_ip>192.0.2.1<count>1</cuont></row></record></feedback>",
	    "begin x\nrecord source_ip=192.0.2.1 count=1 {X9 row/source_ip} {X9 row/count}\n"
	    "end draft org_name=a email=b report_id=7 begin=1700000010 end=1700000020 domain=example.com "
	    "records=1 {X9 report_metadata/org_name} {X9 report_metadata/email} "
	    "{X9 report_metadata/date_range/end} {X9 report_metadata/date_range} {X9 "
	    "policy_published/domain}\n" },
	{ "an end tag that can be of two elements",
	    "<feedback>" TOP "<record><row><count>1</row><source_ip>192.0.2.1</source_ip></row></record>",
	    "begin x\n!xml line 1: Opening and ending tag mismatch: record line 1 and row\n" },
	{ "HTML entities", "<feedback>" TOP "<version>&eacute;</version></feedback>",
	    NONE_IS("rfc7489 version=\xc3\xa9" END_IS, " {O1 version} {X5 version} {V1 version \xc3\xa9}") },
	{ "an entity that nobody knows", "<feedback>" TOP "<version>&eacut;</version></feedback>",
	    "begin x\n!xml line 1: reference to an entity that XML does not predefine: not read from a mail "
	    "(RFC 9990 section 8.1)\n" },
	{ "two declarations",
	    "<?xml version='1.0'?><?xml version='1.0' encoding='UTF-8'?><feedback>" TOP "</feedback>",
	    NONE_IS("draft" END_IS, " {X8 feedback}") },
	{ "a declaration without ?", "<?xml version='1'>\n<feedback>" TOP "</feedback>",
	    NONE_IS("draft" END_IS, " {X8 feedback}") },
	{ "control characters, in the tag and after the end",
	    "<feedback>" TOP "<version>1\x01.0</ver\x02sion></feedback>\n\x1a",
	    NONE_IS("rfc7489 version=1.0" END_IS, " {O1 version} {X6 version} {X6 feedback}") },
	{ "a quote before the root", "<?xml version='1.0'?>\"\n<feedback>" TOP "</feedback>",
	    NONE_IS("draft" END_IS, " {X8 feedback}") },
	{ "a schema before the root",
	    "<?xml version='1.0'?> <xs:schema xmlns:xs='a'><D:FeedBack "
	    "xmlns:D='urn:ietf:params:xml:ns:dmarc-2.0'>" TOP "</D:FeedBack>",
	    NONE_IS("rfc9990 xmlns=urn:ietf:params:xml:ns:dmarc-2.0" END_IS,
		" {X8 feedback} {X3 feedback FeedBack}") },
	{ "no > at the end", "<feedback>" TOP "</feedback\n", NONE_IS("draft" END_IS, " {X9 feedback}") },
	{ "no > at the end of a record that is open", "<feedback>" TOP "<record></feedback",
	    "begin x\n!xml line 1: Opening and ending tag mismatch: record line 1 and feedback\n" },
	{ "a report in a comment before other junk",
	    "<?xml version='1.0'?>x<!--<feedback>" TOP "</feedback>--><a/>",
	    "!xml line 1: Document is empty\n" },
	{ "junk does not hide declarations",
	    "<?xml version='1.0'?>x<!DOCTYPE a [<!ENTITY b 'c'>]><feedback>" TOP "</feedback>",
	    "!xml line 1: Document is empty\n" },
	{ "26 unknown character set",
	    "<?xml version='1.0' encoding='x-no-such'?><feedback>" TOP
	    "<version>\xc3\xb1</version></feedback>",
	    NONE_IS("rfc7489 version=\xc3\xb1" END_IS,
		" {X7 feedback x-no-such} {O1 version} {V1 version \xc3\xb1}") },
	{ "26 UTF-16 that is none, as .NET writes it",
	    "<?xml version='1.0' encoding='utf-16'?><feedback>" TOP "</feedback>",
	    NONE_IS("draft" END_IS, " {X7 feedback utf-16}") },
	{ "26 declared ASCII, but UTF-8",
	    "<?xml version='1.0' encoding='US-ASCII'?><feedback>" TOP
	    "<version>\xc3\xb1</version></feedback>",
	    NONE_IS("rfc7489 version=\xc3\xb1" END_IS, " {O1 version} {V1 version \xc3\xb1}") },
	{ "26 junk, then another character set",
	    "\"<?xml version='1.0' encoding='windows-1251'?><feedback>" TOP
	    "<version>\xe0</version></feedback>",
	    NONE_IS("rfc7489 version=\xd0\xb0" END_IS, " {X8 feedback} {O1 version} {V1 version \xd0\xb0}") },
};

static void end(struct aggregate *aggregate, struct collect *collect)
{
	g_autoptr(GError) error = NULL;

	switch (aggregate_end(aggregate, &error)) {
	case AGGREGATE_REPORT:
		assert_true(aggregate_begun(aggregate));
		if (aggregate_others(aggregate) > 0)
			g_string_append(collect->lines, "!another\n");
		break;
	case AGGREGATE_OTHER:
		g_string_append(collect->lines, "!other\n");
		assert_false(aggregate_begun(aggregate));
		break;
	case AGGREGATE_UNREADABLE:
		g_string_append_printf(
		    collect->lines, "!%s %s\n", aggregate_code(aggregate), aggregate_reason(aggregate));
		break;
	case AGGREGATE_FAILED:
		g_string_append_printf(collect->lines, "!failed %s\n", error->message);
		break;
	}
}

/* What xml gives when pushed in steps, as text. */
static char *run(const struct parser_limits *limits, const char *xml, gsize size, gsize step)
{
	struct collect collect;
	struct aggregate *aggregate;

	collect_init(&collect);
	aggregate = aggregate_new(limits, "x", &COLLECT, &collect);
	for (gsize at = 0; at < size; at += step) {
		g_autofree guint8 *piece = g_memdup2(xml + at, MIN(step, size - at));

		if (!aggregate_push(aggregate, piece, MIN(step, size - at)))
			break;
	}
	end(aggregate, &collect);
	aggregate_free(aggregate);
	return g_string_free(collect.lines, FALSE);
}

static void rows_whole_and_byte_by_byte(void **state)
{
	static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;
	static const gsize STEPS[] = { G_MAXSIZE / 2, 1, 7 };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++)
		for (gsize j = 0; j < G_N_ELEMENTS(STEPS); j++) {
			g_autofree char *got = run(&LIMITS, ROWS[i].xml, strlen(ROWS[i].xml), STEPS[j]);

			if (strcmp(got, ROWS[i].want) != 0)
				fail_msg("%s, step %zu:\ngot  %swant %s", ROWS[i].name, STEPS[j], got,
				    ROWS[i].want);
		}
}

/* ASCII text as UTF-16, little-endian, with or without its mark. */
static GByteArray *utf16(const char *text, gboolean mark)
{
	GByteArray *out = g_byte_array_new();

	if (mark)
		g_byte_array_append(out, (const guint8 *)"\xff\xfe", 2);
	for (; *text != '\0'; text++) {
		guint8 pair[2] = { (guint8)*text, 0 };

		g_byte_array_append(out, pair, 2);
	}
	return out;
}

static void utf_16_is_read_as_26_says(void **state)
{
	static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;
	static const gsize STEPS[] = { G_MAXSIZE / 2, 1, 7 };

	(void)state;
	for (gsize i = 0; i < 2 * G_N_ELEMENTS(STEPS); i++) {
		g_autoptr(GByteArray) xml =
		    utf16("<?xml version='1.0' encoding='UTF-16'?><feedback>" TOP "</feedback>", i % 2 == 0);
		g_autofree char *got = run(&LIMITS, (const char *)xml->data, xml->len, STEPS[i / 2]);

		assert_string_equal(got, NONE_IS("draft" END_IS, ""));
	}
}

static void a_deviation_across_any_boundary_of_pieces_changes_nothing(void **state)
{
	static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;
	g_autoptr(GString) xml = g_string_new("<feedback>" TOP);
	g_autofree char *whole = NULL;

	(void)state;
	/* far more than libxml2 gets at once, so that its pieces end everywhere in a record */
	for (guint i = 0; i < 3000; i++)
		g_string_append_printf(xml,
		    "<record><row><source_ip>10.0.%u.%u</source_ip><count>%u</count><policy_evaluated>"
		    "<dkim>Pass</dkim></policy_evaluated></row><identifiers><header_from "
		    "a='>'>h%u.example&amp;"
		    "</header_from></identifiers></record>\n",
		    i / 256, i % 256, i, i);
	g_string_append(xml, "</feedback>");
	whole = run(&LIMITS, xml->str, xml->len, G_MAXSIZE / 2);
	assert_non_null(strstr(whole, "header_from=h2999.example& {V1"));
	assert_non_null(strstr(whole, "records=3000\n"));
	for (gsize step = 1; step < 40000; step = step * 3 + 1) {
		g_autofree char *got = run(&LIMITS, xml->str, xml->len, step);

		assert_string_equal(got, whole);
	}
}

/* 0xff is nothing in EUC-KR: libxml2 then halts, for some places of the byte without calling it an error. */
static void a_byte_outside_of_the_charset_never_makes_a_whole_report(void **state)
{
	static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;

	(void)state;
	for (guint records = 0; records < 4000; records += 500)
		for (gsize step = 1000; step < 100000000; step *= 100) {
			g_autoptr(GString) xml =
			    g_string_new("<?xml version='1.0' encoding='EUC-KR'?><feedback>" TOP);
			g_autofree char *got = NULL;

			for (guint i = 0; i < records; i++)
				g_string_append(xml, "<record><row><count>1</count></row></record>\n");
			g_string_append(xml, "<record><row>\xff</row></record></feedback>");
			got = run(&LIMITS, xml->str, xml->len, step);
			if (strstr(got, records == 0 ? "\n!xml " : " partial {R1 feedback ") == NULL)
				fail_msg("%u records, step %zu: %.100s", records, step, got);
		}
}

static char *repeat(const char *head, const char *unit, guint n, const char *tail)
{
	GString *text = g_string_new(head);

	for (guint i = 0; i < n; i++)
		g_string_append(text, unit);
	g_string_append(text, tail);
	return g_string_free(text, FALSE);
}

struct limit_row {
	const char *name;
	struct parser_limits limits;
	const char *head, *unit, *tail;
	guint n;          /* units that are allowed */
	const char *want; /* of the reason at n + 1 */
};

static void limits_hold_at_n_minus_1_n_n_plus_1(void **state)
{
	static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;
	struct limit_row rows[] = {
		{ "records", LIMITS, "<feedback>" TOP, "<record/>", "</feedback>", 5, "more than 5 records" },
		{ "depth", LIMITS, "<feedback>" TOP "<x>", "<y>", "", 8,
		    "more than 10 elements inside one another" },
		{ "attributes", LIMITS, "<feedback>" TOP "<x", " %", "/></feedback>", 4,
		    "an element with more than 4 attributes" },
	};

	(void)state;
	rows[0].limits.max_records = 5;
	rows[1].limits.max_depth = 10;
	rows[2].limits.max_attributes = 4;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		for (guint n = rows[i].n - 1; n <= rows[i].n + 1; n++) {
			g_autoptr(GString) xml = g_string_new_len(NULL, 0);
			g_autofree char *text = repeat(rows[i].head, rows[i].unit, n, rows[i].tail);
			g_autofree char *want = g_strdup_printf("!limit %s\n", rows[i].want);
			g_autofree char *got = NULL;
			guint k = 0;

			for (const char *at = text; *at != '\0';
			     at++) /* attributes need names of their own */
				if (*at == '%')
					g_string_append_printf(xml, "a%u=''", k++);
				else
					g_string_append_c(xml, *at);
			got = run(&rows[i].limits, xml->str, xml->len, 13);
			if ((strstr(got, want) != NULL) != (n > rows[i].n))
				fail_msg("%s, %u: %s", rows[i].name, n, got);
			if ((strstr(got, "!limit") != NULL) != (n > rows[i].n))
				fail_msg("%s, %u: %s", rows[i].name, n, got);
		}
}

static guint count_of(const char *text, const char *word)
{
	guint n = 0;

	for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
		n++;
	return n;
}

/* A list of units in one record: the other record and the rest of this one are complete. */
static void check_list(const char *name, const struct parser_limits *limits, const char *head,
    const char *unit, const char *tail, const char *item, const char *note)
{
	for (guint n = 2; n <= 5; n++) {
		g_autofree char *xml = repeat(head, unit, n, tail);
		g_autofree char *got = run(limits, xml, strlen(xml), 13);
		gboolean noted = strstr(got, note) != NULL;

		if (count_of(got, item) != MIN(n, 3) || noted != (n > 3) || strstr(got, "count=8") == NULL ||
		    strstr(got, "records=2") == NULL || (n > 3 && strstr(got, "{A1") != NULL))
			fail_msg("%s, %u: %s", name, n, got);
	}
}

static void a_list_too_long_is_cut_and_noted_and_costs_nothing_else(void **state)
{
#define FIRST  "<feedback>" TOP "<record><row><count>7</count></row></record><record><row><count>8</count>"
#define FROM   "<policy_evaluated><dkim>pass</dkim><spf>pass</spf>"
#define OTHERS "<identifiers><header_from>example.com</header_from></identifiers>"
#define END    "</record></feedback>"
	struct parser_limits limits = PARSER_LIMITS_DEFAULT;

	(void)state;
	limits.max_record_items = 3;
	check_list("signatures", &limits, FIRST FROM "</policy_evaluated></row>" OTHERS "<auth_results>",
	    "<dkim><domain>x.example</domain><result>pass</result></dkim>",
	    "<spf><domain>example.com</domain><result>pass</result></spf></auth_results>" END,
	    "dkim( domain=x.example", "{T2 auth_results/dkim}");
	check_list("SPF results", &limits,
	    FIRST FROM "</policy_evaluated></row>" OTHERS
		       "<auth_results><dkim><domain>example.com</domain><result>pass</result></dkim>",
	    "<spf><domain>x.example</domain><result>pass</result></spf>", "</auth_results>" END,
	    "spf( domain=x.example", "{T2 auth_results/spf}");
	check_list("reasons", &limits, FIRST "<policy_evaluated>", "<reason><type>other</type></reason>",
	    "</policy_evaluated></row>" END, "reason( type=other", "{T2 row/policy_evaluated/reason}");
	check_list("errors", &limits, "<feedback>" POLICY "<report_metadata><report_id>7</report_id>",
	    "<error>e</error>",
	    "<date_range><begin>1700000010</begin><end>1700000020</end></date_range></report_metadata>"
	    "<record/><record><row><count>8</count></row></record></feedback>",
	    "error=e", "{T2 report_metadata/error}");
#undef FIRST
#undef FROM
#undef OTHERS
#undef END
}

/* Each signature takes 10 bytes; whatever the lists take, the record's own values are kept. */
static void lists_end_when_the_values_of_a_record_are_too_many_bytes(void **state)
{
	struct parser_limits limits = PARSER_LIMITS_DEFAULT;

	(void)state;
	limits.max_record_bytes = 200;
	for (guint n = 20; n <= 23; n++) {
		g_autofree char *xml = repeat("<feedback>" TOP "<record><auth_results>",
		    "<dkim><human_result>123456789</human_result></dkim>", n,
		    "</auth_results><identifiers><header_from>b.example</header_from></identifiers>"
		    "<row><count>8</count></row></record></feedback>");
		g_autofree char *got = run(&limits, xml, strlen(xml), 13);

		if (count_of(got, "human_result=123456789") != MIN(n, 21) ||
		    (strstr(got, "{T2 auth_results/dkim}") != NULL) != (n > 21) ||
		    strstr(got, "count=8 header_from=b.example") == NULL)
			fail_msg("%u: %s", n, got);
	}
}

static void long_values_are_cut_on_a_character(void **state)
{
	static const struct {
		const char *name, *value, *want;
	} rows[] = {
		{ "n-1", "ab1234567", " org_name=ab1234567" },
		{ "n", "ab12345678", " org_name=ab12345678" },
		{ "n+1", "ab123456789", " org_name=ab12345678 T1" },
		{ "blanks behind do not count", "ab12345678   \n  ", " org_name=ab12345678" },
		{ "blanks before do not count", "      \n    ab12345678", " org_name=ab12345678" },
		{ "DEL as three bytes", "ab12345\x7f", " org_name=ab12345\xef\xbf\xbd" },
		{ "DEL, no room", "ab123456\x7f", " org_name=ab123456" },
		{ "inside a character", "ab1234567\xc3\xb1", " org_name=ab1234567 T1" },
		{ "after a character",
		    "ab123456\xc3\xb1"
		    "x",
		    " org_name=ab123456\xc3\xb1 T1" },
	};
	struct parser_limits limits = PARSER_LIMITS_DEFAULT;

	(void)state;
	limits.max_text = 10;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *xml =
		    g_strdup_printf("<feedback><report_metadata><report_id>7</report_id><org_name>%s</"
				    "org_name><date_range><begin>1700000001</begin>"
				    "<end>1700000002</end></date_range></report_metadata><policy_published>"
				    "<domain>a.b</domain></policy_published></feedback>",
			rows[i].value);
		g_auto(GStrv) want = g_strsplit(rows[i].want, " T1", 2);
		g_autofree char *line = g_strdup_printf("begin x\nend draft%s report_id=7 begin=1700000001 "
							"end=1700000002 domain=a.b records=0%s {R0 record}\n",
		    want[0], want[1] != NULL ? " {T1 report_metadata/org_name}" : "");
		g_autofree char *got = run(&limits, xml, strlen(xml), 1);

		if (strcmp(got, line) != 0)
			fail_msg("%s:\ngot  %swant %s", rows[i].name, got, line);
	}
}

static void notes_end_at_their_limit(void **state)
{
	struct parser_limits limits = PARSER_LIMITS_DEFAULT;
	g_autofree char *got = NULL;
	static const char XML[] =
	    ROW("<source_ip>x</source_ip><count>y</count><policy_evaluated><spf>z</spf></policy_evaluated>");

	(void)state;
	limits.max_notes = 2;
	got = run(&limits, XML, strlen(XML), 1);
	assert_string_equal(got, ONE(" spf=z {I1 row/source_ip x} {C1 row/count y}"));
}

/* One construct of unit repeated until libxml2 would have to hold all of it. */
static void assertion_25_huge_constructs_end_early(void **state)
{
	static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;
	static const struct {
		const char *name, *head, *unit;
		const char *want;
	} rows[] = {
		{ "10^5 elements inside one another", "<feedback>", "<a>", "!limit more than 64 elements" },
		{ "a million attributes", "<feedback ", "abc='' ", "!limit line 1: a tag" },
		{ "one attribute", "<feedback a='", "xxxxxxxxxxxx", "!limit line 1: a tag" },
		{ "a name", "<", "xxxxxxxxxxxx", "!limit line 1: a tag" },
		{ "a comment", "<feedback><!--", "xxxxxxxxxxxx", "!limit line 1: a tag" },
		{ "an instruction", "<feedback><?a ", "xxxxxxxxxxxx", "!limit line 1: a tag" },
		{ "a DOCTYPE", "<!DOCTYPE a [ ", "            ", "!limit line 1: a tag" },
		{ "entities of one another", "<!DOCTYPE a [<!ENTITY a 'a'>", "<!ENTITY b '&a;&a;'>",
		    "!limit line 1: a tag" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct collect collect;
		struct aggregate *aggregate;
		gsize pushed = 0;

		collect_init(&collect);
		aggregate = aggregate_new(&LIMITS, "x", &COLLECT, &collect);
		aggregate_push(aggregate, (const guint8 *)rows[i].head, strlen(rows[i].head));
		while (pushed < 100 * 1000 * 1000 &&
		       aggregate_push(aggregate, (const guint8 *)rows[i].unit, strlen(rows[i].unit)))
			pushed += strlen(rows[i].unit);
		end(aggregate, &collect);
		if (strstr(collect.lines->str, rows[i].want) == NULL || pushed > 200 * 1000)
			fail_msg("%s: %s after %zu bytes", rows[i].name, collect.lines->str, pushed);
		aggregate_free(aggregate);
		collect_clear(&collect);
	}
}

static void different_names_end_at_their_limit(void **state)
{
	static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;
	g_autoptr(GString) xml = g_string_new("<feedback>");
	g_autofree char *got = NULL;

	(void)state;
	for (guint i = 0; i < 100000; i++)
		g_string_append_printf(xml, "<n%u/>", i);
	got = run(&LIMITS, xml->str, xml->len, G_MAXSIZE / 2);
	assert_string_equal(got, "begin x\n!limit more than 8192 different names\n");
}

static void each_error_of_the_sink_ends_it_and_comes_out(void **state)
{
	static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;
	static const char XML[] = "<feedback>" TOP "<record/><record/></feedback>";

	(void)state;
	for (guint call = 1; call <= 4; call++) {
		struct collect collect;
		struct aggregate *aggregate;

		collect_init(&collect);
		collect.fail_at = call;
		aggregate = aggregate_new(&LIMITS, "x", &COLLECT, &collect);
		aggregate_push(aggregate, (const guint8 *)XML, strlen(XML));
		end(aggregate, &collect);
		assert_true(g_str_has_suffix(collect.lines->str, "!failed the sink is full\n"));
		assert_int_equal(collect.calls, call);
		aggregate_free(aggregate);
		collect_clear(&collect);
	}
}

/* What is not read on counts as well. */
static void sha256_is_of_all_bytes(void **state)
{
	static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;
	static const char *const TEXTS[] = { "\n<feedback>" TOP "</feedback>\n<!-- end -->\n",
		"<feedback>" TOP "</feedback>\n-- \nx",
		"<feedback>" TOP ONE_RECORD "</record> " ONE_RECORD "more" };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(TEXTS); i++)
		for (gsize step = 1; step <= 1000; step *= 10) {
			g_autoptr(GChecksum) want = g_checksum_new(G_CHECKSUM_SHA256);
			gsize length = strlen(TEXTS[i]);
			guint8 digest[32];
			gsize size = sizeof digest;
			struct collect collect;
			struct aggregate *aggregate;

			g_checksum_update(want, (const guint8 *)TEXTS[i], (gssize)length);
			g_checksum_get_digest(want, digest, &size);
			collect_init(&collect);
			aggregate = aggregate_new(&LIMITS, "x", &COLLECT, &collect);
			for (gsize at = 0; at < length; at += step)
				assert_true(aggregate_push(
				    aggregate, (const guint8 *)TEXTS[i] + at, MIN(step, length - at)));
			end(aggregate, &collect);
			assert_memory_equal(collect.sha256, digest, sizeof digest);
			aggregate_free(aggregate);
			collect_clear(&collect);
		}
}

/* The repair is ahead of libxml2, by how much depends on the pieces. */
static void what_is_repaired_behind_the_break_is_not_noted(void **state)
{
	static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;
	static const char *const BREAKS[] = { "</record>", "</feedback>x" };
	static const gsize STEPS[] = { G_MAXSIZE / 2, 1, 7, 5000 };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(BREAKS); i++)
		for (guint blanks = 10; blanks < 40000; blanks += 4000)
			for (gsize j = 0; j < G_N_ELEMENTS(STEPS); j++) {
				g_autofree char *xml =
				    g_strdup_printf("<feedback>" TOP ONE_RECORD "%*s%s  & \x01 \xff more",
					(int)blanks, " ", BREAKS[i]);
				g_autofree char *got = run(&LIMITS, xml, strlen(xml), STEPS[j]);

				if (strstr(got, "\nend ") == NULL || strstr(got, "{X") != NULL)
					fail_msg(
					    "%s, %u blanks, step %zu: %s", BREAKS[i], blanks, STEPS[j], got);
			}
}

struct memory {
	guint64 records;
	gsize first, most; /* bytes in use, at the thousandth record and at most behind it */
};

static gboolean memory_begin(gpointer user, const char *place, GError **error)
{
	(void)user, (void)place, (void)error;
	return TRUE;
}

static gboolean memory_record(gpointer user, const struct aggregate_record *record, GError **error)
{
	struct memory *memory = user;

	(void)record, (void)error;
	if (++memory->records % 1000 == 0) {
		gsize now = mallinfo2().uordblks;

		if (memory->first == 0)
			memory->first = now;
		memory->most = MAX(memory->most, now);
	}
	return TRUE;
}

static gboolean memory_end(gpointer user, const struct aggregate_header *header, GError **error)
{
	struct memory *memory = user;

	(void)error;
	assert_int_equal(header->records, memory->records);
	return TRUE;
}

/* Records of every kind: sound, with notes, with names and addresses that never come again, with damage. */
static void assertion_24_memory_does_not_grow_with_100000_records(void **state)
{
	static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;
	static const struct report_sink SINK = {
		.report_begin = memory_begin, .record = memory_record, .report_end = memory_end
	};
	static const char HEAD[] = "<feedback>" TOP, TAIL[] = "</feedback>";
	struct memory memory = { 0 };
	struct aggregate *aggregate = aggregate_new(&LIMITS, "x", &SINK, &memory);

	(void)state;
	assert_true(aggregate_push(aggregate, (const guint8 *)HEAD, strlen(HEAD)));
	for (guint i = 0; i < 100000; i++) {
		char record[512];
		int size = g_snprintf(record, sizeof record,
		    "<record><row><source_ip>10.%u.%u.%u</source_ip><count>%u</"
		    "count><policy_evaluated><dkim>Pass</dkim>"
		    "<spf>fail</spf></policy_evaluated></row><identifiers><header_from>h%u.example & "
		    "</header_from>"
		    "</identifiers><auth_results><dkim><domain>d%u.example</domain><result>pass</result></"
		    "dkim>"
		    "</auth_results></record>\n",
		    i / 65536, i / 256 % 256, i % 256, i, i, i);

		assert_true(aggregate_push(aggregate, (const guint8 *)record, (gsize)size));
	}
	assert_true(aggregate_push(aggregate, (const guint8 *)TAIL, strlen(TAIL)));
	assert_int_equal(aggregate_end(aggregate, NULL), AGGREGATE_REPORT);
	aggregate_free(aggregate);
	assert_int_equal(memory.records, 100000);
	print_message("bytes in use: %zu at 1,000 records, then at most %zu\n", memory.first, memory.most);
	assert_true(memory.most - memory.first < 256 * 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_whole_and_byte_by_byte),
		cmocka_unit_test(utf_16_is_read_as_26_says),
		cmocka_unit_test(a_deviation_across_any_boundary_of_pieces_changes_nothing),
		cmocka_unit_test(a_byte_outside_of_the_charset_never_makes_a_whole_report),
		cmocka_unit_test(limits_hold_at_n_minus_1_n_n_plus_1),
		cmocka_unit_test(a_list_too_long_is_cut_and_noted_and_costs_nothing_else),
		cmocka_unit_test(lists_end_when_the_values_of_a_record_are_too_many_bytes),
		cmocka_unit_test(long_values_are_cut_on_a_character),
		cmocka_unit_test(notes_end_at_their_limit),
		cmocka_unit_test(assertion_25_huge_constructs_end_early),
		cmocka_unit_test(different_names_end_at_their_limit),
		cmocka_unit_test(each_error_of_the_sink_ends_it_and_comes_out),
		cmocka_unit_test(sha256_is_of_all_bytes),
		cmocka_unit_test(what_is_repaired_behind_the_break_is_not_noted),
		cmocka_unit_test(assertion_24_memory_does_not_grow_with_100000_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
