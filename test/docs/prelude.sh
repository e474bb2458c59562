# Read by the shell that runs the documentation, before the first block.

# A command that fails ends the shell. Of a pipeline every part counts, but for those whose reader had enough: they end with
# SIGPIPE, and curl says 23 then.
set -o pipefail
failed() {
	local command=$1 status
	for status in "${@:2}"; do
		case $status in
		0 | 141 | 23) ;;
		*) echo "failed with $*: $command" >&2; exit 1 ;;
		esac
	done
}
trap 'failed "$BASH_COMMAND" "${PIPESTATUS[@]}"' ERR

# go run ./cmd/NAME runs the program that was built from it. SLIPWAY_NATS tells it where NATS is; the demo is told by flags.
go() {
	if [[ $1 != run || $2 != ./cmd/* ]]; then
		echo "test/docs does not know how to run: go $*" >&2
		return 1
	fi
	local name=${2#./cmd/}
	shift 2
	if [[ $name == slipway && $1 == demo ]]; then # it builds the example app, so it runs in the repository
		(cd "$ROOT" && "$PROGRAMS/slipway" "$@" --api "$API" --apps "$APPS" --data "$DATA")
	else
		"$PROGRAMS/$name" "$@"
	fi
}

# make TARGET runs what the Makefile says, with the go above.
make() {
	local recipe
	recipe=$(MAKEFLAGS='' command make --no-print-directory -s -n -C "$ROOT" "$@") || return
	eval "$recipe"
}

# The nats CLI finds no context of whoever runs the test. One of its commands wants a terminal.
nats() {
	local -x HOME=$CLIENT_HOME XDG_CONFIG_HOME=$CLIENT_HOME
	if [[ "$1 $2" == 'stream view' ]]; then "$TERMINAL" "$NATS_CLI" "$@"; else "$NATS_CLI" "$@"; fi
}

# The cf CLI keeps where it is logged in.
cf() {
	local -x CF_HOME=$CLIENT_HOME
	"$CF_CLI" "$@"
}
