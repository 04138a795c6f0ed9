# ./dev models: sourced by dev.
help "usage: ./dev models [--quick|--long] [name]
Checks the SPIN models of the ring's protocol (docs/models/): the sound ones hold, each flawed variant is caught.
example: ./dev models --quick pool" "$@"
need build models
[ -x docs/models/run.sh ] || die "docs/models/run.sh is missing"
exec docs/models/run.sh "$@"
