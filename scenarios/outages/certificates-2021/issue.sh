# Issues a certificate for this host, for 90 days, signed by the lab's own authority: archive/NUMBER.crt, and then live.crt, a
# link, leads to it. The web server reads it anew with each handshake.
set -e
cd /etc/ssl
mkdir -p archive
n=$(($(ls archive | wc -l) + 1))
[ -s auth.key ] || openssl ecparam -name prime256v1 -genkey -noout -out auth.key
chmod 644 auth.key
openssl req -new -key auth.key -subj "/CN=$(hostname)" -out /run/auth.csr
printf 'subjectAltName=DNS:%s\nbasicConstraints=critical,CA:FALSE\n' "$(hostname)" >/run/auth.ext
openssl x509 -req -in /run/auth.csr -CA ca.crt -CAkey ca.key -set_serial "$(date +%s)" -days 90 -extfile /run/auth.ext -out archive/new
mv archive/new "archive/$n.crt"
ln -sf "archive/$n.crt" live.new
mv -T live.new live.crt
