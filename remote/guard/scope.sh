cd "$1" && sed 's/^/+/' deep && sed 's/^/-/' shallow && { [ ! -e kernel ] || sed 's/^/-/; s/ .*//' kernel; } && echo -- && cut -d ' ' -f 1 units
