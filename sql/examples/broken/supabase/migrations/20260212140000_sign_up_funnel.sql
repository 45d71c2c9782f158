-- Marketing wants to know how many confirmation mails are answered.
create table public.signup_events (
  id bigint generated always as identity primary key,
  user_id uuid references auth.users on delete set null,
  happened text not null,
  at timestamptz not null default now()
);

create function public.track_confirmation_mail() returns trigger
language plpgsql security definer as $$
begin
  insert into signup_events (user_id, happened) values (new.id, 'confirmation mail sent');
  return new;
end;
$$;

create trigger on_confirmation_mail
  after update of confirmation_sent_at on auth.users
  for each row execute function public.track_confirmation_mail();
