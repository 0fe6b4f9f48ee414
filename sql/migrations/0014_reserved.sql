-- 0014_reserved.sql - stands for the migration of another branch until both are merged; then it goes.
SELECT 1;
