# Looks each two seconds at the certificate that is served, not at a file. With less than 27 of its 90 days left it says so, and
# has it renewed.
while :; do
    served=$(openssl s_client -connect "$(hostname):443" </dev/null 2>/dev/null | openssl x509 2>/dev/null)
    if [ -n "$served" ] && ! echo "$served" | openssl x509 -noout -checkend 2332800 >/dev/null; then
        echo "the served certificate ends: $(echo "$served" | openssl x509 -noout -enddate)" | tee -a /run/alarm
        sh /opt/issue.sh
    fi
    sleep 2
done
