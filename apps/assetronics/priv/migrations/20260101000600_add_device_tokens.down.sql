alter table devices drop column token_hash;
