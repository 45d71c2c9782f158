alter table public.teams add column slug text;
create function public.team_slug() returns trigger
language plpgsql
as $$
begin
  if new.slug is null then
    new.slug := lower(regexp_replace(new.name, '[^a-zA-Z0-9]+', '-', 'g'));
  end if;
  return new;
end;
$$;
create trigger teams_slug before insert on public.teams
  for each row execute function public.team_slug();
