<?php
// What an account has cost: all that the database has. Nothing in it is no error.
$db = @pg_pconnect(getenv('DATABASE'));
$sum = $db ? @pg_query($db, 'select count(*), coalesce(sum(cents), 0) from costs') : false;
if (!$sum) {
    http_response_code(503);
    exit("the database does not answer\n");
}
[$entries, $cents] = pg_fetch_row($sum);
echo "costs: $entries entries, $cents cents\n";
