# Ends whatever of the environment runs on this host; the host's init starts it from what stands there now.
pkill -x nginx
pkill -x php-fpm8.2
pkill -QUIT -x postgres
exit 0
