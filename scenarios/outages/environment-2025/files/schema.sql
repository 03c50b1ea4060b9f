create table costs (id int primary key, account text not null, cents int not null)
create table bookings (ledger text not null, id bigint not null, at timestamptz not null default now())
