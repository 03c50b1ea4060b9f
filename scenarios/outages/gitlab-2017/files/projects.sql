create table projects (id int primary key, name text not null)
insert into projects select i, md5(i::text) from generate_series(1, 10000) i
