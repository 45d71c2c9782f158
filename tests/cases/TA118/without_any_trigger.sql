-- not smoked: nothing makes such rows during a sign-up, the app does
create table public.posts (
  id bigint generated always as identity primary key,
  author_id uuid references auth.users, -- TA118
  body text
);
