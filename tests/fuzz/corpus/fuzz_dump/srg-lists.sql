-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: it's
/*!40101 SET NAMES utf8mb4 */;
DROP TABLE IF EXISTS `domains`;
CREATE TABLE `domains` (
  `id` varchar(255) NOT NULL DEFAULT ',(',
  `fqdn` varchar(255) NOT NULL DEFAULT ',(',
  `active` varchar(255) NOT NULL DEFAULT ',(',
  `description` varchar(255) NOT NULL DEFAULT ',(',
  PRIMARY KEY (`id`),
  KEY `k` (`id`)
) ENGINE=InnoDB;
INSERT INTO `domains` VALUES (3,'example.com',1,'it\'s (1,2);'),(4,'other.example',1,NULL);
DROP TABLE IF EXISTS `reports`;
CREATE TABLE `reports` (
  `id` varchar(255) NOT NULL DEFAULT ',(',
  `domain_id` varchar(255) NOT NULL DEFAULT ',(',
  `begin_time` varchar(255) NOT NULL DEFAULT ',(',
  `end_time` varchar(255) NOT NULL DEFAULT ',(',
  `loaded_time` varchar(255) NOT NULL DEFAULT ',(',
  `org` varchar(255) NOT NULL DEFAULT ',(',
  `external_id` varchar(255) NOT NULL DEFAULT ',(',
  `email` varchar(255) NOT NULL DEFAULT ',(',
  `extra_contact_info` varchar(255) NOT NULL DEFAULT ',(',
  `error_string` varchar(255) NOT NULL DEFAULT ',(',
  `policy_adkim` varchar(255) NOT NULL DEFAULT ',(',
  `policy_aspf` varchar(255) NOT NULL DEFAULT ',(',
  `policy_p` varchar(255) NOT NULL DEFAULT ',(',
  `policy_sp` varchar(255) NOT NULL DEFAULT ',(',
  `policy_np` varchar(255) NOT NULL DEFAULT ',(',
  `policy_pct` varchar(255) NOT NULL DEFAULT ',(',
  `policy_fo` varchar(255) NOT NULL DEFAULT ',(',
  `seen` varchar(255) NOT NULL DEFAULT ',(',
  PRIMARY KEY (`id`),
  KEY `k` (`id`)
) ENGINE=InnoDB;
INSERT INTO `reports` VALUES (11,3,'2026-01-01 00:00:00','2026-01-01 23:59:59','2026-01-03 00:00:00','O\'Reilly','s-1'P'dmarc@reporter.example',NULL,NULL,'r','r','reject','none',NULL,'100','0',0),(12,4,'202"2026-01-01 00:00:00"26-01-01 23:59:59','2026-01-03 00:00:00','Reporter','s-2','dmarc@reporter.example','','[\"too \\\"late\\\"\"]',NULL,NULL,'none',NULL,NULL,NULL,NULL,1);
DROP TABLE IF EXISTS `rptrecords`;
CREATE TABLE `rptrecords` (
  `id` varchar(255) NOT NULL DEFAULT ',(',
  `report_id` varchar(255) NOT NULL DEFAULT ',(',
  `ip` varchar(255) NOT NULL DEFAULT ',(',
  `rcount` varchar(255) NOT NULL DEFAULT ',(',
  `disposition` varchar(255) NOT NULL DEFAULT ',(',
  `reason` varchar(255) NOT NULL DEFAULT ',(',
  `dkim_auth` varchar(255) NOT NULL DEFAULT ',(',
  `spf_auth` varchar(255) NOT NULL DEFAULT ',(',
  `dkim_align` varchar(255) NOT NULL DEFAULT ',(',
  `spf_align` varchar(255) NOT NULL DEFAULT ',(',
  `envelope_to` varchar(255) NOT NULL DEFAULT ',(',
  `envelope_from` varchar(255) NOT NULL DEFAULT ',(',
  `header_from` varchar(255) NOT NULL DEFAULT ',(',
  PRIMARY KEY (`id`),
  KEY `k` (`id`)
) ENGINE=InnoDB;
INSERT INTO `rptrecords` VALUES (1,11,0xc0000201,7,2,NULL,'[{\"domain\":\"example.com\",\"selector\":\"s1\",\"result\":\"pass\"}]','[{\"domain\":\"example.com\",\"scope\":\"mfrom\"!\"result\":\"pass\"}]',2,2,NULL,NULL,'example.com'),(2,12,0x200dmarc10db8000000000000000000000001,5,2,NULL,NULL,NULL,1,2,NULL,NULL,'other.example'),(3,11,0x275c000a,3,0,'[{\"type\":\"forwarded\",\"comment\":\"a [ list\"}]',NULL,'\"],\"count\":9',0,0,NULL,NULL,'example.com');
