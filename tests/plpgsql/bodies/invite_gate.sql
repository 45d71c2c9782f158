
declare
  invited boolean;
begin
  select exists (
    select 1 from public.invites i
    where lower(i.email) = lower(new.email) and i.expires_at > now()
  ) into invited;
  if not coalesce(invited, false) then
    raise exception 'Signups are by invitation only'
      using errcode = 'P0001', hint = 'Ask for an invitation';
  end if;
  return new;
end;
