#!/bin/sh
# Makes the namespace of the orders and registers their search attributes. Repeating it changes nothing.
# The server and the namespace come from TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE.
set -eu

retention=720h
attempts=30

# A server that has just started, or a namespace that is seconds old, may refuse at first.
insist() {
    tried=0
    until "$@"; do
        tried=$((tried + 1))
        [ "$tried" -lt "$attempts" ] || return 1
        sleep 2
    done
}

namespace_exists() {
    temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1
}

make_namespace() {
    namespace_exists || temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$retention"
}

known() {
    temporal operator search-attribute list | grep -q "^ *$1 "
}

register() {
    known "$1" || temporal operator search-attribute create --name "$1" --type "$2"
}

insist make_namespace
insist register DomChannel Keyword
insist register DomStatus Keyword
insist register DomCustomer Keyword
insist register DomNode KeywordList
