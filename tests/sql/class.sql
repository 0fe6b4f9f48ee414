-- ruad.record_class(): each rule, and which comes first. own is example.com.
CREATE TEMP TABLE row_of (name text, dkim text, spf text, reason jsonb, header_from text, auth_results jsonb, want text);
INSERT INTO row_of VALUES
('both pass', 'pass', 'pass', NULL, 'example.com', NULL, 'pass'),
('dkim alone passes', 'pass', 'fail', NULL, 'example.com', NULL, 'pass'),
('spf alone passes, dkim is absent', NULL, 'pass', NULL, 'example.com', NULL, 'pass'),
('a pass needs no reason', 'pass', 'fail', '[{"type":"forwarded"}]', 'example.com', NULL, 'pass'),
('no verdict at all', NULL, NULL, NULL, 'example.com', NULL, 'unknown'),
('no verdict, whatever else is there', NULL, NULL, '[{"type":"forwarded"}]', 'example.com', '{"dkim":[{"domain":"example.com","result":"fail"}]}', 'unknown'),
('nothing is there', 'fail', 'fail', NULL, 'example.com', NULL, 'fail_unauthenticated'),
('empty lists', 'fail', 'fail', '[]', 'example.com', '{"dkim":[],"spf":[]}', 'fail_unauthenticated'),
('one verdict is enough', 'fail', NULL, NULL, 'example.com', NULL, 'fail_unauthenticated'),
('a word that is not pass is no pass', 'none', 'softfail', NULL, 'example.com', NULL, 'fail_unauthenticated'),
('forwarded', 'fail', 'fail', '[{"type":"forwarded","comment":null}]', 'example.com', NULL, 'fail_overridden'),
('trusted_forwarder', 'fail', 'fail', '[{"type":"trusted_forwarder"}]', 'example.com', NULL, 'fail_overridden'),
('mailing_list', 'fail', 'fail', '[{"type":"mailing_list"}]', 'example.com', NULL, 'fail_overridden'),
('local_policy, second in the list', 'fail', 'fail', '[{"type":"other"},{"type":"local_policy","comment":"arc=pass"}]', 'example.com', NULL, 'fail_overridden'),
('sampled_out is not a forward', 'fail', 'fail', '[{"type":"sampled_out"}]', 'example.com', NULL, 'fail_unauthenticated'),
('policy_test_mode is not a forward', 'fail', 'fail', '[{"type":"policy_test_mode"}]', 'example.com', NULL, 'fail_unauthenticated'),
('other is not a forward', 'fail', 'fail', '[{"type":"other"}]', 'example.com', NULL, 'fail_unauthenticated'),
('overridden comes before altered', 'fail', 'fail', '[{"type":"forwarded"}]', 'example.com', '{"dkim":[{"domain":"example.com","result":"fail"}]}', 'fail_overridden'),
('own signature that failed', 'fail', 'fail', NULL, 'example.com', '{"dkim":[{"domain":"example.com","result":"fail"}]}', 'fail_altered'),
('own signature without a result', 'fail', 'fail', NULL, 'example.com', '{"dkim":[{"domain":"example.com"}]}', 'fail_altered'),
('own signature, permerror, second in the list', 'fail', 'fail', NULL, 'example.com', '{"dkim":[{"domain":"esp.example","result":"fail"},{"domain":"example.com","result":"permerror"}]}', 'fail_altered'),
('signature of a child', 'fail', 'fail', NULL, 'example.com', '{"dkim":[{"domain":"mail.example.com","result":"fail"}]}', 'fail_altered'),
('signature of the parent', 'fail', 'fail', NULL, 'news.example.com', '{"dkim":[{"domain":"example.com","result":"fail"}]}', 'fail_altered'),
('a top-level domain is nobody''s parent', 'fail', 'fail', NULL, 'example.com', '{"dkim":[{"domain":"com","result":"fail"}]}', 'fail_unauthenticated'),
('a longer name without a dot is another', 'fail', 'fail', NULL, 'example.com', '{"dkim":[{"domain":"notexample.com","result":"fail"}]}', 'fail_unauthenticated'),
('result none is no signature', 'fail', 'fail', NULL, 'example.com', '{"dkim":[{"domain":"example.com","result":"none"}]}', 'fail_unauthenticated'),
('altered comes before unaligned', 'fail', 'fail', NULL, 'example.com', '{"dkim":[{"domain":"example.com","result":"fail"},{"domain":"list.example","result":"pass"}]}', 'fail_altered'),
('another signature passes', 'fail', 'fail', NULL, 'example.com', '{"dkim":[{"domain":"esp.example","result":"pass"}]}', 'fail_unaligned'),
('spf passes for another domain', 'fail', 'fail', NULL, 'example.com', '{"spf":[{"domain":"bounce.esp.example","scope":"mfrom","result":"pass"}]}', 'fail_unaligned'),
('a failing signature of another', 'fail', 'fail', NULL, 'example.com', '{"dkim":[{"domain":"esp.example","result":"fail"}],"spf":[{"domain":"esp.example","result":"softfail"}]}', 'fail_unauthenticated'),
('strict alignment: a child passes', 'fail', 'fail', NULL, 'example.com', '{"dkim":[{"domain":"mail.example.com","result":"pass"}]}', 'fail_unaligned'),
('header_from itself passes: contradiction', 'fail', 'fail', NULL, 'example.com', '{"dkim":[{"domain":"example.com","result":"pass"}]}', 'unknown'),
('something passes for no domain', 'fail', 'fail', NULL, 'example.com', '{"spf":[{"domain":"","result":"pass"}]}', 'unknown'),
('without a header_from own cannot be told', 'fail', 'fail', NULL, NULL, '{"dkim":[{"domain":"example.com","result":"fail"}]}', 'fail_unauthenticated'),
('shapes that are none do no harm', 'fail', 'fail', '7', 'example.com', '"x"', 'fail_unauthenticated'),
('nor do these', 'fail', 'fail', '{"type":[]}', 'example.com', '{"dkim":{"domain":5,"result":[]},"spf":3}', 'fail_unauthenticated');

SELECT plan(count(*)::integer + 1) FROM row_of;
SELECT is(ruad.record_class(dkim, spf, reason, header_from, auth_results), want, name) FROM row_of;
SELECT is((SELECT string_agg(provolatile::text || proparallel::text, ',') FROM pg_proc WHERE oid IN ('ruad.record_class'::regproc, 'ruad.failure_class'::regproc)), 'is,is',
	'the class depends on the record alone');
SELECT * FROM finish();
