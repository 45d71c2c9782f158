
begin
  case new.raw_user_meta_data ->> 'role'
    when 'teacher', 'tutor' then
      insert into teachers (id) values (new.id);
    when 'student' then
      insert into students (id) values (new.id);
    else
      null;
  end case;
  return new;
end
