#!/bin/bash
# Asks an inverter a few questions the way scripts on the net do it: raw bytes with their checksums written out, 2400 baud,
# one question at a time. It knows nothing of sonkrag. Usage: ask-inverter.sh DEVICE
set -u
port=$1
stty -F "$port" 2400 raw cs8 -parenb -cstopb -echo -crtscts || exit 1

# Whatever comes within two seconds is the answer.
ask() {
  printf '%s: ' "$1"
  printf "$2" >&3
  timeout 2 cat <&3 | xxd -p -c 400
}

exec 3<>"$port"
ask QPIGS 'QPIGS\xb7\xa9\r'
ask QPIRI 'QPIRI\xf8\x54\r'
ask QMOD 'QMOD\x49\xc1\r'
exec 3>&-

# The same with socat alone.
printf 'QPIGS: '
printf 'QPIGS\xb7\xa9\r' | socat -T 2 -t 2 - "FILE:$port,b2400,raw,echo=0" | xxd -p -c 400
