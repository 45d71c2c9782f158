create function public.discount(cents integer, percent integer default 10) returns integer
language sql immutable
begin atomic
  select cents - cents * percent / 100;
end;
