ln -sfnT "$1" "$2.petasos-new"
mv -fT "$2.petasos-new" "$2"
