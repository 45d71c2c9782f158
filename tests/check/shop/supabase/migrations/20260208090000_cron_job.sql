create extension if not exists pg_cron;
select cron.schedule('refresh-sales', '0 3 * * *', 'refresh materialized view concurrently public.monthly_sales');
