exec /usr/bin/python3 -I -
