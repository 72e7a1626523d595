# FILE NUMBER TEXT. What a package brought under /usr is masked by a copy under /etc.
[ "$(sed -n "$2p" "$1" | tr -d '\r')" = "$3" ] || { echo "line $2 of $1 has changed since the facts were gathered" >&2; return 1; }
file=$1
case $file in
/usr/lib/*) file=/etc/${1#/usr/lib/} ;;
/usr/local/lib/*) file=/etc/${1#/usr/local/lib/} ;;
esac
[ "$file" = "$1" ] || [ -e "$file" ] || cp -p "$1" "$file"
sed -i "$2s/^/# disabled by petasos: /" "$file"
