<?php
// Prices, accounts and orders: each asks the store that the configuration names.
function store(string ...$words): string
{
    $config = json_decode((string)file_get_contents(dirname(__DIR__) . '/config.json'), true);
    $link = @stream_socket_client("tcp://{$config['store']}:{$config['port']}", $code, $why, 1);
    if (!$link) {
        http_response_code(503);
        exit("the store does not answer\n");
    }
    $line = '*' . count($words) . "\r\n";
    foreach ($words as $word) {
        $line .= '$' . strlen($word) . "\r\n$word\r\n";
    }
    fwrite($link, $line);
    stream_set_timeout($link, 2);
    $answer = (string)fgets($link);
    if ($answer !== '' && $answer[0] === '$' && $answer[1] !== '-') {
        return rtrim((string)fgets($link));
    }
    if ($answer === '' || $answer[0] !== ':') {
        http_response_code(500);
        exit("the store has no such thing\n");
    }
    return rtrim(substr($answer, 1));
}

switch (parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH)) {
    case '/price':
        exit('price: ' . store('GET', 'price:1') . "\n");
    case '/account':
        exit('account: ' . store('GET', 'account:1') . "\n");
    case '/checkout':    // a test customer's orders are counted by themselves
        $cents = store('GET', 'price:1');
        exit('order ' . store('INCR', isset($_GET['test']) ? 'test-orders' : 'orders') . " for $cents\n");
}
http_response_code(404);
