cd "$1" && sed 's/^/+/' deep && sed 's/^/-/' shallow && echo -- && cut -d ' ' -f 1 units
