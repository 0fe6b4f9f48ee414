// notes.ts - what the codes of notes mean (parser/notes.h has them whole): on the form of a report, and on how it contradicts itself.

const WORDS =
  'V1 unknown or oddly written value,V2 not one domain as in DNS,I1 not an address of the Internet,C1 not a whole number,E1 oddly written date,' +
  'E2 impossible period,F1 no header of the message,F2 two dates of arrival,F3 something required is absent,F4 no part with the fields,' +
  'F5 the mail says another type,O1 wrong order,T1 shortened,R0 no record,R1 breaks off,R2 something behind the end,R3 no report ID,X1 DOCTYPE,' +
  'X2 unknown namespace,X3 misspelt element,X4 element twice,X5 stray markup,X6 control characters,X7 wrong character set,X8 text before the root,' +
  'X9 unclosed end tag,M1 the Subject says something else,M2 the file name says something else,J1 no policy domain,J2 wrong JSON type,' +
  'J3 not JSON’s characters,J4 something behind the JSON,A1 aligned pass without a reason,A2 aligned failure despite a pass,A3 SPF pass by HELO only,' +
  'D1 stopped though it passed,D2 let through without a reason,D3 stricter than the policy,D4 disposition pass without a pass,' +
  'P1 not a domain of the policy,P2 override that the policy excludes,P3 mixed versions of the standard';
const words = new Map(WORDS.split(',').map((one) => [one.slice(0, 2), one.slice(3)]));

export const noteWords = (code: string): string => words.get(code) ?? '';
