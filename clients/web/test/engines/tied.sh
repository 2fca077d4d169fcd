#!/bin/sh
# Runs $ENGINE_PROGRAM so that it ends with whoever started it: a test run that is killed leaves no browser behind.
exec setpriv --pdeathsig KILL -- "$ENGINE_PROGRAM" "$@"
