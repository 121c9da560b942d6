alter table devices add column token_hash text;
