
declare
  key text;
begin
  select decrypted_secret into key from vault.decrypted_secrets where name = 'service_key' limit 1;
  if key is null or length(key) = 0 then
    raise log 'no key';
    return new;
  end if;
  new.raw_app_meta_data := jsonb_set(coalesce(new.raw_app_meta_data, '{}'::jsonb), '{signed}', to_jsonb(encode(hmac(new.id::text, key, 'sha256'), 'hex')));
  return new;
end;
