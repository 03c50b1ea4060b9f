-- What is known to be there: ten thousand projects, whose number and sum a probe asks.
begin;
create table projects (id int primary key, name text not null);
insert into projects select i, md5(i::text) from generate_series(1, 10000) i;
commit;
