#!/usr/bin/perl
# mmdb.pl - writes an MMDB file, with Debian's MaxMind::DB::Writer.
#
#   echo '{"type": "GeoLite2-ASN", "networks": {"192.0.2.0/24": {"autonomous_system_number": 64500}}}' | perl mmdb.pl FILE
#
# A value that is a number becomes a uint32, as in MaxMind's files; all else is text, or a map of these.
use strict;
use warnings;

use JSON::PP qw(decode_json);
use MaxMind::DB::Writer::Tree;

my %uint32 = map { $_ => 1 } qw(autonomous_system_number geoname_id);
my $wanted = decode_json(do { local $/; <STDIN> });
my $tree   = MaxMind::DB::Writer::Tree->new(
	database_type            => $wanted->{type},
	description              => { en => 'for a test' },
	ip_version               => 6,
	record_size              => 24,
	alias_ipv6_to_ipv4       => 1,
	remove_reserved_networks => 0,    # those of documentation are what tests use
	map_key_type_callback    => sub {
		return 'map' if $_[0] eq 'names' || ref $_[1];
		return $uint32{$_[0]} ? 'uint32' : 'utf8_string';
	},
);
$tree->insert_network($_, $wanted->{networks}{$_}) for sort keys %{ $wanted->{networks} };
open my $file, '>:raw', $ARGV[0] or die "$ARGV[0]: $!\n";
$tree->write_tree($file);
close $file or die "$ARGV[0]: $!\n";
