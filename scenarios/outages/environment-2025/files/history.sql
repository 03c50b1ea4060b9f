insert into costs select i, md5(i::text), i % 997 from generate_series(1, 10000) i
