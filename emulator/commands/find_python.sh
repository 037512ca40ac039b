#!/bin/sh
# Prints a Python 3.13 or newer: python3.13 on PATH, python3 if it is new enough, or pyenv's.
# (A pyenv shim may be on PATH and yet refuse to run, so each one is tried.)

fits() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 13))' 2>/dev/null
}

for python in python3.13 python3 \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3 \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[4-9]*/bin/python3 \
    /usr/bin/python3.13; do
    if fits "$python"; then
        command -v "$python"
        exit 0
    fi
done
echo "Python 3.13 is missing: install it (Debian: apt-get install python3.13-venv; pyenv install 3.13)." >&2
exit 1
