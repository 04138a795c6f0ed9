# ./dev setup: sourced by dev.
help "usage: ./dev setup [--list]
Installs the Debian packages of every command (tools/packages.txt) with apt-get. The other commands install their own: this one is for
a machine that will be off-line later.
  --list   print the packages and install nothing
example: ./dev setup" "$@"
case ${1:-} in
  "") need build test bench models lint fuzz coverage screenshots; say "everything is there" ;;
  --list) packages_of build page test bench models lint fuzz coverage screenshots | xargs ;;
  *) usage_error "setup does not know '$1'" ;;
esac
